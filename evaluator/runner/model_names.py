"""Models as providers name them, with and without a version.

>>> entry_for("models/gemini-2.5-flash-001", {"gemini-2.5-flash": 3})
3
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TypeVar

Entry = TypeVar("Entry")

# How providers mark the version of a model: -2024-07-18, -20250929, -09-2025, -001.
VERSION = re.compile(r"-(latest|preview|\d{4}-\d{2}-\d{2}|\d{2}-\d{4}|\d{8}|\d{3,4})$")


def entry_for(model: str, table: Mapping[str, Entry]) -> Entry | None:
    """The entry for a model's full name, else for its name without the version; None where there is none."""
    return next((table[name] for name in names_of(model) if name in table), None)


def names_of(model: str) -> Iterator[str]:
    """The model's name, then the same name without one version suffix after the other."""
    name = model.removeprefix("models/")
    yield name
    while (shorter := VERSION.sub("", name)) != name:
        name = shorter
        yield name
