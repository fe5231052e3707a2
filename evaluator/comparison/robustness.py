"""What perturbed pictures cost: each run beside the same run over the pictures as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evaluator.comparison.comparison import Comparison, Row
from evaluator.core.perturbation import Perturbation, perturbation_from


@dataclass(frozen=True)
class Drop:
    """A perturbed run, and what its scores are above (+) or below (-) those of the plain run, in points."""

    row: Row
    plain: Row
    perturbation: Perturbation
    differences: Mapping[str, float]  # by metric, of those that both runs have


def drops(comparison: Comparison) -> list[Drop]:
    """Of each perturbed run whose plain run is compared too, by kind and severity."""
    plain = {key_of(row): row for row in comparison.rows if perturbation_of(row) is None}
    found = []
    for row in comparison.rows:
        perturbation = perturbation_of(row)
        if perturbation is None or (other := plain.get(key_of(row))) is None:
            continue
        pairs = [(score, other.score(score.name)) for score in row.results.scores]
        differences = {score.name: score.points - before.points for score, before in pairs if before}
        found.append(Drop(row, other, perturbation, differences))
    return sorted(found, key=lambda drop: (drop.plain.index, drop.perturbation))


def perturbation_of(row: Row) -> Perturbation | None:
    return perturbation_from(row.manifest.identity.get("data", {}).get("perturb"))


def key_of(row: Row) -> str:
    """All that is the same of a run and the same run over perturbed pictures."""
    identity: dict[str, Any] = {group: dict(options) for group, options in row.manifest.identity.items()}
    identity.get("data", {}).pop("perturb", None)
    return repr((identity, row.results.images, row.manifest.dataset_digest))
