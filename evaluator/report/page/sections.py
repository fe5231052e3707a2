"""The page's sections, as the template takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from evaluator.report.leaderboard import LeaderboardRow
from evaluator.report.origins import Fact, MetricSignature, Origin
from evaluator.report.page.agreement import Agreement
from evaluator.report.page.breakdown import TagScores
from evaluator.report.page.embedding import packed, within_script
from evaluator.report.page.gallery import Gallery
from evaluator.report.page.lengths import LengthPlot
from evaluator.report.page.pictures import Pictures
from evaluator.report.page.plots import Intervals, TradeOff
from evaluator.report.summary import Summary


@dataclass(frozen=True)
class Leaderboard:
    """The leaderboard of the page."""

    rows: Sequence[LeaderboardRow]
    metrics: Sequence[str]
    lead: str | None  # the metric that decides the order
    meaning: str  # what a higher score on it says of a caption
    higher_is_better: Mapping[str, bool]
    pages: Mapping[str, str]  # addresses that runs are linked to, by their labels
    is_ranked: bool
    has_costs: bool
    notes: Sequence[str]


@dataclass(frozen=True)
class Plots:
    """What is drawn, as far as there is something to draw."""

    intervals: Sequence[Intervals]
    trade_offs: Sequence[TradeOff]
    lengths: LengthPlot | None
    agreement: Agreement | None
    breakdown: Sequence[TagScores]

    @property
    def are_any(self) -> bool:
        return any((self.intervals, self.trade_offs, self.lengths, self.agreement, self.breakdown))


@dataclass(frozen=True)
class Images:
    """The gallery, and what its script reads."""

    gallery: Gallery
    pictures: Pictures
    runs_differ: bool  # on the lead metric, the first two: there are images to show as gains and losses

    @property
    def data(self) -> str:
        return packed(self.gallery.document(*self.pictures.numbered(len(self.gallery.items))))

    @property
    def shown_pictures(self) -> Markup:
        return within_script({"folder": self.pictures.folder, "shown": list(self.pictures.shown.values())})


@dataclass(frozen=True)
class Origins:
    """How the numbers were made."""

    shared: Sequence[Fact]
    origins: Sequence[Origin]
    signatures: Sequence[MetricSignature]


@dataclass(frozen=True)
class Page:
    """What the template shows, section by section."""

    title: str
    image_counts: Sequence[int]  # one for each size of data set
    labels: Sequence[str]  # of the runs, in their order
    confidence: str  # of the intervals
    summary: Summary
    warnings: Sequence[str]
    leaderboard: Leaderboard
    plots: Plots
    images: Images | None
    origins: Origins
