"""A sweep read as an experiment: what a model or a prompt is worth on average, and whether ranks hold.

A factor is a group of choices that differs between the runs: data, model or prompt. Its main effect is how
far the mean of the runs with one choice lies from the mean of all. Whether one choice beats another is asked
under each combination of the other factors, with the comparison's own paired tests.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

from evaluator.comparison.compare import Comparison, Row

FACTORS = ("data", "model", "prompt")


@dataclass(frozen=True)
class Effect:
    """One choice of a factor: the mean of its runs, and how far that is from the mean of all, in points."""

    factor: str
    choice: str
    mean: float
    effect: float
    runs: int


@dataclass(frozen=True)
class Contest:
    """Two choices of a factor under each combination of the others."""

    factor: str
    first: str
    second: str
    wins: int  # of the first
    sure_wins: int  # beyond doubt
    sure_losses: int
    contests: int

    def __str__(self) -> str:
        if 2 * self.wins < self.contests:
            return str(self.turned)
        sure = f", beyond doubt under {self.sure_wins}" if self.sure_wins else ", never beyond doubt"
        against = f" ({self.second} beyond doubt under {self.sure_losses})" if self.sure_losses else ""
        others = "condition" if self.contests == 1 else "conditions"
        return (
            f"{self.first} beats {self.second} under {self.wins} of {self.contests} {others}{sure}{against}"
        )

    @property
    def turned(self) -> Contest:
        losses = self.contests - self.wins
        return Contest(
            self.factor, self.second, self.first, losses, self.sure_losses, self.sure_wins, self.contests
        )


def choices(row: Row) -> dict[str, str]:
    return {factor: row.manifest["choices"].get(factor, "") for factor in FACTORS}


def factors(comparison: Comparison) -> list[str]:
    """The groups whose choice differs between the runs."""
    return [factor for factor in FACTORS if len({choices(row)[factor] for row in comparison.rows}) > 1]


def main_effects(comparison: Comparison, metric: str) -> list[Effect]:
    """For each factor its choices, the best first."""
    rows = comparison.ranked(metric)
    everything = fmean(points(row, metric) for row in rows)
    found = []
    for factor in factors(comparison):
        of_choice: defaultdict[str, list[float]] = defaultdict(list)
        for row in rows:
            of_choice[choices(row)[factor]].append(points(row, metric))
        effects = [
            Effect(factor, choice, fmean(values), fmean(values) - everything, len(values))
            for choice, values in of_choice.items()
        ]
        better_high = rows[0].score(metric).higher_is_better
        found += sorted(effects, key=lambda effect: effect.effect, reverse=better_high)
    return found


def contests(comparison: Comparison, metric: str) -> list[Contest]:
    """Each pair of choices of each factor, under the conditions that both were run in."""
    found = []
    rows = comparison.ranked(metric)
    for factor in factors(comparison):
        by_condition: defaultdict[tuple[str, ...], dict[str, Row]] = defaultdict(dict)
        for row in rows:
            condition = tuple(choice for group, choice in choices(row).items() if group != factor)
            by_condition[condition][choices(row)[factor]] = row
        names = list(dict.fromkeys(choices(row)[factor] for row in rows))
        for first, second in combinations(names, 2):
            pairs = [(of[first], of[second]) for of in by_condition.values() if first in of and second in of]
            if pairs:
                found.append(_contest(comparison, metric, factor, first, second, pairs))
    return found


def _contest(
    comparison: Comparison, metric: str, factor: str, first: str, second: str, pairs: list[tuple[Row, Row]]
) -> Contest:
    wins = sure_wins = sure_losses = 0
    for one, other in pairs:
        wins += one.score(metric).goodness > other.score(metric).goodness
        difference = comparison.contrasts.difference(metric, one.place, other.place)
        if difference is None:
            continue
        p_value = comparison.contrasts.p_value(metric, one.place, other.place)
        if p_value < 1 - comparison.contrasts.confidence:
            sure_wins += difference.gain > 0
            sure_losses += difference.gain < 0
    return Contest(factor, first, second, wins, sure_wins, sure_losses, len(pairs))


def points(row: Row, metric: str) -> float:
    return 100 * (row.score(metric).value or 0.0)


def markdown(comparison: Comparison) -> str:
    """Main effects as a table, contests as a list; empty where nothing was varied."""
    metric = comparison.lead_metric
    if metric is None or not factors(comparison):
        return ""
    lines = [f"| factor | choice | mean {metric} | effect | runs |", "|---|---|---|---|---|"]
    lines += [
        f"| {effect.factor} | {effect.choice} | {effect.mean:.1f} | {effect.effect:+.1f} | {effect.runs} |"
        for effect in main_effects(comparison, metric)
    ]
    lines += ["", *(f"- {contest}" for contest in contests(comparison, metric))]
    return "\n".join(lines) + "\n"
