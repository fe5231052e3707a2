"""What the runs of a site can be filtered by: where they run, and numbers that are known of some of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from evaluator.comparison.comparison import Comparison
from evaluator.report.page.frame import Frame
from evaluator.store.run import Run

# "7B", "8x7B", "0.2 billion parameters", and "3.1 GB".
_PARAMETERS = re.compile(
    r"(?<![\d.,])(?:(\d+)\s?[x×])?\s?(\d+(?:\.\d+)?)\s?(K|M|B|T|million|billion)\b", re.I
)
_BYTES = re.compile(r"(?<![\d.,])(\d+(?:\.\d+)?)\s?([KMGT])B\b", re.I)
_BILLIONS = {"k": 1e-6, "m": 1e-3, "million": 1e-3, "b": 1.0, "billion": 1.0, "t": 1e3}
_GIGABYTES = {"k": 1e-6, "m": 1e-3, "g": 1.0, "t": 1e3}

Value = TypeVar("Value")


@dataclass(frozen=True)
class NumberFilter:
    """A number with a lowest and a highest field; a run without it matches only while both are empty."""

    name: str  # in the address of the page
    title: str
    unit: str
    values: Mapping[str, float]  # by the labels of the runs


def number_filters(board: Comparison, frame: Frame) -> list[NumberFilter]:
    """Those that tell some runs apart; none on a page that lists no other pages."""
    if len(frame.pages) < 2:
        return []
    sizes = {label: about.size for label, about in frame.about.items()}
    runs = {row.label: row.run for row in board.rows}
    memory = {row.label: row.results.peak_memory for row in board.rows}
    filters = (
        NumberFilter("parameters", "Parameters", "billions", known(sizes, parameters_in)),
        NumberFilter("disk", "Size on disk", "GB", known(sizes, gigabytes_in)),
        NumberFilter("memory", "Peak memory", "GB", known(memory, lambda peak: peak and peak / 1e9)),
        NumberFilter("price", "Price", "US dollars per 1,000 images", known(runs, price_of)),
    )
    return [one for one in filters if one.values]


def places(frame: Frame) -> list[str]:
    """Where the systems of a site run, such as cloud and local, in alphabetical order."""
    return sorted({about.where for about in frame.about.values() if about.where and len(frame.pages) > 1})


def price_of(run: Run) -> float | None:
    """US dollars for each 1,000 images that were paid for: those from a cache or another run cost nothing."""
    paid = sum((caption.cost_usd or 0.0) > 0.0 for caption in run.captions.values())
    total = run.results.cost_usd
    return 1000 * total / paid if total and paid else None


def known(values: Mapping[str, Value], number: Callable[[Value], float | None]) -> dict[str, float]:
    """The numbers of those values that have one."""
    found = {label: number(value) for label, value in values.items()}
    return {label: each for label, each in found.items() if each is not None}


def parameters_in(size: str) -> float | None:
    """The billions of parameters that a text names.

    >>> parameters_in("7B"), parameters_in("223M, 0.9 GB"), parameters_in("8x7B"), parameters_in("0.9 GB")
    (7.0, 0.223, 56.0, None)
    """
    found = _PARAMETERS.search(size)
    return None if not found else round(int(found[1] or 1) * float(found[2]) * _BILLIONS[found[3].lower()], 9)


def gigabytes_in(size: str) -> float | None:
    """The gigabytes that a text names.

    >>> gigabytes_in("223M, 0.9 GB"), gigabytes_in("450MB"), gigabytes_in("7B")
    (0.9, 0.45, None)
    """
    found = _BYTES.search(size)
    return None if not found else round(float(found[1]) * _GIGABYTES[found[2].lower()], 9)
