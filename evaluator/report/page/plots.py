"""Plots of the report as SVG, drawn here: nothing to load, sharp on paper, and readable without a script.

Each plot has a title and a sentence for those who cannot see it; every number in it stands in a table too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evaluator.comparison.compare import Comparison, Row
from evaluator.report.text.comparison import is_headline, points

WIDTH = 460.0
LEFT, RIGHT, BOTTOM, TOP = 12.0, 12.0, 34.0, 10.0
ROW_HEIGHT = 26.0
LABEL_WIDTH = 130.0
HEIGHT = 240.0


@dataclass(frozen=True)
class Tick:
    """A place on an axis and what stands there."""

    place: float
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
    """A run in a plane, in pixels; `label_left` where there is no room on the right."""

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
    told: str
    height: float
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class Plane:
    """Quality against something that it costs."""

    title: str
    told: str
    x_name: str
    y_name: str
    dots: tuple[Dot, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def intervals_plots(comparison: Comparison) -> list[Intervals]:
    """The lead metric's first, then those of the other metrics whose intervals the table shows."""
    lead = comparison.lead_metric
    wanted = dict.fromkeys([lead, *(metric for metric in comparison.metrics if is_headline(metric))])
    plots = (intervals_plot(comparison, metric) for metric in wanted if metric)
    return [plot for plot in plots if plot]


def intervals_plot(comparison: Comparison, metric: str) -> Intervals | None:
    """None where fewer than two runs have an interval on this metric."""
    rows = [
        row
        for row in comparison.rows
        if None not in ((score := row.score(metric)).low, score.value, score.high)
    ]
    if len(rows) < 2:
        return None
    found = [row.score(metric) for row in rows]
    ends = [100 * (end or 0.0) for score in found for end in (score.low, score.high)]
    axis = Axis.of(ends, LABEL_WIDTH, WIDTH - RIGHT)
    bars = []
    for place, row in enumerate(rows):
        score = row.score(metric)
        low, value, high = (axis.place(100 * (end or 0.0)) for end in (score.low, score.value, score.high))
        bars.append(Bar(row.label, points(score), low, value, high, TOP + ROW_HEIGHT * (place + 0.5)))
    height = TOP + ROW_HEIGHT * len(rows) + BOTTOM
    best = max(rows, key=lambda row: row.score(metric).goodness)
    told = f"{metric} of {len(rows)} runs with intervals; {best.label} has {points(best.score(metric))}."
    return Intervals(f"{metric} with its interval", told, height, tuple(bars), axis.ticks())


def planes(comparison: Comparison) -> list[Plane]:
    """Quality against speed and against cost, as far as they are known of two runs or more."""
    metric = comparison.lead_metric
    if metric is None:
        return []
    found = []
    for name, value_of, better_high in (("images/s", _speed, True), ("US dollars", _cost, False)):
        known = {row.place: value for row in comparison.rows if (value := value_of(row)) is not None}
        rows = [row for row in comparison.rows if row.score(metric).computed and row.place in known]
        if len(rows) > 1 and any(known[row.place] for row in rows):
            found.append(plane(rows, metric, name, [known[row.place] for row in rows], better_high))
    return found


def _speed(row: Row) -> float | None:
    return row.results.images_per_second


def _cost(row: Row) -> float | None:
    return row.results.cost_usd


def plane(rows: Sequence[Row], metric: str, name: str, values: Sequence[float], better_high: bool) -> Plane:
    scores = [100 * (row.score(metric).value or 0.0) for row in rows]
    positive = [value for value in values if value]
    # Nothing has no logarithm: it lies left of all that costs something.
    logs = [math.log10(value or min(positive) / 3) for value in values]
    x_axis = Axis.of(logs, LEFT + 44, WIDTH - RIGHT)
    y_axis = Axis.of(scores, HEIGHT - BOTTOM, TOP)
    goods = [row.score(metric).goodness for row in rows]
    gains = [value if better_high else -value for value in values]
    dots = []
    for place, row in enumerate(rows):
        beaten = any(
            goods[other] > goods[place] and gains[other] > gains[place] for other in range(len(rows))
        )
        x, y = x_axis.place(logs[place]), y_axis.place(scores[place])
        title = f"{row.label}: {metric} {scores[place]:.1f}, {values[place]:.3g} {name}"
        dots.append(Dot(row.label, x, y, title, x > 0.65 * WIDTH, not beaten))
    front = ", ".join(dot.label for dot in dots if dot.on_front)
    told = f"{metric} against {name} of {len(rows)} runs. None is better on both than: {front}."
    x_ticks = tuple(Tick(x_axis.place(math.log10(value)), f"{value:g}") for value in round_powers(positive))
    return Plane(f"{metric} against {name}", told, name, metric, tuple(dots), x_ticks, y_axis.ticks())


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

    def place(self, value: float) -> float:
        return round(self.start + (self.end - self.start) * (value - self.low) / (self.high - self.low), 1)

    def ticks(self) -> tuple[Tick, ...]:
        """Three to six round numbers."""
        return tuple(Tick(self.place(value), f"{value:g}") for value in round_numbers(self.low, self.high))


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
    return [round((first + place) * step, 10) for place in range(count)]


def round_powers(values: Sequence[float]) -> list[float]:
    """1, 2 and 5 with powers of ten, from the least of the values to the greatest.

    >>> round_powers([0.4, 7])
    [0.5, 1.0, 2.0, 5.0]
    """
    low, high = min(values), max(values)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), range(1, 10)):
        found = [round(factor * 10.0**power, 12) for power in powers for factor in factors]
        if len(inside := [value for value in found if low <= value <= high]) > 1:
            return inside
    return inside or [float(f"{low:.1g}")]
