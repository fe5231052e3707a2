"""Runs as rows, metrics as columns: what `compare` makes, and what every table and page is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from evaluator.comparison.pairs import PairwiseDifferences
from evaluator.core import Results, Score
from evaluator.core.lead import Lead, lead
from evaluator.core.metrics import metric_of
from evaluator.data.known import known_dataset, name_of_content
from evaluator.store.manifest import Manifest
from evaluator.store.run import Run

if TYPE_CHECKING:
    import pandas as pd

NOT_ASKED_FOR = "not asked for in this run"


@dataclass(frozen=True)
class Row:
    """One run of a comparison."""

    run: Run
    label: str
    results: Results  # over the shared images where the comparison says so, else the run's own
    index: int = 0  # among the runs that are compared, whatever the order of the rows

    @property
    def manifest(self) -> Manifest:
        return self.run.manifest

    @property
    def data_name(self) -> str:
        """What the data set is called; runs of older versions are recognised by their images."""
        if self.manifest.dataset:
            return self.manifest.dataset
        references = tuple((item.id, item.references) for item in self.run.items)
        return name_of_content(references) or self.manifest.choices["data"]

    @property
    def whole_dataset(self) -> str:
        """The name of the known data set that the run covers as a whole; empty where there is none."""
        known = known_dataset(self.data_name)
        return known.name if known and known.images == self.results.images else ""

    def score(self, metric: str) -> Score | None:
        return next((score for score in self.results.scores if score.name == metric), None)

    def reason(self, metric: str) -> str:
        """Why the run has no score on this metric."""
        missing = (entry.reason for entry in self.results.not_computed if entry.name == metric)
        return next(missing, NOT_ASKED_FOR)


@dataclass(frozen=True, repr=False)
class Comparison:
    """Runs, their differences, and what one must know before comparing them."""

    rows: tuple[Row, ...]
    metrics: tuple[str, ...]  # all that a run was asked for, in the order of the tables
    warnings: tuple[str, ...]
    pairs: PairwiseDifferences
    baseline: int = 0  # the index of the run that the others' differences are shown to
    on_shared_images: bool = False  # whether the scores cover only those images that all runs captioned
    rank_by: str | None = None  # the metric that the user chose to lead

    def __repr__(self) -> str:
        """Each run with its score on the lead metric, the best first, as a notebook shows it."""
        metric = self.lead_metric
        scores = [row.score(metric) if metric else None for row in self.best_first.rows]
        lines = [
            f"  {row.label}: {score or 'no score'}"
            for row, score in zip(self.best_first.rows, scores, strict=True)
        ]
        return "\n".join([f"Comparison of {len(self.rows)} runs", *lines])

    @cached_property
    def lead(self) -> Lead | None:
        """The metric that decides the order, and why; None where no run has a score."""
        if self.rank_by in self.computed:
            return Lead(self.rank_by)
        scored = [row for row in self.rows if row.results.scores]
        in_all_runs = [name for name in self.computed if all(row.score(name) for row in scored)]
        return lead(self.computed, {row.label: row.results.style for row in scored}, in_all_runs)

    @property
    def lead_metric(self) -> str | None:
        return self.lead.metric if self.lead else None

    @property
    def headline(self) -> tuple[str, ...]:
        """The metrics whose intervals the tables show."""
        return tuple(name for name in self.metrics if metric_of(name).headline or name == self.lead_metric)

    @property
    def computed(self) -> tuple[str, ...]:
        """The metrics that at least one run has."""
        return tuple(metric for metric in self.metrics if self.ranked(metric))

    @property
    def base_row(self) -> Row:
        return next(row for row in self.rows if row.index == self.baseline)

    @property
    def same_data(self) -> bool:
        """Whether all runs have the same images and references."""
        return len({row.manifest.dataset_digest for row in self.rows}) == 1

    def rank(self, row: Row) -> tuple[int, int] | None:
        """The first and last rank that the run may have on the lead metric; None where it has none."""
        metric = self.lead_metric
        return self.pairs.ranks(metric)[row.index] if metric else None

    def higher_is_better(self, metric: str) -> bool:
        return all(score.higher_is_better for row in self.rows if (score := row.score(metric)))

    def scored(self, metric: str) -> list[tuple[Row, Score]]:
        """The runs that have this metric with their scores, the best first."""
        scored = [(row, score) for row in self.rows if (score := row.score(metric))]
        return sorted(scored, key=lambda pair: pair[1].oriented, reverse=True)

    def ranked(self, metric: str) -> list[Row]:
        """The runs that have this metric, the best first."""
        return [row for row, _ in self.scored(metric)]

    def is_comparable(self, metric: str) -> bool:
        """Whether the runs that have this metric have it on the same data, by the same recipe."""
        scored = self.scored(metric)
        digests = {row.manifest.dataset_digest for row, _ in scored}
        recipes = {score.signature.recipe for _, score in scored}
        return len(digests) <= 1 and len(recipes) <= 1

    @property
    def best_first(self) -> Comparison:
        """With the rows in the order of the lead metric, those without it last."""
        metric = self.lead_metric
        first = self.ranked(metric) if metric else []
        return replace(self, rows=(*first, *(row for row in self.rows if row not in first)))

    def per_image(self) -> pd.DataFrame:
        """One row per run and image: outcome, caption and the score of each metric.

        The index is (run, id). Scores are on the reference program's scale, NaN where there is none.
        """
        import pandas as pd

        return pd.concat({row.label: row.run.per_image for row in self.rows}, names=["run", "id"])


def listed(words: Sequence[str]) -> str:
    """Words in a row, as in a sentence.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
