"""Plots of the report as SVG, drawn here: nothing to load, sharp on paper, and readable without a script.

Each plot has a title and a description for readers who cannot see it; a table holds each of its numbers too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evaluator.comparison.comparison import Comparison, Row
from evaluator.core import Score
from evaluator.report.formatting import format_points

# In pixels, as in the template.
WIDTH, HEIGHT = 460.0, 240.0
LEFT, RIGHT, BOTTOM, TOP = 12.0, 12.0, 34.0, 10.0
LABEL_WIDTH = 130.0
WHISKER_WIDTH = 88
WHISKER_MARGIN = 4  # leaves room for the dot

Tick = tuple[float, str]  # a position on an axis and its text


@dataclass(frozen=True)
class Axis:
    """From values to pixels."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def of(cls, values: Sequence[float], start: float, end: float) -> Axis:
        """With some room at both ends."""
        low, high = min(values), max(values)
        room = 0.08 * (high - low) or 0.5
        return cls(low - room, high + room, start, end)

    def position(self, value: float) -> float:
        width = (self.high - self.low) or 1.0
        return round(self.start + (self.end - self.start) * (value - self.low) / width, 1)

    def ticks(self) -> list[Tick]:
        """Three to six round numbers."""
        return [(self.position(value), f"{value:g}") for value in round_numbers(self.low, self.high)]


@dataclass(frozen=True)
class Intervals:
    """One metric's scores with their intervals on one axis."""

    metric: str
    scored: Sequence[tuple[Row, Score]]
    axis: Axis
    description: str


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
class TradeOff:
    """Quality against speed or cost."""

    title: str
    description: str
    x_name: str
    dots: Sequence[Dot]
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]


def whisker_axis(scores: Sequence[Score]) -> Axis | None:
    """The scale that the intervals of one column share; None where there are not two to compare."""
    ends = [end for score in scores for end in (score.low, score.value, score.high)]
    end = WHISKER_WIDTH - WHISKER_MARGIN
    return Axis(min(ends), max(ends), WHISKER_MARGIN, end) if len(scores) > 1 else None


def intervals_plots(comparison: Comparison) -> list[Intervals]:
    """The lead metric's first, then those of the other metrics whose intervals the table shows."""
    wanted = dict.fromkeys(filter(None, [comparison.lead_metric, *comparison.headline]))
    return [plot for metric in wanted if (plot := intervals_plot(comparison, metric))]


def intervals_plot(comparison: Comparison, metric: str) -> Intervals | None:
    """None where fewer than two runs have this metric."""
    scored = [(row, score) for row in comparison.rows if (score := row.score(metric))]
    if len(scored) < 2:
        return None
    ends = [end for _, score in scored for end in score.interval_points]
    best, best_score = comparison.scored(metric)[0]
    best_text = f"{best.label} ({format_points(best_score)})"
    description = f"{metric} of {len(scored)} runs with intervals; the best is {best_text}."
    return Intervals(metric, scored, Axis.of(ends, LABEL_WIDTH, WIDTH - RIGHT), description)


def trade_off_plots(comparison: Comparison) -> list[TradeOff]:
    """Quality against speed and against cost, where two runs or more have them."""
    metric = comparison.lead_metric
    if metric is None:
        return []
    plots = []
    for name, field, sign in (("images/s", "images_per_second", 1), ("US dollars", "cost_usd", -1)):
        points = [
            (row, score, value)
            for row in comparison.rows
            if (score := row.score(metric)) and (value := getattr(row.results, field)) is not None
        ]
        if len(points) > 1 and any(value for _, _, value in points):
            plots.append(trade_off_plot(points, metric, name, sign))
    return plots


def trade_off_plot(points: Sequence[tuple[Row, Score, float]], metric: str, name: str, sign: int) -> TradeOff:
    """`sign` is -1 where a lower value is better."""
    positive = [value for _, _, value in points if value]
    # Nothing has no logarithm: it lies left of everything that costs something.
    logs = [math.log10(value or min(positive) / 3) for _, _, value in points]
    x_axis = Axis.of(logs, LEFT + 44, WIDTH - RIGHT)
    y_axis = Axis.of([score.points for _, score, _ in points], HEIGHT - BOTTOM, TOP)
    both = [(score.oriented, sign * value) for _, score, value in points]
    dots = []
    for (row, score, value), log, (quality, gain) in zip(points, logs, both, strict=True):
        is_beaten = any(other > quality and others_gain > gain for other, others_gain in both)
        x, y = x_axis.position(log), y_axis.position(score.points)
        title = f"{row.label}: {metric} {format_points(score)}, {value:.3g} {name}"
        dots.append(Dot(row.label, x, y, title, x > 0.65 * WIDTH, not is_beaten))
    title = f"{metric} against {name}"
    front = ", ".join(dot.label for dot in dots if dot.on_front)
    description = f"{title} of {len(points)} runs. Runs that no other run beats on both: {front}."
    x_ticks = [(x_axis.position(math.log10(value)), f"{value:g}") for value in round_powers(positive)]
    return TradeOff(title, description, name, dots, x_ticks, y_axis.ticks())


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
