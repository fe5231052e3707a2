"""The report's section about votes: ratings with intervals, who wins against whom, where people disagree."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from markupsafe import Markup

from evaluator.arena.disputes import Dispute, disputes
from evaluator.arena.panels import Panel
from evaluator.arena.voted import Voted
from evaluator.core.errors import ImageError
from evaluator.files.images import thumbnail
from evaluator.report.page.embedding import visible
from evaluator.report.page.gallery import Gallery, has_picture
from evaluator.report.page.plots import LABEL_WIDTH, RIGHT, WIDTH, Axis
from evaluator.report.text.arena import caption, matrix_table, notes, ratings_table

MOST_DISPUTES = 12
PICTURE_WIDTH = 400  # pixels


@dataclass(frozen=True)
class ShownPanel:
    """The ratings by people, or by a judge, as the page shows them."""

    panel: Panel

    @property
    def title(self) -> str:
        return caption(self.panel)

    @property
    def axis(self) -> Axis:
        ends = chain.from_iterable(one.interval_points for one in self.panel.ratings.systems)
        return Axis.of(list(ends), LABEL_WIDTH, WIDTH - RIGHT)

    @property
    def table(self) -> Markup:
        return Markup(visible(ratings_table(self.panel).html()))

    @property
    def matrix(self) -> Markup:
        return Markup(visible(matrix_table(self.panel.ratings).html()))

    @property
    def notes(self) -> list[str]:
        return list(notes(self.panel))


@dataclass(frozen=True)
class ShownDispute:
    """A question that people answered differently, with its captions and its picture, base64 of a JPEG."""

    dispute: Dispute
    captions: Mapping[str, str]  # by system
    picture: str  # empty: there is none


@dataclass(frozen=True)
class VotesSection:
    """Everything that the section shows."""

    panels: Sequence[ShownPanel]
    disputes: Sequence[ShownDispute]


def votes_section(voted: Voted, shown: Gallery | None) -> VotesSection | None:
    """None where nobody voted. Without a gallery, as in the index of a site, no question is shown."""
    if not voted.panels:
        return None
    found = disputes(voted.votes, MOST_DISPUTES) if shown and voted.captions else []
    said = voted.captions.of if voted.captions else {}
    return VotesSection(
        [ShownPanel(panel) for panel in voted.panels],
        [
            ShownDispute(
                one,
                {system: said.get(one.image, {}).get(system, "") for system in one.systems},
                picture_of(one.image, shown) if shown else "",
            )
            for one in found
        ],
    )


def picture_of(image: str, shown: Gallery) -> str:
    item = next((item for item in shown.items if item.id == image and has_picture(item)), None)
    try:
        return base64.b64encode(thumbnail(item.image, PICTURE_WIDTH)).decode() if item and item.image else ""
    except (ImageError, MemoryError):
        return ""
