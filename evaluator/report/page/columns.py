"""The columns of the leaderboard: what each says, and which of them are seen at first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evaluator.arena.voted import NO_VOTES, Voted
from evaluator.comparison.comparison import Comparison
from evaluator.core import Results
from evaluator.core.metrics import agreement_text, metric_of
from evaluator.report.formatting import QUANTITIES
from evaluator.report.page.gallery import Gallery
from evaluator.report.ratings import rating_columns

MOST_METRICS = 5  # seen at first; the others are one click away
RANK = "rank"
BY_HAND = "by hand"

# A column that orders the runs does so by this number of a run's results.
AMOUNTS: dict[str, Callable[[Results], float | None]] = {
    "coverage": lambda results: results.coverage,
    "images/s": lambda results: results.images_per_second,
    "load": lambda results: results.seconds_to_load,
    "memory": lambda results: results.peak_memory,
    "cost": lambda results: results.cost_usd,
}
# Columns that are there whatever is known, in which more is better; in the others less is.
ALWAYS = ("coverage", "images/s")
OF_LOCAL_MODELS = ("load", "memory")  # one click away


@dataclass(frozen=True)
class Column:
    """One column behind the names of the runs."""

    name: str
    help: Sequence[str]  # paragraphs that explain it
    lower_is_better: bool = False
    is_metric: bool = False
    at_first: bool = True

    @property
    def first_order(self) -> str:
        """The order of the first click on its head."""
        return "ascending" if self.lower_is_better else "descending"


def columns(board: Comparison, shown: Gallery | None, voted: Voted = NO_VOTES) -> list[Column]:
    """Rank, metrics in the order of the board, ratings, marks by hand, coverage, speed, and costs."""
    rows = board.rows
    wanted = seen_at_first(board.metrics)
    found = []
    if any(map(board.rank, rows)):
        found.append(Column(RANK, RANK_HELP, lower_is_better=True))
    for metric in board.metrics:
        is_lower = not board.higher_is_better(metric)
        help_ = metric_help(metric, is_lower)
        found.append(Column(metric, help_, is_lower, is_metric=True, at_first=metric in wanted))
    for name, panel in rating_columns(voted).items():
        found.append(Column(name, RATING_HELP[panel.is_judge]))
    if shown and shown.marks:
        found.append(Column(BY_HAND, BY_HAND_HELP))
    for name in QUANTITIES:
        amounts = {AMOUNTS[name](row.results) for row in rows}
        at_first = amounts not in ({None}, {1.0}) and name not in OF_LOCAL_MODELS
        if name in ALWAYS or amounts != {None}:
            found.append(Column(name, QUANTITY_HELP[name], name not in ALWAYS, at_first=at_first))
    return found


def seen_at_first(metrics: Sequence[str]) -> set[str]:
    """The first metric, the headline ones and those of one's own; then others that no metric covers."""
    own = [metric for metric in metrics if not metric_of(metric).meaning and not metric_of(metric).covered_by]
    headline = [metric for metric in metrics if metric_of(metric).headline]
    others = [metric for metric in metrics if not metric_of(metric).covered_by]
    return set(list(dict.fromkeys([*metrics[:1], *headline, *own, *others]))[:MOST_METRICS])


def metric_help(name: str, lower_is_better: bool) -> list[str]:
    """What a metric says of a caption, and what is known of its agreement with people."""
    metric = metric_of(name)
    direction = "lower" if lower_is_better else "higher"
    meaning = (
        f"A caption has a {direction} {name} when {metric.meaning}."
        if metric.meaning
        else f"A {direction} score is better."
    )
    if name != metric.name:
        meaning += f" {name} scores captions that were changed first; the signature says how."
    unknown = "Its agreement with people was not measured here. `evaluator trust` measures it."
    return [meaning, agreement_text(name) or unknown]


RANK_HELP = (
    "The rank on the first metric. It is a range where the paired tests cannot tell runs apart: "
    "1–3 means that the run may be first, second or third.",
)
# By people, and by a judge.
RATING_HELP = (
    (
        "How often people prefer the run’s captions to others’, without knowing whose they are: 400 points "
        "are odds of 10 to 1, and 1000 is the mean of all systems that were voted on.",
    ),
    (
        "How often a chat model prefers the run’s captions to others’, asked in both orders: 400 points are "
        "odds of 10 to 1, and 1000 is the mean of all systems that it was asked about.",
    ),
)
BY_HAND_HELP = ("How many captions a person marked as good and as bad in this report.",)
QUANTITY_HELP = {
    "coverage": (
        "The share of the images that have a caption. A failure, such as a refusal, is never scored as a "
        "caption.",
    ),
    "images/s": (
        "Images per second of captioning. It depends on the machine, the provider and how many requests were "
        "in flight.",
    ),
    "load": ("The seconds that loading the model took, on the slowest device.",),
    "memory": (
        "The peak of the memory on one device, weights included. On the CPU it is the growth of the process.",
    ),
    "cost": ("In US dollars, by the provider’s prices at that time; retries are included.",),
}
