"""How long the captions are beside the references: one small histogram for each run, all on one axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluator.comparison.compare import Comparison
from evaluator.core import Array
from evaluator.report.page.plots import LABEL_WIDTH, RIGHT, WIDTH, Axis, Tick
from evaluator.scorers.style import words

BINS = 40  # at most; a word each where that is enough
ROW = 38.0
HILL = 28.0  # of the highest bar
FOOT = 34.0
REFERENCES = "references"


@dataclass(frozen=True)
class Hill:
    """One histogram: its outline as an SVG path, and where its median lies."""

    label: str
    path: str
    base: float
    median: float
    told: str
    are_references: bool


@dataclass(frozen=True)
class LengthPlot:
    """The histograms, one under the other."""

    hills: tuple[Hill, ...]
    ticks: tuple[Tick, ...]
    height: float
    told: str


def length_plot(comparison: Comparison) -> LengthPlot | None:
    """None where no run has a caption of its own to show."""
    found: dict[str, Array] = {}
    for row in comparison.rows:
        said = (caption.text for caption in row.run.captions().values())
        found[row.label] = lengths([text for text in said if text is not None])
    # Of one data set; those of several belong to some of the runs each.
    same_data = len({row.manifest["dataset_digest"] for row in comparison.rows}) == 1
    items = comparison.rows[0].run.items() if same_data else []
    references = lengths([text for item in items for text in item.references])
    rows = [(REFERENCES, references), *found.items()]
    rows = [(label, counted) for label, counted in rows if len(counted)]
    if not any(len(counted) for counted in found.values()):
        return None
    # The few that ramble on for hundreds of words stand together at the right end.
    longest = max(float(np.quantile(counted, 0.995)) for _, counted in rows)
    step = max(1, int(np.ceil(longest / BINS)))
    edges = np.arange(0, longest + 2 * step, step, dtype=np.float64)
    axis = Axis(0.0, float(edges[-1]), LABEL_WIDTH, WIDTH - RIGHT)
    hills = tuple(
        hill(label, counted, edges, axis, ROW * (place + 1), references is counted)
        for place, (label, counted) in enumerate(rows)
    )
    told = "; ".join(f"{one.label}: {one.told}" for one in hills)
    return LengthPlot(hills, axis.ticks(), ROW * len(rows) + FOOT, f"Words a caption. {told}.")


def lengths(texts: Sequence[str]) -> Array:
    """The number of words of each text."""
    return np.array([words(text) for text in texts], dtype=np.float64)


def hill(label: str, counted: Array, edges: Array, axis: Axis, base: float, are_references: bool) -> Hill:
    """The share of texts in each bin, as an outline of steps on `base`."""
    counts, _ = np.histogram(np.minimum(counted, edges[-1] - 1e-9), edges)
    tops = base - HILL * counts / counts.max()
    steps = [
        f"V{top:.1f}H{axis.place(float(end)):g}" for top, end in zip(tops.tolist(), edges[1:], strict=True)
    ]
    path = f"M{axis.place(0.0):g} {base:g}{''.join(steps)}V{base:g}Z"
    middle = float(np.median(counted))
    low, high = np.quantile(counted, [0.05, 0.95]).tolist()
    told = f"median {middle:g} words, nine in ten have {low:g} to {high:g}"
    return Hill(label, path, base, axis.place(min(middle, axis.high)), told, are_references)
