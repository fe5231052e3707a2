"""One run folder: its files, written so that a process may be killed at any moment.

    config.yaml          what was asked for, every option written out
    manifest.json        what it ran on: versions, machine, data set digest, identity
    items.jsonl          one line per image: id, references, picture path, tags
    captions.jsonl       one line per attempt, appended at once; the last line of an image counts
    requests.jsonl       of a remote model: each request, appended before it is sent (request_log.py)
    captions.coco.json   the captions in COCO's results format, for other programs
    scores.json          scores with intervals and signatures, coverage, outcomes
    per_image.parquet    one row per image: outcome, caption, the score of each metric
    statistics.npz       each metric's sufficient statistics, row by row, with the ids

captions.jsonl and requests.jsonl are only ever appended to, each line by a single write, under a lock. A
killed process loses at most the line it was writing, which the next reader skips. All other files are
replaced whole.
"""

from __future__ import annotations

import atexit
import io
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from evaluator.core import Item
from evaluator.core.errors import StoreError
from evaluator.files.atomic import replacing
from evaluator.files.json_bytes import encode_json
from evaluator.store.formats import caption_to_json, item_to_json, results_to_json
from evaluator.store.ledger import Ledger, writing_to
from evaluator.store.manifest import Manifest, manifest_to_json
from evaluator.store.per_image import parquet_bytes
from evaluator.store.run import Run, read_attempts, read_bytes

# What is computed from the captions; any of it may be deleted.
COMPUTED = ("captions.coco.json", "per_image.parquet", "statistics.npz", "scores.json")

# Held by whoever writes to the folder. A file of its own: Windows lets nobody read a file that is locked.
LOCK = ".lock"


@dataclass(frozen=True)
class RunFolder:
    """A path that a run is written to."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @classmethod
    def existing(cls, path: Path) -> RunFolder:
        """The run at `path`, a folder or what `export` wrote. Raises StoreError where there is none."""
        if zipfile.is_zipfile(path):
            return cls(_unpacked(path.resolve(), path.stat().st_mtime_ns))
        if not (path / "manifest.json").is_file():
            raise StoreError(f"{path} is not a run folder: it has no manifest.json. Run folders lie in runs/")
        return cls(path)

    def load(self) -> Run:
        """The run, each of whose files is read when it is first asked for."""
        return Run(self.path)

    def exists(self) -> bool:
        return (self.path / "manifest.json").is_file()

    def has_results(self) -> bool:
        """Whether everything that is computed from the captions is there."""
        return all((self.path / name).is_file() for name in COMPUTED)

    def begin(self, manifest: Manifest, config: Mapping[str, Any], items: Sequence[Item]) -> None:
        """Write down what is about to run; the manifest last, since it makes the folder a run."""
        import yaml

        with self.writing():
            self.path.mkdir(parents=True, exist_ok=True)
            self._replace(
                "config.yaml", yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True).encode()
            )
            self._replace("items.jsonl", b"".join(_line(item_to_json(item)) for item in items))
            self._replace("manifest.json", encode_json(manifest_to_json(manifest), indent=True) + b"\n")

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """What captioning appends to, read and open for appending; one process at a time."""
        with self.lock():
            ledger = Ledger(self.path, read_attempts(self.path))
            try:
                yield ledger
            finally:
                ledger.close()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """The folder, created where it is missing, for one process at a time.

        Raises StoreError where another one has it. A lock of a killed process is free again.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self.path / LOCK)
        with self.writing():
            self.path.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire(blocking=False)
            except Timeout:
                raise StoreError(
                    f"another process is writing to {self.path}. "
                    "Wait for it, or give this run a name=... of its own"
                ) from None
        try:
            yield
        finally:
            lock.release()

    def write_results(self, run: Run) -> None:
        """Write the scores of a run and what they came from."""
        texts = {item_id: run.captions[item_id].text or "" for item_id in run.scored_ids}
        coco = [{"image_id": _coco_id(item_id), "caption": text} for item_id, text in texts.items()]
        arrays: dict[str, Any] = {name: one.statistics for name, one in run.measurements.items()}
        arrays["ids"] = np.array(list(run.scored_ids), dtype=np.str_)
        statistics = io.BytesIO()
        np.savez_compressed(statistics, **arrays)
        scores = results_to_json(run.results, list(run.measurements.values()))
        with self.writing():
            self._replace("captions.coco.json", encode_json(coco) + b"\n")
            self._replace("per_image.parquet", parquet_bytes(run.per_image_table))
            self._replace("statistics.npz", statistics.getvalue())
            self._replace("scores.json", encode_json(scores, indent=True) + b"\n")

    def export(self, path: Path) -> None:
        """Write what comparing needs into one file: no pictures, and no picture's path."""
        run = self.load()
        items = b"".join(_line(item_to_json(replace(item, image=None))) for item in run.items)
        captions = b"".join(_line(caption_to_json(caption)) for caption in run.captions.values())
        _ = run.results  # raises StoreError where the run was not scored
        with self.writing(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name in ("config.yaml", "manifest.json", *COMPUTED):
                archive.writestr(f"{self.name}/{name}", read_bytes(self.path, name))
            archive.writestr(f"{self.name}/items.jsonl", items)
            archive.writestr(f"{self.name}/captions.jsonl", captions)

    @contextmanager
    def writing(self) -> Iterator[None]:
        with writing_to(self.path):
            yield

    def _replace(self, name: str, content: bytes) -> None:
        """Put a file in the place of `name`, whole or not at all."""
        with replacing(self.path / name) as temporary:
            temporary.write_bytes(content)


@lru_cache
def _unpacked(path: Path, written: int) -> Path:
    """The run that an exported file holds, in a folder that is removed when the program ends."""
    folder = tempfile.TemporaryDirectory(prefix="baseline-")
    atexit.register(folder.cleanup)
    try:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder.name)
        (run,) = Path(folder.name).iterdir()
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise StoreError(
            f"{path} is not a baseline file ({error}). Make it with: evaluator baseline"
        ) from error
    return run


def _line(document: Mapping[str, Any]) -> bytes:
    return encode_json(document) + b"\n"


def _coco_id(item_id: str) -> int | str:
    return int(item_id) if item_id.isdecimal() and str(int(item_id)) == item_id else item_id
