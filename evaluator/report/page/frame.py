"""What stands around a report that is part of a site: its title, links to other pages, facts about runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from evaluator.report.text.external import ExternalResult


@dataclass(frozen=True)
class About:
    """What the owner of a site says of a system; each may be empty."""

    description: str = ""
    licence: str = ""
    size: str = ""  # such as 7B
    where: str = ""  # such as local or cloud
    link: str = ""  # an address on the web

    @property
    def facts(self) -> Sequence[str]:
        return [fact for fact in (self.description, self.size, self.where, self.licence) if fact]


@dataclass(frozen=True)
class Frame:
    """Everything that a page of a site has and a report of its own does not."""

    title: str = ""  # empty: what the page is about
    description: str = ""
    links: Mapping[str, str] = field(default_factory=dict)  # addresses of other pages by what they are called
    pages: Mapping[str, str] = field(
        default_factory=dict
    )  # addresses of the runs' own pages, by their labels
    about: Mapping[str, About] = field(default_factory=dict)  # by the labels of the runs
    external: Sequence[ExternalResult] = ()  # rows that are not runs
