"""Plots of the report as SVG, drawn here: nothing to load, sharp on paper, and readable without a script.

Each plot has a title and a description for readers who cannot see it; a table holds each of its numbers too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evaluator.comparison.comparison import Comparison, Row
from evaluator.core import Results, Score
from evaluator.core.metrics import metric_of
from evaluator.report.formatting import format_points

WIDTH = 460.0
LEFT, RIGHT, BOTTOM, TOP = 12.0, 12.0, 34.0, 10.0
ROW_HEIGHT = 26.0
LABEL_WIDTH = 130.0
HEIGHT = 240.0


@dataclass(frozen=True)
class Tick:
    """A position on an axis and its text."""

    position: float
    text: str


@dataclass(frozen=True)
class Bar:
    """A score with its interval, in pixels."""

    label: str
    text: str
    low: float
    value: float
    high: float
    y: float


@dataclass(frozen=True)
class Dot:
    """A run in a scatter plot, in pixels; `label_left` where there is no room on the right."""

    label: str
    x: float
    y: float
    title: str
    label_left: bool
    on_front: bool  # none is better on both axes


@dataclass(frozen=True)
class Intervals:
    """One metric's scores with their intervals on one axis."""

    title: str
    description: str
    height: float
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class TradeOff:
    """Quality against speed or cost."""

    title: str
    description: str
    x_name: str
    y_name: str
    dots: tuple[Dot, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def intervals_plots(comparison: Comparison) -> list[Intervals]:
    """The lead metric's first, then those of the other metrics whose intervals the table shows."""
    lead = comparison.lead_metric
    headline = [metric for metric in comparison.metrics if metric_of(metric).headline]
    wanted = dict.fromkeys([*([lead] if lead else []), *headline])
    return [plot for metric in wanted if (plot := intervals_plot(comparison, metric))]


def intervals_plot(comparison: Comparison, metric: str) -> Intervals | None:
    """None where fewer than two runs have this metric."""
    scored = [(row, score) for row in comparison.rows if (score := row.score(metric))]
    if len(scored) < 2:
        return None
    ends = [end for _, score in scored for end in score.interval_points]
    axis = Axis.of(ends, LABEL_WIDTH, WIDTH - RIGHT)
    bars = []
    for number, (row, score) in enumerate(scored):
        low, high = map(axis.position, score.interval_points)
        y = TOP + ROW_HEIGHT * (number + 0.5)
        bars.append(Bar(row.label, format_points(score), low, axis.position(score.points), high, y))
    height = TOP + ROW_HEIGHT * len(scored) + BOTTOM
    best, best_score = max(scored, key=lambda pair: pair[1].oriented)
    best_text = f"{best.label} ({format_points(best_score)})"
    description = f"{metric} of {len(scored)} runs with intervals; the best is {best_text}."
    return Intervals(f"{metric} with intervals", description, height, tuple(bars), axis.ticks())


def trade_off_plots(comparison: Comparison) -> list[TradeOff]:
    """Quality against speed and against cost, where two runs or more have them."""
    metric = comparison.lead_metric
    if metric is None:
        return []
    quantities: list[tuple[str, Callable[[Results], float | None], bool]] = [
        ("images/s", lambda results: results.images_per_second, True),
        ("US dollars", lambda results: results.cost_usd, False),
    ]
    plots = []
    for name, quantity, higher_is_better in quantities:
        points = [
            (row, score, value)
            for row in comparison.rows
            if (score := row.score(metric)) and (value := quantity(row.results)) is not None
        ]
        if len(points) > 1 and any(value for _, _, value in points):
            plots.append(trade_off_plot(points, metric, name, higher_is_better))
    return plots


def trade_off_plot(
    points: Sequence[tuple[Row, Score, float]], metric: str, name: str, higher_is_better: bool
) -> TradeOff:
    """Runs with their scores and what they cost, or how fast they were."""
    positive = [value for _, _, value in points if value]
    # Nothing has no logarithm: it lies left of everything that costs something.
    logs = [math.log10(value or min(positive) / 3) for _, _, value in points]
    x_axis = Axis.of(logs, LEFT + 44, WIDTH - RIGHT)
    y_axis = Axis.of([score.points for _, score, _ in points], HEIGHT - BOTTOM, TOP)
    both = [(score.oriented, value if higher_is_better else -value) for _, score, value in points]
    dots = []
    for (row, score, value), log, (quality, gain) in zip(points, logs, both, strict=True):
        is_beaten = any(other > quality and others_gain > gain for other, others_gain in both)
        x, y = x_axis.position(log), y_axis.position(score.points)
        title = f"{row.label}: {metric} {format_points(score)}, {value:.3g} {name}"
        dots.append(Dot(row.label, x, y, title, x > 0.65 * WIDTH, not is_beaten))
    front = ", ".join(dot.label for dot in dots if dot.on_front)
    description = (
        f"{metric} against {name} of {len(points)} runs. Runs that no other run beats on both: {front}."
    )
    x_ticks = tuple(
        Tick(x_axis.position(math.log10(value)), f"{value:g}") for value in round_powers(positive)
    )
    title = f"{metric} against {name}"
    return TradeOff(title, description, name, metric, tuple(dots), x_ticks, y_axis.ticks())


@dataclass(frozen=True)
class Axis:
    """From values to pixels, with some room at both ends."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def of(cls, values: Sequence[float], start: float, end: float) -> Axis:
        low, high = min(values), max(values)
        room = 0.08 * (high - low) or 0.5
        return cls(low - room, high + room, start, end)

    def position(self, value: float) -> float:
        return round(self.start + (self.end - self.start) * (value - self.low) / (self.high - self.low), 1)

    def ticks(self) -> tuple[Tick, ...]:
        """Three to six round numbers."""
        return tuple(Tick(self.position(value), f"{value:g}") for value in round_numbers(self.low, self.high))


def round_numbers(low: float, high: float) -> list[float]:
    """Round numbers between two values.

    >>> round_numbers(331.1, 374.4), round_numbers(0.02, 0.05)
    ([340.0, 350.0, 360.0, 370.0], [0.02, 0.03, 0.04, 0.05])
    """
    rough = (high - low) / 4
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.99)
    step = step / 2 if (high - low) / step < 3 and step / power not in (1,) else step
    first = math.ceil(round(low / step, 9))
    count = math.floor(round(high / step, 9)) - first + 1
    return [round((first + index) * step, 10) for index in range(count)]


def round_powers(values: Sequence[float]) -> list[float]:
    """1, 2 and 5 with powers of ten, from the lowest value to the highest.

    >>> round_powers([0.4, 7])
    [0.5, 1.0, 2.0, 5.0]
    """
    low, high = min(values), max(values)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), range(1, 10)):
        candidates = [round(factor * 10.0**power, 12) for power in powers for factor in factors]
        if len(inside := [value for value in candidates if low <= value <= high]) > 1:
            return inside
    return inside or [float(f"{low:.1g}")]
