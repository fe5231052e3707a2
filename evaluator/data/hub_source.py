"""A split of a data set as the `datasets` library reads it: from the hub, or from local files.

What the library reads at once it keeps as Arrow files on this machine. What it only streams comes row by row.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluator.core.errors import DataError, MissingPackage
from evaluator.files import hub

logger = logging.getLogger(__name__)

# Where the hub keeps a copy as Parquet of each data set that is a program, which `datasets` no longer runs.
AS_PARQUET = "refs/convert/parquet"


@dataclass(frozen=True)
class Place:
    """Which split of which data set: its name at the hub, or local files."""

    name: str | None
    path: Path | None
    config: str | None
    split: str
    files: str | None  # at the hub, the files of this split: without it, those of all splits are downloaded
    revision: str | None

    def __str__(self) -> str:
        return str(self.path or self.name)


@dataclass(frozen=True)
class Split:
    """What was found, and which version it is."""

    tables: tuple[Path, ...]  # Arrow files; empty where the rows are streamed
    stream: Any  # an IterableDataset, or None
    revision: str  # the commit at the hub; of local files, a digest of their names and times
    fingerprint: str  # the library's; a stream has none


def split_of(place: Place, is_streamed: bool) -> Split:
    """Find the split, and download what is missing. Raises DataError; MissingPackage without `datasets`."""
    try:
        import datasets
    except ImportError:
        raise MissingPackage("datasets, which reads data sets of the Hugging Face hub,", "data") from None
    _check_reachable(place)
    with _in_plain_words(place), _quietly(datasets.utils):
        builder = datasets.load_dataset_builder(**_options(place))
        if is_streamed:
            streams = builder.as_streaming_dataset()
            stream = streams[_split_name(place, list(streams))]
            for column, kind in (stream.features or {}).items():
                if isinstance(kind, datasets.Image):
                    stream = stream.cast_column(column, datasets.Image(decode=False))
            return Split((), stream, builder.hash or "", "")
        _split_name(
            place, list(builder.info.splits or ())
        )  # before a download, where the data set's card says
        builder.download_and_prepare(verification_mode="no_checks")  # those of other splits would be missed
        loaded = builder.as_dataset(split=_split_name(place, list(builder.info.splits or ())))
        tables = tuple(Path(file["filename"]) for file in loaded.cache_files)
        return Split(tables, None, builder.hash or "", loaded._fingerprint)


def _check_reachable(place: Place) -> None:
    """Raises DataError where the data set must come from the hub and the hub is out of reach."""
    from datasets.config import HF_DATASETS_CACHE
    from datasets.naming import camelcase_to_snakecase

    *owner, name = str(place.name).split("/")
    is_here = (
        place.path or Path(HF_DATASETS_CACHE, "___".join([*owner, camelcase_to_snakecase(name)])).exists()
    )
    if not is_here and not hub.is_offline() and not hub.is_reachable():
        raise DataError(
            f"{place} is not on this machine, and {hub.hub_address()} cannot be reached. Download it where "
            f"there is a network, with hf download {place} --repo-type dataset --local-dir DIR, and type "
            "data.path=DIR"
        )


def _options(place: Place) -> dict[str, Any]:
    """What `load_dataset` is asked for."""
    if place.path is None:
        files = {place.split: place.files} if place.files else None
        return {"path": place.name, "name": place.config, "data_files": files, "revision": place.revision}
    if not place.path.exists():
        raise DataError(f"{place.path}: there is no such file or folder")
    if (place.path / "state.json").is_file():  # of save_to_disk
        return {"path": str(place.path), "data_files": "*.arrow"}
    if place.path.is_dir():
        return {"path": str(place.path), "name": place.config}
    return {"path": str(place.path.parent), "data_files": place.path.name}


def _split_name(place: Place, present: list[str]) -> str:
    """The split to take. Local files whose names say nothing of splits are one, which is called train."""
    if place.split in present or not present:
        return place.split
    if place.path and present == ["train"]:
        logger.info("%s: the files' names say nothing of splits: all of them are read", place)
        return "train"
    raise DataError(
        f"{place}: there is no split {place.split!r}. It has: {', '.join(present)}. Type data.split=..."
    )


@contextmanager
def _quietly(bars: Any) -> Iterator[None]:
    """Without progress bars where nobody watches."""
    if sys.stderr.isatty() or bars.are_progress_bars_disabled():
        yield
        return
    bars.disable_progress_bars()
    try:
        yield
    finally:
        bars.enable_progress_bars()


@contextmanager
def _in_plain_words(place: Place) -> Iterator[None]:
    """Whatever the library raises becomes a DataError that says what to type."""
    try:
        yield
    except (DataError, KeyboardInterrupt):
        raise
    except Exception as error:  # the libraries below it raise their own, from OSError to ArrowInvalid
        raise DataError(f"{place}: {_reason(place, error)}") from error


def _reason(place: Place, error: Exception) -> str:
    from datasets import exceptions

    cause = error.__cause__ if isinstance(error, exceptions.DatasetGenerationError) else None
    text = " ".join(str(cause or error).split())[:300] or type(error).__name__
    if "scripts are no longer supported" in text:
        return (
            "this data set is a program, and the library `datasets` runs none. The hub has a copy of most of "
            f"them. Type data.revision={AS_PARQUET}"
        )
    if isinstance(error, ConnectionError):
        return (
            f"the Hugging Face hub cannot be reached ({text}). Try again with a connection and without "
            "HF_HUB_OFFLINE; or download it elsewhere, and type data.path=DIR"
        )
    if isinstance(error, exceptions.DatasetNotFoundError) and place.path is None:
        return (
            "the hub has no such data set, or it is private: for your own, type `hf auth login`. "
            "For local files, type data.path=DIR"
        )
    if isinstance(error, FileNotFoundError):
        return f"there are no files that the library `datasets` reads ({text})"
    return f"the library `datasets` cannot read it ({text})"


def described(place: Place, split: Split) -> Mapping[str, str]:
    """Which version of the data set this is, for the record."""
    facts = {"source": str(place), "revision": split.revision, "fingerprint": split.fingerprint}
    return {name: value for name, value in facts.items() if value}
