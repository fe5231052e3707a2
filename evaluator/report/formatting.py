"""How numbers are printed: scores, intervals, ranks, coverage, speed, cost and p-values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from evaluator.comparison.comparison import Comparison
from evaluator.core import Results, Score
from evaluator.core.dollars import format_dollars
from evaluator.core.results import WithInterval

NOT_COMPUTED = "not computed"


def format_points(score: WithInterval) -> str:
    return f"{score.points:.1f}"


def format_interval(score: Score) -> str:
    """In points, as in `143.6–147.6`."""
    low, high = score.interval_points
    return f"{low:.1f}–{high:.1f}"


def format_rank(ranks: tuple[int, int] | None) -> str:
    """The ranks that a run may have.

    >>> format_rank((1, 1)), format_rank((2, 3)), format_rank(None)
    ('1', '2–3', '')
    """
    return "" if ranks is None else str(ranks[0]) if ranks[0] == ranks[1] else f"{ranks[0]}–{ranks[1]}"


def format_coverage(results: Results) -> str:
    """In per cent, rounded down: only a run with all captions has 100.00 %."""
    return f"{math.floor(10_000 * results.coverage + 1e-9) / 100:.2f} %"


def format_damage(results: Results) -> str:
    """The share of the captions that the largest finding is about; empty for none."""
    share = max((finding.share for finding in results.findings), default=0.0)
    return "" if not share else f"{100 * share:.0f} %" if share >= 0.01 else "< 1 %"


def format_speed(results: Results) -> str:
    """Images per second, empty where that is not known."""
    rate = results.images_per_second
    return "" if rate is None else f"{rate:.1f}" if rate < 100 else f"{rate:.0f}"


def format_load(results: Results) -> str:
    """The seconds that loading the model took, empty where that is not known."""
    return "" if results.seconds_to_load is None else f"{results.seconds_to_load:.1f} s"


def format_memory(results: Results) -> str:
    """The peak of the memory in gigabytes (10^9 bytes), empty where that is not known."""
    return "" if results.peak_memory is None else f"{results.peak_memory / 1e9:.2f} GB"


def format_cost(results: Results) -> str:
    """In US dollars, empty where that is not known."""
    return "" if results.cost_usd is None else format_dollars(results.cost_usd)


# What stands beside the scores of a run.
QUANTITIES: Mapping[str, Callable[[Results], str]] = MappingProxyType(
    {
        "coverage": format_coverage,
        "images/s": format_speed,
        "load": format_load,
        "memory": format_memory,
        "cost": format_cost,
    }
)


def format_confidence(results: Results) -> str:
    return f"{100 * results.confidence:g} %"


def format_confidences(comparison: Comparison) -> str:
    """The confidence of the intervals: `95 %`, or that of each run where they differ."""
    return " or ".join(sorted({format_confidence(row.results) for row in comparison.rows}))


def format_digits(number: float) -> str:
    """One decimal, or as many as a small number needs not to look like zero.

    >>> format_digits(8.04), format_digits(-20.0), format_digits(0.0123), format_digits(0.0)
    ('8.0', '−20.0', '0.012', '0.0')
    """
    text = f"{number:.1f}" if abs(number) >= 0.05 or number == 0.0 else f"{number:.2g}"
    return text.replace("-", "−")
