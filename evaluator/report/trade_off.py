"""One sentence on quality against cost and speed: which run comes close to the best one for less."""

from __future__ import annotations

from dataclasses import dataclass

from evaluator.comparison.comparison import Comparison, Row
from evaluator.core import Results
from evaluator.core.dollars import format_dollars

# A run that is worth naming has this share of the best score, and costs or takes this share at most.
LEAST_QUALITY = 0.5
MOST_SPENT = 0.8


@dataclass(frozen=True)
class Alternative:
    """Another run than the best, as shares of the best run's score, cost and time; None: not known."""

    row: Row
    quality: float
    cost: float | None
    time: float | None

    @property
    def spends_less(self) -> bool:
        """Whether it is cheaper; of runs without known costs, whether it is faster."""
        spent = self.time if self.cost is None else self.cost
        return spent is not None and spent <= MOST_SPENT


def trade_off_sentence(comparison: Comparison) -> str | None:
    """None where no run is nearly as good for less, or where scores cannot be divided."""
    metric = comparison.lead_metric
    if not metric or not comparison.is_comparable(metric) or not comparison.higher_is_better(metric):
        return None
    (best, best_score), *others = comparison.scored(metric)
    if best_score.value <= 0:
        return None
    alternatives = [
        Alternative(
            row,
            score.value / best_score.value,
            ratio(row.results.cost_usd, best.results.cost_usd),
            ratio(best.results.images_per_second, row.results.images_per_second),
        )
        for row, score in others
    ]
    worthwhile = [one for one in alternatives if one.spends_less and one.quality >= LEAST_QUALITY]
    if not worthwhile:
        return None
    chosen = max(worthwhile, key=lambda one: one.quality)
    cost, time = cost_clause(chosen, best.results), time_clause(chosen)
    return f"{chosen.row.label} has {per_cent(chosen.quality)} of {best.label}’s {metric}{cost}{time}."


def cost_clause(chosen: Alternative, best: Results) -> str:
    cost, of_best = chosen.row.results.cost_usd, best.cost_usd
    if chosen.cost is None or cost is None or of_best is None:
        return ""
    amounts = f"{format_dollars(cost)} instead of {format_dollars(of_best)}"
    return f" at {per_cent(chosen.cost)} of its cost ({amounts})"


def time_clause(chosen: Alternative) -> str:
    if chosen.time is None or chosen.time > MOST_SPENT:
        return ""
    return f", and is {1 / chosen.time:.1f} times as fast"


def ratio(part: float | None, whole: float | None) -> float | None:
    """A share, where both numbers are known.

    >>> ratio(1.0, 4.0), ratio(1.0, None), ratio(1.0, 0.0)
    (0.25, None, None)
    """
    return None if part is None or not whole else part / whole


def per_cent(share: float) -> str:
    """With as many digits as a share needs not to look like all or nothing.

    >>> per_cent(0.976), per_cent(0.9968), per_cent(0.0412), per_cent(0.004), per_cent(0.0)
    ('98 %', '99.7 %', '4 %', '0.4 %', '0 %')
    """
    points = 100 * share
    is_whole = 1 <= points < 99.5 or points in (0, 100)
    return f"{points:.0f} %" if is_whole else f"{points:.1f} %" if points >= 0.1 else "less than 0.1 %"
