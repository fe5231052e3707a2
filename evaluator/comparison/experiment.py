"""A sweep read as an experiment: how much each model or prompt adds on average, and whether ranks hold.

A factor is a group of choices that differs between the runs: data, model or prompt. The main effect of a
choice is the mean score of its runs minus the mean of all runs. Whether one choice beats another is tested
under each combination of the other factors, with the comparison's own paired tests.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

from evaluator.comparison.comparison import Comparison, Row
from evaluator.config.identity import IDENTITY_GROUPS
from evaluator.core import Score
from evaluator.core.metrics import in_points

TIED = 0.05  # a smaller difference in points prints as 0.0


@dataclass(frozen=True)
class Effect:
    """One choice of a factor: the mean of its runs, and its distance from the mean of all, in points."""

    factor: str
    choice: str
    mean: float
    effect: float
    runs: int


@dataclass(frozen=True)
class Contest:
    """Two choices of a factor under each combination of the others; `first` wins at least as often.

    Scores whose difference prints as 0.0 points are tied, unless it is significant: nobody wins.
    """

    factor: str
    first: str
    second: str
    wins: int  # of the first
    ties: int
    significant_wins: int
    significant_losses: int
    contests: int

    def __str__(self) -> str:
        conditions = "condition" if self.contests == 1 else "conditions"
        if self.ties == self.contests:
            return (
                f"{self.first} and {self.second} are tied under {self.ties} of {self.contests} {conditions}"
            )
        significant = (
            f", significantly under {self.significant_wins}"
            if self.significant_wins
            else ", never significantly"
        )
        against = (
            f" ({self.second} significantly under {self.significant_losses})"
            if self.significant_losses
            else ""
        )
        tied = f", tied under {self.ties}" if self.ties else ""
        return (
            f"{self.first} beats {self.second} under {self.wins} of {self.contests} {conditions}"
            f"{tied}{significant}{against}"
        )


def choices(row: Row) -> dict[str, str]:
    return {factor: row.manifest.choices.get(factor, "") for factor in IDENTITY_GROUPS}


def factors(comparison: Comparison) -> list[str]:
    """The groups whose choice differs between the runs."""
    return [
        factor for factor in IDENTITY_GROUPS if len({choices(row)[factor] for row in comparison.rows}) > 1
    ]


def main_effects(comparison: Comparison, metric: str) -> list[Effect]:
    """For each factor its choices, the best first."""
    scored = comparison.scored(metric)
    overall = fmean(score.points for _, score in scored)
    effects: list[Effect] = []
    for factor in factors(comparison):
        points_of: defaultdict[str, list[float]] = defaultdict(list)
        for row, score in scored:
            points_of[choices(row)[factor]].append(score.points)
        of_factor = [
            Effect(factor, choice, fmean(points), fmean(points) - overall, len(points))
            for choice, points in points_of.items()
        ]
        higher_is_better = scored[0][1].higher_is_better
        effects += sorted(of_factor, key=lambda effect: effect.effect, reverse=higher_is_better)
    return effects


def contests(comparison: Comparison, metric: str) -> list[Contest]:
    """Each pair of choices of each factor, under the conditions that both were run in."""
    scored = comparison.scored(metric)
    results: list[Contest] = []
    for factor in factors(comparison):
        by_condition: defaultdict[tuple[str, ...], dict[str, tuple[Row, Score]]] = defaultdict(dict)
        for row, score in scored:
            condition = tuple(choice for group, choice in choices(row).items() if group != factor)
            by_condition[condition][choices(row)[factor]] = row, score
        names = list(dict.fromkeys(choices(row)[factor] for row, _ in scored))
        for pair in combinations(names, 2):
            met = [
                [runs[name] for name in pair] for runs in by_condition.values() if set(pair) <= runs.keys()
            ]
            if met:
                results.append(_contest(comparison, metric, factor, pair, met))
    return results


def _contest(
    comparison: Comparison,
    metric: str,
    factor: str,
    pair: tuple[str, str],
    met: Sequence[Sequence[tuple[Row, Score]]],
) -> Contest:
    wins, significant = [0, 0], [0, 0]
    for (one, score), (other, score_of_other) in met:
        lead = in_points(score.oriented - score_of_other.oriented)
        is_significant = comparison.pairs.is_significant(metric, one.index, other.index)
        if is_significant or abs(lead) >= TIED:
            winner = 0 if lead > 0 else 1
            wins[winner] += 1
            significant[winner] += is_significant
    first = 0 if wins[0] >= wins[1] else 1
    second = 1 - first
    return Contest(
        factor=factor,
        first=pair[first],
        second=pair[second],
        wins=wins[first],
        ties=len(met) - sum(wins),
        significant_wins=significant[first],
        significant_losses=significant[second],
        contests=len(met),
    )
