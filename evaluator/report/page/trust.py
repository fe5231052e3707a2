"""One self-contained page about how far metrics agree with people.

It is the report's page in style and policy: it loads nothing, runs no script, and holds the pictures of the
captions it shows where they are at hand.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluator.agreement.details import Disagreement, LengthPart, by_length, disagreements
from evaluator.agreement.trust import Agreement, Trusted
from evaluator.core.errors import ImageError
from evaluator.files.images import thumbnail
from evaluator.files.output_files import write_output
from evaluator.report.page.embedding import policy
from evaluator.report.page.html import environment, stylesheet
from evaluator.report.page.plots import LABEL_WIDTH, RIGHT, WIDTH, Axis
from evaluator.report.text.trust import NAMES, caption, notes, trust_table

SHOWN = 6  # captions per metric on which it and people disagree


@dataclass(frozen=True)
class Shown:
    """A disagreement with its picture, base64 of a JPEG, or without one."""

    disagreement: Disagreement
    picture: str


@dataclass(frozen=True)
class Section:
    """One collection as the page shows it."""

    trusted: Trusted
    title: str
    statistic: str
    plotted: Sequence[Agreement]
    axis: Axis | None
    lengths: Sequence[LengthPart]
    disagreements: dict[str, list[Shown]]

    @property
    def name(self) -> str:
        return self.trusted.collection.name

    def name_of(self, one: Agreement) -> str:
        """The metric, with the part of the collection where it is one."""
        return " ".join(filter(None, [one.metric, one.collection.partition(":")[2]]))

    @property
    def table(self) -> str:
        return trust_table(self.trusted).html()

    @property
    def notes(self) -> list[str]:
        return list(notes(self.trusted))


def write_trust_page(trusted: Sequence[Trusted], output: Path) -> Path:
    """Write the page, whole or not at all. Raises StoreError."""
    style = stylesheet("page.css")
    content = (
        environment()
        .get_template("trust.html")
        .render(
            policy=policy(style, "", pictures_beside=False),
            style=style,
            title="Metrics against people",
            sections=[section(each) for each in trusted],
        )
    )
    write_output(output, content)
    return output


def section(trusted: Trusted) -> Section:
    ranked = trusted.ranked()
    plotted = [one for one in ranked if one.statistic == ranked[0].statistic and not math.isnan(one.value)]
    ends = [end for one in plotted for end in one.interval_points]
    return Section(
        trusted=trusted,
        title=caption(trusted),
        statistic=NAMES[ranked[0].statistic] if ranked else "",
        plotted=plotted,
        axis=Axis.of(ends, LABEL_WIDTH, WIDTH - RIGHT) if plotted else None,
        lengths=by_length(trusted),
        disagreements={
            one.metric: [Shown(found, picture(found)) for found in disagreements(trusted, one.metric, SHOWN)]
            for one in plotted
            if one.collection == trusted.collection.name
        },
    )


def picture(disagreement: Disagreement) -> str:
    path = disagreement.judged.picture
    try:
        return base64.b64encode(thumbnail(path)).decode() if path and path.is_file() else ""
    except ImageError:
        return ""
