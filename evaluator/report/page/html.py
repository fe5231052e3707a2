"""One self-contained page about some runs: the summary, the leaderboard, plots, a gallery, how it was made.

The page loads nothing but, where that was asked for, the pictures in the folder beside it: its
Content-Security-Policy allows these, pictures within the page, its own style and its own script (both by
their hash, W3C CSP level 3), so that no caption can do more than be read. The images' texts lie in it packed,
and its script unpacks them.

    write_report(compare([Path("runs/demo-tiny-git-none")]), Path("report.html"))
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from evaluator.arena.voted import NO_VOTES, Voted, voted_on
from evaluator.comparison.by_tag import breakdown
from evaluator.comparison.comparison import Comparison, listed
from evaluator.comparison.metric_agreement import agreement, format_coefficient
from evaluator.core.dollars import format_dollars
from evaluator.core.errors import StoreError
from evaluator.files.atomic import replace_file
from evaluator.files.hand_marks import HandMark, tally
from evaluator.report import formatting
from evaluator.report.leaderboard import leaderboard_rows, notes
from evaluator.report.origins import HEADINGS, origins, shared_facts, signatures
from evaluator.report.page.columns import AMOUNTS, columns
from evaluator.report.page.embedded_images import embedded_images
from evaluator.report.page.embedding import breakable, policy, shortened, visible
from evaluator.report.page.filters import number_filters, places
from evaluator.report.page.frame import Frame
from evaluator.report.page.gallery import Gallery, gallery
from evaluator.report.page.lengths import length_plot
from evaluator.report.page.named_folders import common_folder
from evaluator.report.page.pictures import WIDTH, Pictures, pictures_beside, pictures_within
from evaluator.report.page.plots import WHISKER_WIDTH, intervals_plots, trade_off_plots, whisker_axis
from evaluator.report.page.votes import votes_section
from evaluator.report.ratings import (
    format_rating,
    format_rating_interval,
    format_votes,
    rating_columns,
    rating_notes,
)
from evaluator.report.redact import redacted
from evaluator.report.summary import summarize
from evaluator.report.text.draws import draws_table
from evaluator.report.text.table import MARK
from evaluator.version import __version__

if TYPE_CHECKING:
    from jinja2 import Environment

logger = logging.getLogger(__name__)

TEMPLATES = Path(__file__).parent / "templates"
BROWSER_SCRIPTS = Path(__file__).parent / "scripts"

# In this order they are one script: data first, then what draws it, then what connects the two.
SCRIPTS = (
    *("words.js", "gallery.js", "questions.js", "marks.js", "exports.js"),
    *("elements.js", "captions.js", "blocks.js", "cards.js", "matrix.js", "thumbnails.js", "lightbox.js"),
    *("scatter.js", "spotlight.js", "table.js", "choices.js", "site_index.js", "report.js"),
)
STYLES = ("page.css", "images.css")

# As many colours as page.css has; further runs use them again.
COLOURS = 12

# Some 60 KB each: the page stays within what a mail takes.
PICTURES_WITHIN = 200


def write_report(
    comparison: Comparison,
    output: Path | str,
    pictures: int | Path = PICTURES_WITHIN,
    *,
    picture_folders: Sequence[Path] = (),
    picture_width: int = WIDTH,
    marks: Sequence[HandMark] = (),
    votes: Sequence[Path] | None = None,
) -> Path:
    """Write the page, whole or not at all. Raises StoreError, and DataError for votes that cannot be used.

    `pictures` is how many pictures the page holds at most, or a folder beside it for all of them. Runs that
    were read from their folders show only pictures below `picture_folders`, unless they were made on this
    machine. `marks` are what a person thinks of single captions. `votes` are files of the arena; those
    beside the runs are found.
    """
    comparison, output = comparison.best_first, Path(output)
    voted = voted_on(comparison, votes)
    for warning in voted.warnings:
        logger.warning("%s", warning)
    shown = gallery(comparison, picture_folders, marks)
    if shown.withheld:
        warn_of_withheld(shown, output)
    if isinstance(pictures, int):
        rendered = pictures_within(shown, pictures, picture_width)
    else:
        rendered = pictures_beside(shown, pictures, picture_width)
    write_page(output, report_page(comparison, shown, rendered, voted=voted))
    return output


def write_page(output: Path, page: str) -> None:
    """Write a page, whole or not at all. Raises StoreError.

    What UTF-8 cannot hold, such as half of a surrogate pair, becomes a question mark.
    """
    content = page.encode("utf-8", "replace")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        replace_file(output, content)
    except OSError as error:
        raise StoreError(
            f"cannot write the report {output}: {error.strerror}. Free space, correct the permissions, "
            "or type --output FILE for another file; the runs are kept"
        ) from error


def warn_of_withheld(shown: Gallery, output: Path) -> None:
    where = common_folder(list(shown.withheld.values()))
    logger.warning(
        "%s: %s pictures are not shown: the runs were not made on this machine, and could name any of its "
        "files. Type --images DIR to show those below a folder%s",
        *(output, f"{len(shown.withheld):,}", f"; the runs name {where!r}" if where else ""),
    )


def report_page(
    comparison: Comparison,
    shown: Gallery | None,
    pictures: Pictures,
    frame: Frame | None = None,
    voted: Voted = NO_VOTES,
) -> str:
    """The page as HTML, its rows in the order of the comparison's.

    Without images where `shown` is None, as in the index of a site, whose runs have pages of their own.
    """
    frame = frame or Frame()
    style, script = report_style(), joined(map(browser_script, SCRIPTS))
    lead, (first, *others) = comparison.lead_metric, comparison.rows
    board = replace(comparison, metrics=tuple(dict.fromkeys(filter(None, [lead, *comparison.computed]))))
    template = environment().get_template("report.html")
    return template.render(
        policy=policy(style, script, pictures_beside=pictures.folder != ""),
        style=style,
        script=script,
        title=frame.title or title(comparison),
        frame=frame,
        image_counts=sorted({row.results.images for row in comparison.rows}),
        labels=[row.label for row in comparison.rows],
        of_run={row.label: attributes_of_run(number) for number, row in enumerate(comparison.rows)},
        confidence=formatting.format_confidences(comparison),
        summary=summarize(comparison),
        warnings=comparison.warnings,
        can_be_ranked=lead is None or comparison.is_comparable(lead),
        lead=lead,
        board=board,
        rows=leaderboard_rows(board),
        columns=columns(board, shown, voted),
        filters=number_filters(board, frame),
        places=places(frame),
        ratings=rating_columns(voted),
        votes=votes_section(voted, shown),
        whisker_axes={m: whisker_axis([score for _, score in board.scored(m)]) for m in board.metrics},
        is_ranked=any(map(comparison.rank, comparison.rows)),
        tallies=tallies(shown),
        notes=[*notes(comparison), *rating_notes(voted)],
        plots={
            "intervals": intervals_plots(comparison),
            "trade_offs": trade_off_plots(comparison),
            "lengths": length_plot(comparison),
            "agreement": agreement(comparison),
            "breakdown": breakdown(comparison),
            "draws": draws_table(comparison),
        },
        gallery=shown,
        pictures=pictures,
        images=embedded_images(shown, pictures) if shown else {},
        # Where the first two runs can be compared, the summary links to gains and losses, also of the last.
        difference=lead and others and comparison.pairs.difference(lead, first.index, others[0].index),
        last=len(comparison.ranked(lead)) - 1 if lead else 0,
        shared_facts=shared_facts(comparison),
        origins=origins(comparison),
        signatures=signatures(comparison),
    )


def attributes_of_run(number: int) -> Markup:
    """What everything that is drawn of a run has: its colour, and the number that hides it."""
    return Markup(' class="run-{}" data-run="{}"').format(number % COLOURS, number)


def tallies(shown: Gallery | None) -> dict[str, str]:
    """What a person thinks of each run's captions, by label; empty where nobody marked any."""
    if not shown or not shown.marks:
        return {}
    return {
        label: tally(mark for run, _, mark in shown.marks if run == number)
        for number, label in enumerate(shown.labels)
    }


def title(comparison: Comparison) -> str:
    """The runs, and the data set that they captioned."""
    names = [row.data_name for row in comparison.rows]
    what = comparison.rows[0].label if len(comparison.rows) == 1 else f"{len(comparison.rows)} runs"
    return f"{what} on {' and '.join(dict.fromkeys(names))}"


@cache
def environment() -> Environment:
    """It keeps its templates, whose compilation takes far longer than a page."""
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
        "amounts": AMOUNTS,
        "format": formatting.QUANTITIES,
        "headings": HEADINGS,
        "mark": MARK,
        "not_computed": formatting.NOT_COMPUTED,
        "version": __version__,
        "whisker_width": WHISKER_WIDTH,
    }
    templates.filters |= {
        "breakable": breakable,
        "coefficient": format_coefficient,
        "dollars": format_dollars,
        "interval": formatting.format_interval,
        "listed": listed,
        "points": formatting.format_points,
        "rank": formatting.format_rank,
        "rating": format_rating,
        "rating_interval": format_rating_interval,
        "votes": format_votes,
        "redacted": redacted,
        "shortened": shortened,
        "thousands": lambda number: f"{number:,}",
        "zip": lambda one, other: zip(one, other, strict=True),
    }
    return templates


def report_style() -> Markup:
    return joined(map(stylesheet, STYLES))


def stylesheet(file_name: str) -> Markup:
    return Markup((TEMPLATES / file_name).read_text(encoding="utf-8"))


def browser_script(file_name: str) -> Markup:
    return Markup((BROWSER_SCRIPTS / file_name).read_text(encoding="utf-8"))


def joined(texts: Iterable[Markup]) -> Markup:
    return Markup("\n").join(texts)
