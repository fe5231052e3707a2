"""One run folder: its files, written so that a process may be killed at any moment.

docs/architecture.md lists the files. captions.jsonl, requests.jsonl and batches.jsonl are only ever appended
to (`ledger.py`): a killed process loses at most the line it was writing. All other files are replaced whole.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from evaluator.core import Item, Measurement
from evaluator.core.coco_id import coco_id
from evaluator.core.errors import StoreError
from evaluator.core.secrets import refuse_known_keys
from evaluator.files.atomic import replace_by_pieces, replace_file, replacing
from evaluator.files.json_bytes import encode_json, encode_list
from evaluator.store.attempts import Attempts, appended_size, read_attempts
from evaluator.store.formats import caption_to_json, item_to_json, results_to_json
from evaluator.store.ledger import Ledger, locked, writing_to
from evaluator.store.manifest import Manifest, manifest_to_json
from evaluator.store.own_items import remember_items
from evaluator.store.per_image import parquet_bytes
from evaluator.store.provenance import inputs_digest
from evaluator.store.row_statistics import SCORING, statistics_bytes
from evaluator.store.run import NOTES, Run
from evaluator.store.run_files import MANIFEST, FolderFiles, files_at

# What a baseline keeps as it is.
KEPT = ("config.yaml", MANIFEST, "statistics.npz", "scores.json")


@dataclass(frozen=True)
class RunFolder:
    """A path that a run is written to."""

    path: Path

    @property
    def name(self) -> str:
        return self.load().name

    @classmethod
    def existing(cls, path: Path) -> RunFolder:
        """The run at `path`, a folder or what `export` wrote. Raises StoreError where there is none."""
        if not files_at(path).has(MANIFEST):
            holds_runs = path.is_dir() and any(path.glob(f"*/{MANIFEST}"))
            advice = f"It holds run folders: type {path}/*" if holds_runs else "Run folders lie in runs/"
            raise StoreError(f"{path} is not a run folder: it has no {MANIFEST}. {advice}")
        return cls(path)

    def load(self) -> Run:
        """The run, each of whose files is read when it is first asked for."""
        return Run(self.path)

    def exists(self) -> bool:
        return files_at(self.path).has(MANIFEST)

    def begin(
        self, manifest: Manifest, config: Mapping[str, Any], items: Sequence[Item], are_own: bool = True
    ) -> None:
        """Write down what is about to run; the manifest last, since it makes the folder a run.

        `are_own` says whether this machine knows where the items' pictures come from.
        """
        import yaml

        with self.writing():
            self.path.mkdir(parents=True, exist_ok=True)
            self._replace(
                "config.yaml", yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True).encode()
            )
            with replacing(self.path / "items.jsonl") as temporary:
                digest = write_items(temporary, items)
                if are_own:
                    remember_items(digest)
            self.write_manifest(manifest)

    def write_manifest(self, manifest: Manifest) -> None:
        with self.writing():
            self._replace(MANIFEST, encode_json(manifest_to_json(manifest), indent=True) + b"\n")

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """What captioning appends to, read and open for appending; one process at a time."""
        with self.lock(), self.appending() as ledger:
            yield ledger

    @contextmanager
    def appending(self, known: Attempts | None = None) -> Iterator[Ledger]:
        """The same for who has the folder's lock already.

        `known` is what was read of it before, and is read again only where somebody has appended since.
        """
        files = FolderFiles(self.path)
        is_current = known is not None and known.size == appended_size(files)
        ledger = Ledger(self.path, known if known and is_current else read_attempts(files))
        try:
            yield ledger
        finally:
            ledger.close()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """The folder, created where it is missing, for one process at a time.

        Raises StoreError where another one has it. A lock of a killed process is free again.
        """
        with locked(self.path, "give this run a name=... of its own"):
            yield

    def write_results(self, run: Run) -> None:
        """Write the scores of a run and what they came from.

        scores.json is removed first and written last: a killed process leaves no scores rather than files of
        two scorings. The files name their scoring too, for who reads them meanwhile or after a power cut.
        """
        measurements = list(run.measurements.values())
        document = results_to_json(run.results, measurements)
        document["inputs"] = inputs_digest(run.items, run.captions_of_items)
        document["scoring"] = scoring = hashlib.sha256(encode_json(document)).hexdigest()[:32]
        table = run.per_image_table
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), SCORING: scoring})
        texts = {item_id: run.captions[item_id].text or "" for item_id in run.scored_ids}
        coco = ({"image_id": coco_id(item_id), "caption": text} for item_id, text in texts.items())
        statistics = statistics_bytes(run.scored_ids, measurements, scoring)
        notes = notes_of(run.scored_ids, measurements)
        with self.writing():
            (self.path / "scores.json").unlink(missing_ok=True)
            (self.path / NOTES).unlink(missing_ok=True)
            if notes:
                self._replace(NOTES, encode_json({"scoring": scoring, "notes": notes}) + b"\n")
            replace_by_pieces(self.path / "captions.coco.json", chain(encode_list(coco), [b"\n"]))
            self._replace("per_image.parquet", parquet_bytes(table))
            self._replace("statistics.npz", statistics)
            self._replace("scores.json", encode_json(document, indent=True) + b"\n")

    def export(self, path: Path) -> None:
        """Write what comparing needs into one file: no pictures, and no picture's path.

        Raises StoreError where the run was not scored, or the file cannot be written.
        """
        run = self.load()
        _ = run.measurements  # read: what is kept is what a later comparison can read
        members = {name: run.files.read(name) for name in KEPT}
        items = (_line(item_to_json(replace(item, image=None))) for item in run.items)
        captions = (_line(caption_to_json(caption)) for caption in run.captions_of_items.values())
        members |= {"items.jsonl": b"".join(items), "captions.jsonl": b"".join(captions)}
        for name, content in members.items():
            refuse_known_keys(content, f"{path}, with {name},")  # a run of an earlier version may hold one
        try:
            with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
                for name, content in members.items():
                    archive.writestr(f"{run.name}/{name}", content, zipfile.ZIP_DEFLATED, compresslevel=9)
        except OSError as error:
            raise StoreError(f"cannot write {path}: {error.strerror or error}") from error

    @contextmanager
    def writing(self) -> Iterator[None]:
        with writing_to(self.path):
            yield

    def _replace(self, name: str, content: bytes) -> None:
        """Put a file in the place of `name`, whole or not at all."""
        replace_file(self.path / name, content)


def notes_of(ids: Sequence[str], measurements: Sequence[Measurement]) -> dict[str, dict[str, str]]:
    """What scorers say about single captions, by metric and image."""
    return {
        one.name: {item_id: note for item_id, note in zip(ids, one.notes, strict=True) if note}
        for one in measurements
        if one.notes
    }


def write_items(path: Path, items: Iterable[Item]) -> str:
    """Write items.jsonl. Returns the SHA-256 of its content."""
    hashed = hashlib.sha256()
    with path.open("wb") as file:
        for item in items:
            line = _line(item_to_json(item))
            hashed.update(line)
            file.write(line)
    return hashed.hexdigest()


def _line(document: Mapping[str, Any]) -> bytes:
    return encode_json(document) + b"\n"
