"""The collections of human judgements that are known by name, one reader per file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

from evaluator.agreement.judgements import Collection
from evaluator.core.errors import ConfigError

# A collection's name, and the function that reads it from a folder or file.
READERS: Mapping[str, str] = MappingProxyType(
    {
        "flickr8k-expert": "flickr8k.expert",
        "flickr8k-cf": "flickr8k.crowdflower",
        "thumb": "thumb.thumb",
        "composite": "rated_table.composite",
        "polaris": "rated_table.polaris",
        "nebula": "rated_table.nebula",
        "longcap-arena": "rated_table.longcap_arena",
        "pascal50s": "pascal50s.pascal50s",
        "foil": "foil.foil",
        "table": "rated_table.table",
    }
)


def read_collection(judgements: str) -> Collection:
    """The collection that NAME=PATH names. Raises ConfigError for a name that is not in READERS."""
    name, separator, path = judgements.partition("=")
    if name not in READERS or not separator or not path:
        raise ConfigError(
            f"{judgements!r}: type NAME=PATH, where PATH is the folder or file of the collection and NAME is "
            f"one of {', '.join(READERS)}"
        )
    module, _, function = READERS[name].rpartition(".")
    reader: Callable[[Path], Collection] = getattr(import_module(f"{__name__}.{module}"), function)
    return reader(Path(path))
