"""One run, read once: each file of its folder when it is first asked for, and then kept.

    run = RunFolder.existing(Path("runs/demo-tiny-git-none")).load()
    run.results.coverage, run.captions["42"].text, run.per_image["CIDEr"]

Everything after captioning takes a Run, so that no file is parsed twice in one process.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluator.core import Array, Caption, Item, Measurement, Results, Score
from evaluator.core.errors import StoreError
from evaluator.store import draws
from evaluator.store.attempts import Attempts, read_attempts
from evaluator.store.config_file import config_from_yaml
from evaluator.store.counts import count_outcomes, known_sum
from evaluator.store.formats import (
    NotesDocument,
    ScoreEntry,
    ScoresDocument,
    checked,
    results_from_document,
    understanding,
)
from evaluator.store.manifest import Manifest
from evaluator.store.own_items import were_written_here
from evaluator.store.per_image import per_image_table
from evaluator.store.provenance import inputs_digest
from evaluator.store.reading import RERUN, items_from, read_document, read_manifest
from evaluator.store.row_statistics import IDS, SCORING, read_statistics
from evaluator.store.run_files import LIMITS, FolderFiles, RunFiles, files_at

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


# What is computed from the captions; any of it may be deleted.
COMPUTED = ("captions.coco.json", "per_image.parquet", "statistics.npz", "scores.json")
NOTES = "notes.json"

RESCORE = "Type: evaluator score {}"


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
