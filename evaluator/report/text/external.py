"""Leaderboard rows that are not runs: scores that papers report, and those of a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from evaluator.core import Score

PUBLISHED = Path(__file__).parent / "published.yaml"


@dataclass(frozen=True)
class ExternalResult:
    """A paper's scores, which were not measured here, or a person's, against fewer references. In points."""

    name: str
    scores: Mapping[str, float]
    protocol: str
    source: str
    data: str = "COCO Karpathy test"  # the data set, as `data/known.yaml` calls it
    measured: bool = False

    def points(self, metric: str) -> str:
        """As it is printed, empty where there is none."""
        return f"{self.scores[metric]:.1f}" if metric in self.scores else ""


@cache
def published_results() -> tuple[ExternalResult, ...]:
    """The papers' results that come with the package; all are over COCO's Karpathy test split."""
    import yaml

    return tuple(ExternalResult(**row) for row in yaml.safe_load(PUBLISHED.read_text(encoding="utf-8")))


def human_result(scores: Sequence[Score], images: int) -> ExternalResult:
    """A person's result: what one wrote about each image, scored against what the others wrote."""
    return ExternalResult(
        "a person",
        {score.name: score.points for score in scores},
        f"the first reference of each of {images:,} images, scored against the others",
        "the references of these runs",
        measured=True,
    )
