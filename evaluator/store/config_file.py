"""config.yaml of a run folder, which may be somebody else's: plain values, and only so many of them.

An alias can stand for a list of aliases, so that a few lines stand for billions of values: before anything is
built, the parser's events are counted with what each alias stands for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MOST_VALUES = 100_000
DEEPEST = 50
# YAML reads 1:30:00 as a number in base 60, and takes hours for a long one.
LONG_NUMBER = re.compile(r"[-+\d:_.]{100,}")


def config_from_yaml(content: bytes) -> Mapping[str, Any]:
    """The document. Raises yaml.YAMLError, ValueError or RecursionError for anything else."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    count_values(yaml.parse(content, Loader=loader))
    document = yaml.load(content, Loader=loader)
    if not isinstance(document, Mapping):
        raise ValueError("it is not a mapping of options")
    return document


def count_values(events: Any) -> int:
    """How many values a document has, those that aliases stand for included. Raises ValueError."""
    from yaml import AliasEvent, CollectionEndEvent, CollectionStartEvent, ScalarEvent

    sizes: dict[str, int] = {}  # of what each anchor names
    total, started = 0, []
    for event in events:
        match event:
            case AliasEvent():
                total += sizes.get(str(event.anchor), MOST_VALUES)  # within itself: endless
            case ScalarEvent():
                total += 1
                if event.anchor:
                    sizes[event.anchor] = 1
                if not event.style and LONG_NUMBER.fullmatch(event.value):
                    raise ValueError("it holds an endless number")
            case CollectionStartEvent():
                started.append((event.anchor, total))
                sizes.pop(str(event.anchor), None)
                total += 1
            case CollectionEndEvent():
                anchor, before = started.pop()
                if anchor:
                    sizes[anchor] = total - before
        if total > MOST_VALUES or len(started) > DEEPEST:
            raise ValueError("it holds too many values, or nests them too deeply")
    return total
