"""The table of how scores differ between several captions of the same image."""

from __future__ import annotations

from evaluator.comparison.comparison import Comparison
from evaluator.core import DrawSpread, Score
from evaluator.core.metrics import in_points, metric_of
from evaluator.report.text.table import Cell, TextTable

HEADINGS = (
    *("run (metric)", "captions", "mean", "by draw", "best of them"),
    *("sd between captions", "sd between images"),
)


def draws_table(comparison: Comparison) -> TextTable | None:
    """Of each headline metric; None where every run has one caption per image."""
    rows = [
        [Cell(row.label, spread.name), *map(Cell, texts(spread, score))]
        for row in comparison.rows
        for score in row.run.results.scores  # over the run's own images, as its spread
        for spread in row.run.results.draws
        if spread.name == score.name
        if metric_of(spread.name).headline or spread.name in comparison.headline
    ]
    if not rows:
        return None
    caption = (
        "several captions per image, in points: scores are means over them; by draw: the lowest and the "
        "highest score of one caption per image; best of them: each image with the caption that the metric "
        "likes best"
    )
    return TextTable(list(HEADINGS), rows, caption, wrapping=HEADINGS[-2:])


def texts(spread: DrawSpread, score: Score) -> tuple[str, ...]:
    low, high = in_points(spread.lowest), in_points(spread.highest)
    deviations = (in_points(spread.between_draws), in_points(spread.between_images))
    return (
        f"{spread.captions_per_image}",
        f"{score.points:.1f}",
        f"{low:.1f} to {high:.1f}",
        f"{in_points(spread.best):.1f}",
        *(f"{deviation:.1f}" for deviation in deviations),
    )
