"""Which metric decides the order of runs, and why: CIDEr, unless captions are unlike the references.

CIDEr and its kin compare words with those of short references. A true caption of forty words scores near zero
on them, so that a ranking by CIDEr says how long captions are and not how good. Then a judge's metric leads,
or one that looks at the picture, where the runs have one.

    >>> short = Style(10.0, 10, 10.4, 10, 0.0, 0.0, 0.0, 0.0)
    >>> long = Style(23.0, 23, 10.4, 10, 0.9, 0.0, 0.9, 0.0)
    >>> lead(["CIDEr", "CLIPScore"], {"git": short}).metric
    'CIDEr'
    >>> lead(["CIDEr", "CLIPScore"], {"git": short, "llm": long}).metric
    'CLIPScore'
    >>> unlike_references(long)
    'have 23 words, the references 10, and 90 % have several sentences'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluator.core.metrics import LEAD, metric_of
from evaluator.core.results import Style

# From these on, the length of captions affects scores against references as much as their content does.
LENGTH_LIMIT = 1.5  # words of a caption, relative to those of a reference
SENTENCES_LIMIT = 0.2  # the share of captions with several sentences


@dataclass(frozen=True)
class Lead:
    """The metric that decides, and a sentence that says why it is not the usual one, or says little."""

    metric: str
    reason: str = ""

    def __str__(self) -> str:
        return self.reason


def lead(
    metrics: Sequence[str], styles: Mapping[str, Style | None], in_all_runs: Sequence[str] | None = None
) -> Lead | None:
    """The metric that decides the order of some runs; None where there is no metric.

    `metrics` are those that some run has, `in_all_runs` those that every run has (the same, unless given):
    only these replace the usual metric. `styles` are how the captions of each run are written, by its label.
    """
    usual = next((name for name in (*LEAD, *metrics) if name in metrics), None)
    if usual is None:
        return None
    remarks = [
        f"those of {label} {remark}" if len(styles) > 1 else f"these captions {remark}"
        for label, style in styles.items()
        if style and (remark := unlike_references(style))
    ]
    if not remarks or not metric_of(usual).compares_words:
        return Lead(usual)
    fitting = {
        name: rank
        for name in (metrics if in_all_runs is None else in_all_runs)
        if (rank := metric_of(name).for_long_captions) is not None
    }
    why = f"expects captions like the references: {'; '.join(remarks)}."
    if not fitting:
        better = "A judge, or a metric that looks at the pictures, such as CLIPScore, says more."
        return Lead(usual, f"{usual} says little here. It {why} {better}")
    metric = min(fitting, key=lambda name: fitting[name])
    if len(styles) == 1:
        return Lead(metric, f"{metric} says more here than {usual}, which {why}")
    return Lead(metric, f"Ranked by {metric} and not by {usual}, which {why}")


def unlike_references(style: Style) -> str:
    """In what captions are much longer than the references; empty where they are not."""
    words, theirs = style.words_median, style.reference_words_median
    remarks = []
    if theirs and words >= LENGTH_LIMIT * theirs:
        remarks.append(f"have {words:g} words, the references {theirs:g}")
    if theirs is not None and style.several_sentences >= SENTENCES_LIMIT:
        whole = f"{100 * style.several_sentences:.0f} % have several sentences"
        remarks.append(f"and {whole}" if remarks else f"are long: {whole}")
    return ", ".join(remarks)
