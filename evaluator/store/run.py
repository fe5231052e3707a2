"""One run, read once: each file of its folder when it is first asked for, and then kept.

    run = RunFolder.existing(Path("runs/demo-tiny-git-none")).load()
    run.results.coverage, run.captions["42"].text, run.per_image["CIDEr"]

Everything after captioning takes a Run, so that no file is parsed twice in one process.
"""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from json import JSONDecodeError
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from evaluator.config.identity import IDENTITY_GROUPS
from evaluator.core import Array, Caption, Item, Measurement, Results, Score
from evaluator.core.batch_jobs import Job
from evaluator.core.errors import StoreError
from evaluator.files.json_bytes import decode_json
from evaluator.store import draws, job_log, request_log
from evaluator.store.config_file import config_from_yaml
from evaluator.store.counts import count_outcomes, known_sum
from evaluator.store.formats import (
    NotesDocument,
    ScoreEntry,
    ScoresDocument,
    bounded,
    caption_from_line,
    checked,
    item_from_line,
    job_from_line,
    request_from_line,
    results_from_document,
    understanding,
)
from evaluator.store.job_log import open_jobs
from evaluator.store.manifest import FORMAT_VERSION, Manifest, manifest_from_json
from evaluator.store.own_items import were_written_here
from evaluator.store.per_image import per_image_table
from evaluator.store.provenance import inputs_digest
from evaluator.store.request_log import RequestLine, booked_usd, unsettled
from evaluator.store.row_statistics import IDS, SCORING, read_statistics
from evaluator.store.run_files import LIMITS, MANIFEST, FolderFiles, RunFiles, files_at

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Line = TypeVar("Line")
SomeItem = TypeVar("SomeItem", bound=Item)

# What is computed from the captions; any of it may be deleted.
COMPUTED = ("captions.coco.json", "per_image.parquet", "statistics.npz", "scores.json")
NOTES = "notes.json"
MOST_LINES = 5_000_000

RERUN = "Delete it and run again"
RESCORE = "Type: evaluator score {}"
NO_MANIFEST = "Restore the file, or start a new run with name=...; cached answers will be reused"


@dataclass(frozen=True)
class Attempts:
    """What captions.jsonl, requests.jsonl and batches.jsonl say."""

    captions: Mapping[str, Caption]  # the latest outcome of each item, in the order of the first attempts
    answered_usd: float | None = None  # of all lines, also of those that a later one replaced
    unsettled: Mapping[int, RequestLine] = field(default_factory=dict)  # requests that no line names
    last_request: int = 0  # the highest number of a request
    jobs: Mapping[str, Job] = field(default_factory=dict)  # at a batch interface, those that have not ended
    size: int = 0  # of these files in bytes, before they were read

    @property
    def cost_usd(self) -> float | None:
        """The cost of every request: of one without a caption, the most it may be. None: no cost is known."""
        return known_sum([self.answered_usd, *(line.usd for line in self.unsettled.values())])

    @property
    def unanswered(self) -> list[RequestLine]:
        """The requests that were in flight when a command was killed; those of jobs are on their way."""
        return [line for line in self.unsettled.values() if not (line.has_ended or line.job)]


class Run:
    """A run's content. What is known already, given by name, is not read."""

    def __init__(self, path: Path, **known: Any) -> None:
        self.path = path
        if "items" in known:
            known.setdefault("has_own_items", True)
        vars(self).update(known)

    @cached_property
    def files(self) -> RunFiles:
        return files_at(self.path)

    @property
    def name(self) -> str:
        return self.files.name

    @cached_property
    def manifest(self) -> Manifest:
        """Raises StoreError where the file does not say what this is a run of."""
        return read_manifest(self.files)

    @cached_property
    def items(self) -> Sequence[Item]:
        return self._items[0]

    @cached_property
    def has_own_items(self) -> bool:
        """Whether the items were loaded or written on this machine; others may name any picture of it."""
        return self._items[1]

    @cached_property
    def _items(self) -> tuple[Sequence[Item], bool]:
        content = self.files.read("items.jsonl")
        are_own = were_written_here(hashlib.sha256(content).hexdigest())
        return items_from(content, self.files.where("items.jsonl")), are_own

    @cached_property
    def attempts(self) -> Attempts:
        return read_attempts(self.files)

    @cached_property
    def drawn(self) -> Attempts:
        """The further captions of the same images (draws.py)."""
        return read_attempts(FolderFiles(self.path / draws.FOLDER))

    @property
    def cost_usd(self) -> float | None:
        """Of all captions, without what judges cost."""
        return known_sum([self.attempts.cost_usd, self.drawn.cost_usd])

    @property
    def captions(self) -> Mapping[str, Caption]:
        return self.attempts.captions

    @cached_property
    def captions_of_items(self) -> dict[str, Caption]:
        """The captions of the run's items, in their order: captions.jsonl may hold those of other items."""
        return {item.id: self.captions[item.id] for item in self.items if item.id in self.captions}

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """config.yaml: what was asked for, every option written out. It may be somebody else's."""
        with understanding(self.files.where("config.yaml"), RERUN):
            return config_from_yaml(self.files.read("config.yaml"))

    @cached_property
    def results(self) -> Results:
        """Raises StoreError where the run was not scored, or its items or captions have changed since."""
        document, results = self._scores, self.recorded_results
        captions = self.captions_of_items
        if document.inputs:
            fits = document.inputs == inputs_digest(self.items, captions)
        else:  # of a version that wrote no digest
            counts = count_outcomes(captions.values())
            fits = results.images == len(self.items) and results.outcomes == counts
        if not fits:
            raise StoreError(
                f"{self.path} has changed since it was scored: its scores are of {results.captioned:,} "
                f"captions of {results.images:,} images, and it has attempts for {len(captions):,} of "
                f"{len(self.items):,} images now. Let the run finish, or type: evaluator score {self.path}"
            )
        return results

    @cached_property
    def recorded_results(self) -> Results:
        """What scores.json says, also where the run has changed since. Raises StoreError without scores."""
        document = self._scores
        with understanding(self.files.where("scores.json"), RERUN):
            return results_from_document(document)

    @property
    def has_computed_files(self) -> bool:
        """Whether everything that is computed from the captions is there."""
        return all(map(self.files.has, COMPUTED))

    @property
    def metrics_on_record(self) -> list[str]:
        """What scores.json names, also where the run has changed since."""
        return list(self._scores.scores)

    @cached_property
    def scored_ids(self) -> Sequence[str]:
        """The images that were scored; row i of each measurement belongs to scored_ids[i]."""
        ids: Sequence[str] = self._statistics[IDS]
        with understanding(self.files.where("statistics.npz"), RESCORE.format(self.path)):
            if unknown := set(ids) - self.captions_of_items.keys():
                raise ValueError(f"the run has no caption of {len(unknown):,} of its images")
        return ids

    @cached_property
    def measurements(self) -> Mapping[str, Measurement]:
        """Each metric's statistics over the scored images."""
        results, statistics = self.results, self._statistics
        with understanding(self.files.where("statistics.npz"), RESCORE.format(self.path)):
            if statistics[SCORING] != self._scores.scoring:
                raise ValueError("it is of another scoring than scores.json")
            measured = {
                score.name: measurement_of(score, self._scores.computed[score.name], statistics[score.name])
                for score in results.scores
            }
        return {name: self._with_notes(one) for name, one in measured.items()}

    @cached_property
    def per_image(self) -> pd.DataFrame:
        """A row for each image that was tried: outcome, caption, each metric."""
        frame: pd.DataFrame = self.per_image_table.to_pandas()
        return frame

    @cached_property
    def per_image_table(self) -> pa.Table:
        """The same as an Arrow table, with the ids as a column; per_image.parquet is for other programs."""
        return per_image_table(self.captions_of_items, self.scored_ids, list(self.measurements.values()))

    def scored(self, results: Results, ids: Sequence[str], measurements: Sequence[Measurement]) -> Run:
        """The same run with these scores instead of those in its folder."""
        known = {
            name: value
            for name, value in vars(self).items()
            if name in ("manifest", "items", "attempts", "drawn", "config", "has_own_items")
        }
        by_name = {measurement.name: measurement for measurement in measurements}
        scores = {"results": results, "scored_ids": ids, "measurements": by_name}
        return Run(self.path, **known, **scores)

    def _with_notes(self, measurement: Measurement) -> Measurement:
        if not (notes := self._notes.get(measurement.name)):
            return measurement
        return replace(measurement, notes=[notes.get(item_id, "") for item_id in self.scored_ids])

    @cached_property
    def _notes(self) -> Mapping[str, Mapping[str, str]]:
        """notes.json, which is there where a scorer has something to say; a baseline does not keep it."""
        if not self.files.has(NOTES):
            return {}
        document = read_document(self.files, NOTES, advice := RESCORE.format(self.path))
        with understanding(self.files.where(NOTES), advice):
            notes = checked(NotesDocument, document)
            if notes.scoring != self._scores.scoring:
                raise ValueError("it is of another scoring than scores.json")
            return notes.notes

    @cached_property
    def _scores(self) -> ScoresDocument:
        if not all(map(self.files.has, ("scores.json", "statistics.npz"))):
            raise StoreError(f"{self.path} was not scored yet. Type: evaluator score {self.path}")
        document = read_document(self.files, "scores.json")
        with understanding(self.files.where("scores.json"), RERUN):
            return checked(ScoresDocument, document)

    @cached_property
    def _statistics(self) -> Mapping[str, Any]:
        metrics = list(self._scores.computed)
        content = self.files.read("statistics.npz")
        with understanding(self.files.where("statistics.npz"), RERUN):
            return read_statistics(content, metrics, LIMITS["statistics.npz"])


def measurement_of(score: Score, entry: ScoreEntry, statistics: Array) -> Measurement:
    """The statistics of a score. Raises ValueError where they do not give it."""
    measurement = Measurement(
        score.name, statistics, entry.aggregate, score.signature, score.higher_is_better
    )
    if entry.aggregate != "mean" and (statistics < 0).any():
        raise ValueError(f"{score.name} holds negative counts")
    value = measurement.value
    if not math.isclose(value, score.value, rel_tol=1e-6, abs_tol=1e-9):
        raise ValueError(f"{score.name} is {value:.6g} by it and {score.value:.6g} in scores.json")
    return measurement


def read_document(files: RunFiles, name: str, advice: str = RERUN) -> dict[str, Any]:
    """A JSON object. Raises StoreError for anything else."""
    content = files.read(name)
    with understanding(files.where(name), advice):
        try:
            document = decode_json(content)
        except ValueError as error:
            raise StoreError(f"{files.where(name)} is not JSON ({str(error)[:200]}). {advice}") from error
        if not isinstance(document, dict):
            raise ValueError("it is not an object")
        return dict(bounded(document))


def read_lines(
    content: bytes, where: str, read: Callable[[bytes], Line], may_be_torn: bool = False, first: int = 1
) -> Iterator[Line]:
    """What each line says; where lines may be torn, as a killed process leaves them, such are skipped.

    `first` is the number of the first line in its file, for messages.
    """
    if content.count(b"\n") > MOST_LINES:
        raise StoreError(f"{where} has more than the {MOST_LINES:,} lines that are read")
    for number, line in enumerate(io.BytesIO(content), first):
        if line.isspace():
            continue
        try:
            value = read(line)
        except Exception as error:
            if may_be_torn and isinstance(error, JSONDecodeError | UnicodeDecodeError):
                continue
            with understanding(f"{where}, line {number}", "Correct or delete that line"):
                raise
        yield value


def items_from(content: bytes, where: str) -> Sequence[Item]:
    items = list(read_lines(content, where, item_from_line))
    if len({item.id for item in items}) != len(items):
        raise StoreError(f"{where} lists an image twice. Delete one of the two lines")
    return items


def without_final_outcome(items: Iterable[SomeItem], captions: Mapping[str, Caption]) -> list[SomeItem]:
    """The items that have no final outcome yet."""
    return [item for item in items if item.id not in captions or captions[item.id].can_be_retried]


def appended_size(files: RunFiles) -> int:
    """The bytes of what captioning appends to; files that are not there have none."""
    return sum(files.size(name) for name in ("captions.jsonl", request_log.NAME, job_log.NAME))


def read_attempts(files: RunFiles, name: str = "captions.jsonl") -> Attempts:
    size = appended_size(files)
    attempts = list(read_appended(files, name, caption_from_line))
    requests = list(read_appended(files, request_log.NAME, request_from_line))
    captions = {caption.item_id: caption for caption in attempts}
    answered_usd = known_sum(booked_usd(caption.cost_usd) for caption in attempts)
    numbers = [line.request for line in requests]
    numbers += [request for caption in attempts for request in caption.requests]
    jobs = open_jobs(read_appended(files, job_log.NAME, job_from_line))
    return Attempts(
        captions, answered_usd, unsettled(requests, attempts), max(numbers, default=0), jobs, size
    )


def read_appended(files: RunFiles, name: str, read: Callable[[bytes], Line]) -> Iterator[Line]:
    """The lines of a file that may not be there yet, and whose lines a killed process may have torn."""
    if not files.has(name):
        return iter(())
    return read_lines(files.read(name), files.where(name), read, may_be_torn=True)


def read_manifest(files: RunFiles) -> Manifest:
    document, where = read_document(files, MANIFEST, NO_MANIFEST), files.where(MANIFEST)
    if document.get("format_version") != FORMAT_VERSION:
        raise StoreError(
            f"{where} has format version {str(document.get('format_version'))[:20]}, this program reads "
            f"{FORMAT_VERSION}. Use the program version that wrote it, or run it again"
        )
    with understanding(where, NO_MANIFEST):
        manifest = checked(Manifest, manifest_from_json(document))
        if missing := [group for group in IDENTITY_GROUPS if group not in manifest.choices]:
            raise ValueError(f"choices lacks {', '.join(missing)}")
        return manifest
