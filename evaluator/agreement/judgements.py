"""How people rated captions: the judgements of a collection, and how they are to be compared.

>>> Judged("a.jpg", "a dog", ("a dog runs", "a puppy"), ratings=(4.0, 3.0, 4.0)).rating
3.6666666666666665
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Literal

# The statistics of docs/trust.md, by the names that results have.
StatisticName = Literal[
    "kendall_tau_c", "kendall_tau_b", "spearman", "pearson", "pairwise_accuracy", "system_pearson"
]


@dataclass(frozen=True)
class Judged:
    """One caption of one image, the references it is scored against, and how people rated it.

    Each rating is an observation of its own, as in the published protocols. `votes` are the answers of the
    single raters where `ratings` pools them.
    """

    image: str
    caption: str
    references: tuple[str, ...]
    ratings: tuple[float, ...]
    votes: tuple[float, ...] = ()
    system: str = ""  # which system wrote the caption, where that is known
    pair: str = ""  # captions with the same name were compared with each other; empty: all of the image
    tag: str = ""  # a part of the collection, such as Pascal-50S' HC, HI, HM and MM
    picture: Path | None = None

    @property
    def rating(self) -> float:
        """The mean of the ratings."""
        return mean(self.ratings)

    @property
    def raters(self) -> tuple[float, ...]:
        return self.votes or self.ratings


@dataclass(frozen=True)
class Collection:
    """Judged captions, and the statistics that are published of them: the first one leads."""

    name: str
    judged: tuple[Judged, ...]
    statistics: tuple[StatisticName, ...]
    protocol: str  # what was left out and pooled, for people
    recipe: str  # the same in the words of a signature
    published: Mapping[tuple[str, str], float] | None = None  # (metric, statistic) -> points

    @property
    def images(self) -> int:
        return len({one.image for one in self.judged})
