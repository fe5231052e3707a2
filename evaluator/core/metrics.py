"""The one table of metrics: their order, which of them lead, what a higher score says, how it is printed.

A metric of one's own is not in the table: it follows those that are, and has no meaning in words.

    >>> metric_of("CIDEr (strip_preamble)").name, in_order(["Mine", "CIDEr", "BLEU-4"])
    ('CIDEr', ['BLEU-4', 'CIDEr', 'Mine'])
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """One metric as tables and reports show it."""

    name: str
    headline: bool = False  # tables show its interval; every metric has one in scores.json, CSV and JSON
    meaning: str = ""  # what a higher score says of a caption
    covered_by: str = ""  # another metric that says nearly the same
    agreement: float | None = None  # with people: 100 times Kendall's tau-c on JUDGEMENTS
    compares_words: bool = False  # with those of the references, so that a longer caption scores lower
    for_long_captions: int | None = None  # which metric replaces those: the one with the lowest number
    by_people: bool = False  # people give it themselves


METRICS = (
    Metric("BLEU-1", covered_by="BLEU-4", agreement=32.3, compares_words=True),
    Metric("BLEU-2", covered_by="BLEU-4", agreement=32.5, compares_words=True),
    Metric("BLEU-3", covered_by="BLEU-4", agreement=31.5, compares_words=True),
    Metric(
        "BLEU-4",
        meaning="more of its four-word phrases occur in the references",
        agreement=30.8,
        compares_words=True,
    ),
    Metric(
        "METEOR",
        headline=True,
        meaning="it shares more words with a reference, also by stem and meaning, and in the same order",
        agreement=41.8,
        compares_words=True,
    ),
    Metric(
        "ROUGE-L",
        meaning="it has a longer sequence of words in common with a reference",
        agreement=32.3,
        compares_words=True,
    ),
    Metric(
        "CIDEr",
        headline=True,
        meaning="it shares more phrases with the references, and rare phrases count most",
        agreement=43.9,
        compares_words=True,
    ),
    Metric(
        "SPICE",
        headline=True,
        meaning="it names more of the objects, attributes and relations that the references name",
        compares_words=True,
    ),
    Metric(
        "BERTScore",
        headline=True,
        meaning="its words are nearer to those of a reference, as judged by a language model",
    ),
    Metric(
        "BERTScore-P",
        meaning="what it says is nearer to what a reference says, as judged by a language model",
        covered_by="BERTScore",
    ),
    Metric(
        "BERTScore-R",
        meaning="it says more of what a reference says, as judged by a language model",
        covered_by="BERTScore",
    ),
    Metric(
        "CLIPScore",
        headline=True,
        meaning="it fits the picture better, as judged by a CLIP model",
        for_long_captions=40,
    ),
    Metric(
        "RefCLIPScore",
        meaning="it fits both the picture and a reference better, as judged by a CLIP model",
        for_long_captions=20,
    ),
    Metric(
        "CLIPScore-sentences",
        headline=True,
        meaning="each of its sentences fits the picture better, as judged by a CLIP model",
        for_long_captions=30,
    ),
    Metric(
        "PAC-S",
        headline=True,
        meaning="it fits the picture better, as judged by a CLIP trained for this",
        for_long_captions=35,
    ),
    Metric(
        "RefPAC-S",
        meaning="it fits both the picture and a reference better, as judged by a CLIP trained for this",
        for_long_captions=15,
    ),
    Metric("ITM", meaning="it is likelier to fit the picture, as judged by a BLIP model"),
    Metric("ITC", meaning="it is nearer to the picture, as judged by a BLIP model", covered_by="ITM"),
    Metric("regeneration", meaning="an image generator draws a more similar picture from it"),
    Metric("CHAIR-i", meaning="more of the objects that it names are in the picture"),
    Metric("CHAIR-s", headline=True, meaning="it names no object that is not in the picture"),
    Metric("object recall", meaning="it names more of the objects that are in the picture"),
    Metric(
        "CLAIR",
        headline=True,
        meaning="a chat model finds it likelier that it describes the same picture as the references",
        for_long_captions=10,
    ),
    Metric(
        "picture fit",
        headline=True,
        meaning="a chat model that sees the picture finds that it describes it better",
        for_long_captions=8,
    ),
    Metric(
        "accuracy",
        headline=True,
        meaning="a chat model that sees the picture finds more of what it says true",
        for_long_captions=6,
    ),
    Metric("detail coverage", meaning="a chat model finds that it leaves out less of what is important"),
    Metric("fluency", meaning="a chat model finds it written better"),
    Metric("marked good", headline=True, meaning="somebody marked it as good in the report", by_people=True),
)
# The ratings on which `evaluator trust` measured `Metric.agreement`; docs/trust.md has the intervals.
JUDGEMENTS = "Flickr8k-Expert"
# The metric that orders the runs is the first of these that a run has; `lead` has the exception.
LEAD = ("CIDEr", *(metric.name for metric in METRICS if metric.headline))

_TABLE = {metric.name: metric for metric in METRICS}
_ORDER = {metric.name: index for index, metric in enumerate(METRICS)}


def metric_of(name: str) -> Metric:
    """The row of the table; `CIDEr (strip_preamble)`, the score of changed captions, has that of CIDEr."""
    return _TABLE.get(name.partition(" (")[0]) or Metric(name)


def known_agreement(name: str) -> float | None:
    """100 times Kendall's tau-c with people's ratings; None where it is not known, as of changed captions."""
    metric = metric_of(name)
    return metric.agreement if metric.name == name else None


def agreement_text(name: str) -> str:
    """What is known of a metric's agreement with people, as one sentence; empty where nothing is.

    >>> agreement_text("CIDEr"), agreement_text("CIDEr (strip_preamble)")
    ("Agreement with people: 43.9 (Kendall's τ-c × 100 on Flickr8k-Expert).", '')
    """
    if metric_of(name).by_people:
        return "People gave it themselves, to the captions that they chose to mark."
    known = known_agreement(name)
    return (
        "" if known is None else f"Agreement with people: {known:.1f} (Kendall's τ-c × 100 on {JUDGEMENTS})."
    )


def in_order(names: Iterable[str]) -> list[str]:
    """The names in the order of the table, others behind in their own order; each once."""
    return sorted(dict.fromkeys(names), key=lambda name: _ORDER.get(name, len(_ORDER)))


def in_points(value: float) -> float:
    """A score as people print it: 100 times the reference program's scale. CIDEr 1.455 is 145.5 points."""
    return 100 * value
