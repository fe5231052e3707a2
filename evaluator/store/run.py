"""One run, read once: each file of its folder when it is first asked for, and then kept.

    run = RunFolder.existing(Path("runs/demo-tiny-git-none")).load()
    run.results.coverage, run.captions["42"].text, run.per_image["CIDEr"]

Everything after captioning takes a Run, so that no file is parsed twice in one process.
"""

from __future__ import annotations

import io
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from evaluator.config.identity import IDENTITY_GROUPS
from evaluator.core import Caption, Item, Measurement, Results, Signature
from evaluator.core.errors import StoreError
from evaluator.files.json_bytes import decode_json
from evaluator.store import request_log
from evaluator.store.counts import known_sum
from evaluator.store.formats import (
    caption_from_json,
    checked,
    item_from_json,
    request_from_json,
    results_from_json,
    understanding,
)
from evaluator.store.manifest import FORMAT_VERSION, Manifest, manifest_from_json
from evaluator.store.per_image import read_parquet
from evaluator.store.request_log import RequestLine, booked_usd, unsettled

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Line = TypeVar("Line")

RERUN = "Delete it and run again"
NO_MANIFEST = "Restore the file, or start a new run with name=...; cached answers will be reused"


@dataclass(frozen=True)
class Attempts:
    """What captions.jsonl and requests.jsonl say."""

    captions: Mapping[str, Caption]  # the latest outcome of each item, in the order of the first attempts
    answered_usd: float | None = None  # of all lines, also of those that a later one replaced
    unsettled: Mapping[int, RequestLine] = field(default_factory=dict)  # requests that no line names
    last_request: int = 0  # the highest number of a request

    @property
    def cost_usd(self) -> float | None:
        """The cost of every request: of one without a caption, the most it may be. None: no cost is known."""
        return known_sum([self.answered_usd, *(line.usd for line in self.unsettled.values())])

    @property
    def unanswered(self) -> list[RequestLine]:
        """The requests that were in flight when a command was killed."""
        return [line for line in self.unsettled.values() if not line.has_ended]


class Run:
    """A run folder's content. What is known already, given by name, is not read."""

    def __init__(self, path: Path, **known: Any) -> None:
        self.path = path
        vars(self).update(known)

    @property
    def name(self) -> str:
        return self.path.name

    @cached_property
    def manifest(self) -> Manifest:
        """Raises StoreError where the file does not say what this is a run of."""
        return read_manifest(self.path)

    @cached_property
    def items(self) -> Sequence[Item]:
        return list(read_lines(self.path, "items.jsonl", item_from_json))

    @cached_property
    def attempts(self) -> Attempts:
        return read_attempts(self.path)

    @property
    def captions(self) -> Mapping[str, Caption]:
        return self.attempts.captions

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """config.yaml: what was asked for, every option written out. It may be somebody else's."""
        import yaml

        try:
            document = yaml.safe_load(read_bytes(self.path, "config.yaml"))
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise StoreError(f"{self.path}/config.yaml is not YAML ({error})") from error
        if not isinstance(document, Mapping):
            raise StoreError(f"{self.path}/config.yaml is not what this program writes")
        return document

    @cached_property
    def results(self) -> Results:
        """Raises StoreError where the run was not scored yet."""
        with understanding(f"{self.path}/scores.json", RERUN):
            return results_from_json(self._scores)

    @cached_property
    def scored_ids(self) -> Sequence[str]:
        """The images that were scored; row i of each measurement belongs to scored_ids[i]."""
        return [str(item_id) for item_id in self._statistics["ids"]]

    @cached_property
    def measurements(self) -> Mapping[str, Measurement]:
        """Each metric's statistics over the scored images."""
        with understanding(f"{self.path}/statistics.npz", RERUN):
            return {
                name: Measurement(
                    name,
                    self._statistics[name],
                    entry["aggregate"],
                    Signature(entry["signature"]),
                    entry["higher_is_better"],
                )
                for name, entry in self._scores["scores"].items()
                if entry["computed"]
            }

    @cached_property
    def per_image(self) -> pd.DataFrame:
        """A row for each image that was tried when the run was scored: outcome, caption, each metric."""
        frame: pd.DataFrame = self.per_image_table.to_pandas()
        return frame

    @cached_property
    def per_image_table(self) -> pa.Table:
        """The same as an Arrow table, with the ids as a column."""
        try:
            return read_parquet((self.path / "per_image.parquet").read_bytes())
        except (OSError, ValueError) as error:
            path = self.path / "per_image.parquet"
            raise StoreError(
                f"cannot read {path} ({error}). Delete what is left of it. Type: evaluator score {self.path}"
            ) from error

    def scored(
        self,
        results: Results,
        ids: Sequence[str],
        measurements: Sequence[Measurement],
        table: pa.Table,
    ) -> Run:
        """The same run with these scores instead of those in its folder."""
        known = {
            name: value
            for name, value in vars(self).items()
            if name in ("manifest", "items", "attempts", "config")
        }
        by_name = {measurement.name: measurement for measurement in measurements}
        scores = {"results": results, "scored_ids": ids, "measurements": by_name, "per_image_table": table}
        return Run(self.path, **known, **scores)

    @cached_property
    def _scores(self) -> dict[str, Any]:
        if not all((self.path / name).is_file() for name in ("scores.json", "statistics.npz")):
            raise StoreError(f"{self.path} was not scored yet. Type: evaluator score {self.path}")
        return read_document(self.path, "scores.json")

    @cached_property
    def _statistics(self) -> Mapping[str, Any]:
        with (
            understanding(f"{self.path}/statistics.npz", RERUN),
            np.load(io.BytesIO(read_bytes(self.path, "statistics.npz")), allow_pickle=False) as arrays,
        ):
            return {name: arrays[name] for name in arrays.files}


def read_bytes(path: Path, name: str) -> bytes:
    """The file's content. Raises StoreError for one that cannot be read, or is a device or a pipe."""
    try:
        if not stat.S_ISREG((path / name).stat().st_mode):
            raise StoreError(f"{path / name} is not an ordinary file")
        return (path / name).read_bytes()
    except OSError as error:
        raise StoreError(f"cannot read {path / name}: {error.strerror}") from error


def read_document(path: Path, name: str, advice: str = RERUN) -> dict[str, Any]:
    """A JSON object. Raises StoreError for anything else."""
    try:
        document = decode_json(read_bytes(path, name))
    except ValueError as error:
        raise StoreError(f"{path / name} is not JSON ({error}). {advice}") from error
    if not isinstance(document, dict):
        raise StoreError(f"{path / name} is not what this program writes. {advice}")
    return document


def read_lines(path: Path, name: str, read: Callable[[dict[str, Any]], Line]) -> Iterator[Line]:
    """What each whole line says; a torn line, which a killed process left, is skipped."""
    for number, line in enumerate(read_bytes(path, name).split(b"\n"), 1):
        try:
            document = decode_json(line)
        except ValueError:
            continue
        if isinstance(document, dict):
            with understanding(f"{path}/{name}, line {number}", "Correct or delete that line"):
                value = read(document)
            yield value


def read_attempts(path: Path) -> Attempts:
    attempts = list(read_appended(path, "captions.jsonl", caption_from_json))
    requests = list(read_appended(path, request_log.NAME, request_from_json))
    captions = {caption.item_id: caption for caption in attempts}
    answered_usd = known_sum(booked_usd(caption.cost_usd) for caption in attempts)
    numbers = [line.request for line in requests]
    numbers += [request for caption in attempts for request in caption.requests]
    return Attempts(captions, answered_usd, unsettled(requests, attempts), max(numbers, default=0))


def read_appended(path: Path, name: str, read: Callable[[dict[str, Any]], Line]) -> Iterator[Line]:
    """The lines of a file that may not be there yet."""
    return read_lines(path, name, read) if (path / name).exists() else iter(())


def read_manifest(path: Path) -> Manifest:
    document = read_document(path, "manifest.json", NO_MANIFEST)
    if document.get("format_version") != FORMAT_VERSION:
        raise StoreError(
            f"{path}/manifest.json has format version {document.get('format_version')}, this program reads "
            f"{FORMAT_VERSION}. Use the program version that wrote it, or run it again"
        )
    with understanding(f"{path}/manifest.json", NO_MANIFEST):
        manifest = checked(Manifest, manifest_from_json(document))
        if missing := [group for group in IDENTITY_GROUPS if group not in manifest.choices]:
            raise ValueError(f"choices lacks {', '.join(missing)}")
        return manifest
