"""Several runs side by side: what each scored, what they are called, and whether the numbers may be compared.

>>> from pathlib import Path
>>> compare([Path("runs/demo-tiny-git-none"), Path("runs/demo-tiny-blip-none")])  # doctest: +SKIP
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evaluator.comparison.bootstrap import intervals, with_interval
from evaluator.comparison.pairs import Contrasts, Resampling, Rescored, contrasts
from evaluator.core import Measurement, Results, Score, Style
from evaluator.core.errors import ConfigError
from evaluator.store.run_folder import RunFolder

# From these shares of the captions on, and this length beside the references', style weighs in the scores.
STYLE_LIMITS = {
    "preamble": (0.05, 'begin with a preamble such as "The image shows"'),
    "markdown": (0.05, "hold markdown"),
    "several_sentences": (0.2, "are of several sentences"),
    "other_script": (0.05, "hold letters that are not Latin"),
}
LENGTH_LIMIT = 1.5

# With an interval in the tables; every metric has one in scores.json, CSV and JSON.
HEADLINE = ("METEOR", "CIDEr", "SPICE", "CLIPScore")

# Their order in every table; metrics of one's own follow.
METRIC_ORDER = (
    *("BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4"),
    *("METEOR", "ROUGE-L", "CIDEr", "SPICE", "CLIPScore", "RefCLIPScore"),
)


@dataclass(frozen=True)
class Row:
    """One run of a comparison."""

    run: RunFolder
    label: str
    manifest: Mapping[str, Any]
    results: Results
    place: int = 0  # among the runs that are compared, whatever the order of the rows

    def score(self, metric: str) -> Score:
        """The run's score by this name; one with a reason where it was not asked for."""
        found = (score for score in self.results.scores if score.name == metric)
        return next(found, Score(metric, reason="not asked for in this run"))


@dataclass(frozen=True)
class Comparison:
    """Runs as rows, metrics as columns, their differences, and what one must know before comparing them."""

    rows: tuple[Row, ...]
    metrics: tuple[str, ...]
    warnings: tuple[str, ...]
    contrasts: Contrasts
    baseline: int = 0  # the place of the run that the others' differences are shown to
    on_shared: bool = False  # whether the scores are over those images only that all runs captioned

    @property
    def lead_metric(self) -> str | None:
        """CIDEr where a run has it, else the first headline metric, else the first of all."""
        preferred = ("CIDEr", *HEADLINE, *self.metrics)
        return next((metric for metric in preferred if self.ranked(metric)), None)

    def rank(self, row: Row) -> tuple[int, int] | None:
        """The ranks that the run may have on the lead metric; None where it cannot be ranked."""
        metric = self.lead_metric
        return self.contrasts.ranks(metric)[row.place] if metric else None

    @property
    def computed(self) -> tuple[str, ...]:
        """The metrics that a run has at least."""
        return tuple(metric for metric in self.metrics if self.ranked(metric))

    def higher_is_better(self, metric: str) -> bool:
        return all(row.score(metric).higher_is_better for row in self.rows)

    @property
    def base_row(self) -> Row:
        return next(row for row in self.rows if row.place == self.baseline)

    def ranked(self, metric: str) -> list[Row]:
        """The runs that have this metric, the best first."""
        found = [row for row in self.rows if row.score(metric).computed]
        return sorted(found, key=lambda row: row.score(metric).goodness, reverse=True)


def compare(
    paths: Sequence[Path],
    baseline: Path | None = None,
    on_all: bool = False,
    resampling: Resampling | None = None,
    rescored: Rescored | None = None,
) -> Comparison:
    """Read scored runs, and compare them on the images that all of them captioned.

    With `on_all` each run's scores are those of its own images; differences are over the shared ones anyway.
    `rescored` computes what depends on which images there are. Raises StoreError for a folder that is no run,
    ConfigError for one given twice and for a baseline that is not among them.
    """
    runs = [RunFolder.existing(path) for path in paths]
    if repeated := [
        path for index, path in enumerate(paths) if path.resolve() in {p.resolve() for p in paths[:index]}
    ]:
        raise ConfigError(f"{repeated[0]} is given twice")
    place = 0
    if baseline is not None:
        places = [place for place, path in enumerate(paths) if path.resolve() == baseline.resolve()]
        if not places:
            raise ConfigError(f"the baseline {baseline} is not among the runs that are compared")
        (place,) = places
    manifests = [run.manifest() for run in runs]
    results = [run.results() for run in runs]
    rows = tuple(
        Row(run, label, manifest, result, number)
        for number, (run, label, manifest, result) in enumerate(
            zip(runs, labels(runs, manifests, paths), manifests, results, strict=True)
        )
    )
    same_data = len({row.manifest["dataset_digest"] for row in rows}) == 1
    resampling = resampling or Resampling(confidence=results[0].confidence)
    found = contrasts(runs, resampling, rescored) if same_data else Contrasts((), ({},) * len(runs))
    left_out = left_out_warnings(rows, found) if same_data else []
    if left_out and not on_all:
        rows = tuple(
            replace(row, results=on_shared(row.results, measured, resampling))
            for row, measured in zip(rows, found.measurements, strict=True)
        )
    warnings = (*dataset_warnings(rows), *left_out, *signature_warnings(rows), *style_warnings(rows))
    return Comparison(
        rows, metric_names(results), warnings, found, place, on_shared=bool(left_out) and not on_all
    )


def on_shared(results: Results, measured: Mapping[str, Measurement], resampling: Resampling) -> Results:
    """The scores over the images that all runs captioned; coverage, speed and style stay the run's own."""
    known = {name: one for name, one in measured.items() if math.isfinite(one.value)}
    bounds = intervals(
        list(known.values()),
        resampling.resamples,
        resampling.confidence,
        resampling.seed,
        resampling.method,
    )
    scores = dict(zip(known, map(with_interval, known.values(), bounds), strict=True))
    nothing = {
        name: Score(name, reason="no image that all runs captioned could be scored")
        for name in measured
        if name not in known
    }
    return replace(results, scores=tuple((scores | nothing).get(one.name, one) for one in results.scores))


def left_out_warnings(rows: Sequence[Row], found: Contrasts) -> list[str]:
    """Which runs keep images out of the comparison, and why."""
    images = max(row.results.images for row in rows)
    without = [row.label for row, own in zip(rows, found.own_images, strict=True) if not own]
    left_out = [f"{label} has no caption at all and no part in the comparison" for label in without]
    if len(rows) < 2 or all(own in (0, found.images) for own in found.own_images):
        return left_out if len(rows) > 1 else []
    lacking = [
        f"{row.label} has no caption for {row.results.images - row.results.captioned:,} ({reasons})"
        for row, own in zip(rows, found.own_images, strict=True)
        if 0 < own < images
        and (
            reasons := ", ".join(
                f"{count:,} {outcome}" for outcome, count in row.results.outcomes.items() if outcome != "ok"
            )
        )
    ]
    whose = "all runs" if not without else "all other runs"
    return [
        f"compared on the {found.images:,} of {images:,} images that {whose} captioned: {'; '.join(lacking)}",
        *left_out,
    ]


def labels(
    runs: Sequence[RunFolder], manifests: Sequence[Mapping[str, Any]], paths: Sequence[Path] = ()
) -> list[str]:
    """What tells the runs apart: model, data and prompt where these differ, or a name that was given."""
    choices = [manifest["choices"] for manifest in manifests]
    differing = [
        group
        for group in ("data", "model", "prompt")
        if group == "model" or len({choice[group] for choice in choices}) > 1
    ]
    short = [" ".join(choice[group] for group in differing) for choice in choices]
    named = [
        text if run.name in (plain := "-".join(c.values()), f"{plain}-{run.name[-6:]}") else run.name
        for run, c, text in zip(runs, choices, short, strict=True)
    ]
    names = [run.name for run in runs]
    return next(
        (found for found in (named, names) if len(set(found)) == len(found)),
        unshared([str(path) for path in paths or [run.path for run in runs]]),
    )


def unshared(paths: Sequence[str]) -> list[str]:
    """What the paths do not share: labels hold no more folders of the machine than it takes.

    >>> unshared(["/home/ada/mon/git", "/home/ada/tue/git"])
    ['mon/git', 'tue/git']
    """
    whole = [os.path.abspath(path) for path in paths]
    start = os.path.commonpath(whole)
    return [os.path.relpath(path, start) for path in whole]


def metric_names(results: Sequence[Results]) -> tuple[str, ...]:
    """Every metric that a run asked for, in the order of the tables."""
    found = dict.fromkeys(score.name for result in results for score in result.scores)
    return (*(n for n in METRIC_ORDER if n in found), *(n for n in found if n not in METRIC_ORDER))


def dataset_warnings(rows: Sequence[Row]) -> list[str]:
    """Runs over different images or references are not comparable."""
    digests: dict[str, list[str]] = {}
    for row in rows:
        digests.setdefault(row.manifest["dataset_digest"], []).append(row.label)
    if len(digests) < 2:
        return []
    names = " against ".join(", ".join(labels) for labels in digests.values())
    return [f"the runs are over different images or references ({names}): do not compare them"]


def signature_warnings(rows: Sequence[Row]) -> list[str]:
    """A metric with different signatures is two metrics; those that differ in the same parts share a line."""
    metrics: dict[tuple[str, ...], list[str]] = {}
    for metric in metric_names([row.results for row in rows]):
        scores = (row.score(metric) for row in rows)
        signatures = {tuple(score.signature.split("|")): None for score in scores if score.computed}
        if len(signatures) > 1:
            shared = set.intersection(*map(set, signatures))
            own = ["|".join(part for part in parts if part not in shared) for parts in signatures]
            metrics.setdefault(tuple(own), []).append(metric)
    return [
        f"not computed in the same way in all runs: {', '.join(names)} ({' against '.join(own)})"
        for own, names in metrics.items()
    ]


def style_warnings(rows: Sequence[Row]) -> list[str]:
    """Runs whose scores say as much about how their captions are written as about what they say."""
    return [
        f"{row.label}: {', '.join(found)}. Scores against short references are those of its style too; "
        "normalize=strip_preamble or first_sentence shows how much"
        for row in rows
        if row.results.style and (found := style_remarks(row.results.style))
    ]


def style_remarks(style: Style) -> list[str]:
    remarks = [
        f"{100 * share:.0f} % of its captions {what}"
        for name, (limit, what) in STYLE_LIMITS.items()
        if (share := getattr(style, name)) >= limit
    ]
    theirs = style.reference_words_mean
    if theirs and style.words_mean >= LENGTH_LIMIT * theirs:
        remarks.append(f"its captions have {style.words_mean:.1f} words, the references {theirs:.1f}")
    return remarks
