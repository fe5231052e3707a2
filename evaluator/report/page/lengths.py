"""How long the captions and the references are: one small histogram for each run, all on one axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluator.audit.style import words
from evaluator.comparison.comparison import Comparison
from evaluator.core import Array
from evaluator.report.page.plots import LABEL_WIDTH, RIGHT, WIDTH, Axis

MOST_BINS = 40  # one per word where that is enough
ROW_HEIGHT = 38.0  # as in plots.html
HIGHEST = 28.0  # of the highest bar
REFERENCES = "references"


@dataclass(frozen=True)
class Histogram:
    """One histogram: its outline as an SVG path, and the position of its median."""

    label: str
    path: str
    base: float
    median: float
    description: str
    are_references: bool


@dataclass(frozen=True)
class LengthPlot:
    """The histograms, one under the other."""

    histograms: Sequence[Histogram]
    axis: Axis
    description: str


def length_plot(comparison: Comparison) -> LengthPlot | None:
    """None where no run has a caption of its own to show."""
    of_runs = {
        row.label: lengths(
            [text for caption in row.run.captions.values() if (text := caption.text) is not None]
        )
        for row in comparison.rows
    }
    if not any(map(len, of_runs.values())):
        return None
    # Only of one data set: of several, each run has references of its own.
    items = comparison.rows[0].run.items if comparison.same_data else []
    references = lengths([text for item in items for text in item.references])
    rows = [(label, counts) for label, counts in [(REFERENCES, references), *of_runs.items()] if len(counts)]
    # The few captions of hundreds of words are counted at the right end.
    longest = max(float(np.quantile(counts, 0.995)) for _, counts in rows)
    step = max(1, int(np.ceil(longest / MOST_BINS)))
    edges = np.arange(0, longest + 2 * step, step, dtype=np.float64)
    axis = Axis(0.0, float(edges[-1]), LABEL_WIDTH, WIDTH - RIGHT)
    histograms = [
        histogram(label, counts, edges, axis, ROW_HEIGHT * (number + 1), references is counts)
        for number, (label, counts) in enumerate(rows)
    ]
    descriptions = "; ".join(f"{one.label}: {one.description}" for one in histograms)
    return LengthPlot(histograms, axis, f"Words per caption. {descriptions}.")


def lengths(texts: Sequence[str]) -> Array:
    """The number of words of each text."""
    return np.array([words(text) for text in texts], dtype=np.float64)


def histogram(
    label: str, lengths: Array, edges: Array, axis: Axis, base: float, are_references: bool
) -> Histogram:
    """The share of texts in each bin, as an outline of steps on `base`."""
    counts, _ = np.histogram(np.minimum(lengths, edges[-1] - 1e-9), edges)
    tops = base - HIGHEST * counts / counts.max()
    steps = [
        f"V{top:.1f}H{axis.position(float(end)):g}" for top, end in zip(tops.tolist(), edges[1:], strict=True)
    ]
    path = f"M{axis.position(0.0):g} {base:g}{''.join(steps)}V{base:g}Z"
    median = float(np.median(lengths))
    low, high = np.quantile(lengths, [0.05, 0.95]).tolist()
    description = f"median {median:g} words, 90 % have {low:g} to {high:g}"
    return Histogram(label, path, base, axis.position(min(median, axis.high)), description, are_references)
