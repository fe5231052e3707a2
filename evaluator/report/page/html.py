"""One self-contained page about some runs: the summary, the leaderboard, plots, a gallery, how it was made.

The page loads nothing but, where that was asked for, the pictures in the folder beside it: its
Content-Security-Policy allows these, pictures within the page, its own style and its own script (both by
their hash, W3C CSP level 3), so that no caption can do more than be read. The images' texts lie in it packed,
and its script unpacks them.

    write_report(compare([Path("runs/demo-tiny-git-none")]), Path("report.html"))
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from evaluator.comparison.comparison import Comparison, listed
from evaluator.core.errors import StoreError
from evaluator.core.metrics import metric_of
from evaluator.report.formatting import (
    NOT_COMPUTED,
    format_confidences,
    format_interval,
    format_points,
)
from evaluator.report.leaderboard import (
    WHISKER_WIDTH,
    leaderboard_rows,
    notes,
    with_shown_metrics,
)
from evaluator.report.origins import (
    HEADINGS,
    origins,
    shared_facts,
    signatures,
)
from evaluator.report.page.agreement import agreement, format_coefficient
from evaluator.report.page.breakdown import breakdown
from evaluator.report.page.embedding import breakable, breakable_name, policy, visible
from evaluator.report.page.gallery import gallery
from evaluator.report.page.lengths import length_plot
from evaluator.report.page.pictures import pictures_beside, pictures_within
from evaluator.report.page.plots import intervals_plots, trade_off_plots
from evaluator.report.page.sections import Images, Leaderboard, Origins, Page, Plots
from evaluator.report.redact import redact_paths
from evaluator.report.summary import summarize
from evaluator.report.text.table import MARK
from evaluator.version import __version__

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"

# In this order they are one script.
SCRIPTS = ("table.js", "words.js", "gallery.js", "scatter.js", "report.js")

# Some 20 KB each: the page stays within what a mail takes.
PICTURES_WITHIN = 200


def write_report(
    comparison: Comparison,
    output: Path,
    pictures: int | Path = PICTURES_WITHIN,
    pages: Mapping[str, str] | None = None,
    with_images: bool = True,
) -> Path:
    """Write the page, whole or not at all. Raises StoreError.

    `pictures` is how many thumbnails the page holds at most, or a folder beside it for all of them; `pages`
    are addresses that runs are linked to, by their labels. `with_images=False` leaves the gallery out, as
    the index of a site does, whose runs have pages of their own.
    """
    comparison = comparison.best_first
    images = page_images(comparison, pictures) if with_images else None
    # What UTF-8 cannot hold, such as half of a surrogate pair, becomes a question mark.
    content = render(make_page(comparison, images, pages or {})).encode("utf-8", "replace")
    temporary = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(content)
            os.replace(temporary, output)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(
            f"cannot write the report {output}: {error.strerror}. Free space, correct the permissions, "
            "or type --output FILE for another file; the runs are kept"
        ) from error
    return output


def make_page(comparison: Comparison, images: Images | None, pages: Mapping[str, str]) -> Page:
    """Everything that the page says. Raises StoreError for a run that cannot be read."""
    return Page(
        title=title(comparison),
        image_counts=sorted({row.results.images for row in comparison.rows}),
        labels=[row.label for row in comparison.rows],
        confidence=format_confidences(comparison),
        summary=summarize(comparison),
        warnings=list(map(redact_paths, comparison.warnings)),
        leaderboard=page_leaderboard(comparison, pages),
        plots=Plots(
            intervals_plots(comparison),
            trade_off_plots(comparison),
            length_plot(comparison),
            agreement(comparison),
            breakdown(comparison),
        ),
        images=images,
        origins=Origins(shared_facts(comparison), origins(comparison), signatures(comparison)),
    )


def page_images(comparison: Comparison, pictures: int | Path) -> Images:
    shown = gallery(comparison)
    rendered = (
        pictures_within(shown, pictures) if isinstance(pictures, int) else pictures_beside(shown, pictures)
    )
    metric, (first, *others) = comparison.lead_metric, comparison.rows
    runs_differ = bool(metric and others) and (
        comparison.pairs.difference(metric or "", first.index, others[0].index) is not None
    )
    return Images(shown, rendered, runs_differ)


def page_leaderboard(comparison: Comparison, pages: Mapping[str, str]) -> Leaderboard:
    shown, lead = with_shown_metrics(comparison), comparison.lead_metric
    return Leaderboard(
        rows=leaderboard_rows(shown),
        metrics=shown.metrics,
        lead=lead,
        meaning=metric_of(lead).meaning if lead else "",
        higher_is_better={metric: comparison.higher_is_better(metric) for metric in shown.metrics},
        pages=pages,
        is_ranked=any(map(comparison.rank, comparison.rows)),
        has_costs=any(row.results.cost_usd is not None for row in comparison.rows),
        notes=list(map(redact_paths, notes(comparison))),
    )


def title(comparison: Comparison) -> str:
    """The runs, and what they captioned: the data set's name, with its split where it has one."""
    names = []
    for row in comparison.rows:
        split = row.manifest.identity.get("data", {}).get("split")
        names.append(row.manifest.choices["data"] + (f", {split} split" if split else ""))
    what = comparison.rows[0].label if len(comparison.rows) == 1 else f"{len(comparison.rows)} runs"
    return f"{what} on {' and '.join(dict.fromkeys(names))}"


def render(page: Page) -> str:
    style, script = asset("report.css"), Markup("\n").join(map(asset, SCRIPTS))
    pictures_are_beside = page.images is not None and page.images.pictures.folder != ""
    return (
        environment()
        .get_template("report.html")
        .render(page=page, style=style, script=script, policy=policy(style, script, pictures_are_beside))
    )


def environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals |= {
        "headings": HEADINGS,
        "mark": MARK,
        "not_computed": NOT_COMPUTED,
        "version": __version__,
        "whisker_width": WHISKER_WIDTH,
    }
    templates.filters |= {
        "breakable": breakable,
        "breakable_name": breakable_name,
        "coefficient": format_coefficient,
        "interval": format_interval,
        "is_headline": lambda metric: metric_of(metric).headline,
        "listed": listed,
        "points": format_points,
        "thousands": lambda number: f"{number:,}",
        "zip": lambda one, other: zip(one, other, strict=True),
    }
    return templates


def asset(file_name: str) -> Markup:
    return Markup((TEMPLATES / file_name).read_text(encoding="utf-8"))
