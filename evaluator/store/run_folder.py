"""One run folder: the only module that knows its file names and formats.

    config.yaml          what was asked for, every option written out
    manifest.json        what it ran on: versions, machine, data set digest, identity, time spent captioning
    items.jsonl          one line an image: id, references, picture path, tags
    captions.jsonl       one line an attempt, appended at once; the last line of an image counts
    captions.coco.json   the captions in COCO's results format, for other programs
    scores.json          scores with intervals and signatures, coverage, outcomes
    per_image.parquet    one row an image: outcome, caption, the score of each metric
    statistics.npz       each metric's sufficient statistics, row by row, with the ids

captions.jsonl is only ever appended to, each line by a single write, under a lock: a process may be killed
at any moment and loses at most the line it was writing, which the next reader passes over.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from evaluator.core import Caption, Item, Measurement, Outcome, Reply, Results, Score, Style
from evaluator.core.errors import StoreError
from evaluator.core.kinds import with_kind

if TYPE_CHECKING:
    import pandas as pd

Line = TypeVar("Line")

FORMAT_VERSION = 1
# What is computed from the captions; any of it may be deleted.
COMPUTED = ("captions.coco.json", "per_image.parquet", "statistics.npz", "scores.json")
ASKED = {"choices": dict, "identity": dict, "dataset_digest": str}
CHOSEN = ("data", "model", "prompt")
NO_MANIFEST = (
    "Put the file back as it was written. Without it, type name=... for a folder of its own: answers that "
    "the cache holds are not asked for again"
)


@dataclass(frozen=True)
class RunFolder:
    """A path that is read and written as a run."""

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

    def export(self, path: Path) -> None:
        """Write what comparing needs into one file: no pictures, and no place of any."""
        items = b"".join(_line(_item_to_json(replace(item, image=None))) for item in self.items())
        captions = b"".join(_line(_caption_to_json(caption)) for caption in self.captions().values())
        self.results()  # raises StoreError where the run was not scored
        with self._writing(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name in ("config.yaml", "manifest.json", *COMPUTED):
                archive.writestr(f"{self.name}/{name}", self._read(name))
            archive.writestr(f"{self.name}/items.jsonl", items)
            archive.writestr(f"{self.name}/captions.jsonl", captions)

    def exists(self) -> bool:
        return (self.path / "manifest.json").is_file()

    def begin(self, manifest: Mapping[str, Any], config_yaml: str, items: Sequence[Item]) -> None:
        """Write down what is about to run; the manifest last, since it makes the folder a run."""
        with self._writing():
            self.path.mkdir(parents=True, exist_ok=True)
            self._replace("config.yaml", config_yaml.encode())
            self._replace("items.jsonl", b"".join(_line(_item_to_json(item)) for item in items))
        self.update_manifest(manifest)

    def manifest(self) -> dict[str, Any]:
        """What was asked for, and what it ran on. Raises StoreError where it does not say what was asked."""
        document = self._read_manifest()
        if lacking := _lacking(document):
            raise StoreError(
                f"{self.path}/manifest.json does not say what this is a run of: "
                f"it lacks {', '.join(lacking)}. {NO_MANIFEST}"
            )
        return document | {"identity": {name: with_kind(one) for name, one in document["identity"].items()}}

    def _read_manifest(self) -> dict[str, Any]:
        document = self._read_json("manifest.json", NO_MANIFEST)
        if document.get("format_version") != FORMAT_VERSION:
            raise StoreError(
                f"{self.path}/manifest.json has format version {document.get('format_version')}, this "
                f"program reads {FORMAT_VERSION}. Use the program version it was made with, or run it again"
            )
        return document

    def update_manifest(self, entries: Mapping[str, Any]) -> None:
        """Set these entries, keep the others."""
        before = self._read_manifest() if self.exists() else {}
        with self._writing():
            self._replace_json("manifest.json", {"format_version": FORMAT_VERSION} | before | dict(entries))

    def config_yaml(self) -> str:
        return self._read("config.yaml").decode()

    def items(self) -> list[Item]:
        return list(self._lines("items.jsonl", _item_from_json))

    def captions(self) -> dict[str, Caption]:
        """The latest outcome of each item that was tried, in the order they were first tried."""
        if not (self.path / "captions.jsonl").exists():
            return {}
        return {caption.item_id: caption for caption in self._lines("captions.jsonl", _caption_from_json)}

    def cost_usd(self) -> float | None:
        """What all attempts cost, those too that a later one replaced; None where no cost is known."""
        if not (self.path / "captions.jsonl").exists():
            return None
        attempts = self._lines("captions.jsonl", _caption_from_json)
        costs = [caption.cost_usd for caption in attempts if caption.cost_usd is not None]
        return sum(costs) if costs else None

    @contextmanager
    def ledger(self) -> Iterator[Callable[[Caption], None]]:
        """A function that appends a caption durably; one process at a time."""
        path = self.path / "captions.jsonl"
        with self._writing():
            self.path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StoreError(
                    f"another process is writing to {self.path}. "
                    "Wait for it, or give this run a name=... of its own"
                ) from None

            def append(line: bytes) -> None:
                with self._writing():
                    while line:  # a short write means a full disk: the next one raises
                        line = line[os.write(descriptor, line) :]

            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                append(b"\n")  # close the line that a killed process left torn
            yield lambda caption: append(_line(_caption_to_json(caption)))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def write_results(
        self,
        results: Results,
        captions: Mapping[str, Caption],
        scored_ids: Sequence[str],
        measurements: Sequence[Measurement],
    ) -> None:
        """Write the scores and what they came from; row i of each measurement belongs to scored_ids[i]."""
        import pandas as pd

        texts = {item_id: captions[item_id].text or "" for item_id in scored_ids}
        table = pd.DataFrame(
            {
                "id": list(captions),
                "outcome": [str(caption.outcome) for caption in captions.values()],
                # A lone surrogate is legal in JSON but not in Arrow's UTF-8.
                "caption": [
                    None if caption.text is None else caption.text.encode(errors="replace").decode()
                    for caption in captions.values()
                ],
            }
        ).set_index("id")
        for measurement in measurements:
            table[measurement.name] = pd.Series(measurement.per_image, index=list(scored_ids))
        arrays: dict[str, Any] = {measurement.name: measurement.statistics for measurement in measurements}
        arrays["ids"] = np.array(list(scored_ids), dtype=np.str_)
        with self._writing():
            self._replace_json(
                "captions.coco.json",
                [{"image_id": _coco_id(item_id), "caption": text} for item_id, text in texts.items()],
            )
            with self._replacing("per_image.parquet") as path:
                table.to_parquet(path)
            with self._replacing("statistics.npz") as path, path.open("wb") as file:
                np.savez_compressed(file, **arrays)
            self._replace_json("scores.json", _results_to_json(results, measurements))

    def results(self) -> Results:
        """What scores.json says. Raises StoreError where the run was not scored yet."""
        with self._understanding("scores.json"):
            return _results_from_json(self._scores())

    def has_results(self) -> bool:
        """Whether everything that is computed from the captions is there."""
        return all((self.path / name).is_file() for name in COMPUTED)

    def measurements(self) -> tuple[list[str], list[Measurement]]:
        """The scored ids and each metric's statistics over them."""
        scores = self._scores()["scores"]
        with self._understanding("statistics.npz"), np.load(self.path / "statistics.npz") as arrays:
            measurements = [
                Measurement(
                    name, arrays[name], score["aggregate"], score["signature"], score["higher_is_better"]
                )
                for name, score in scores.items()
                if score["computed"]
            ]
            return [str(item_id) for item_id in arrays["ids"]], measurements

    def per_image(self) -> pd.DataFrame:
        """A row for each image that was tried when the run was scored: outcome, caption, each metric."""
        import pandas as pd

        path = self.path / "per_image.parquet"
        try:
            return pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise StoreError(
                f"cannot read {path} ({error}). Delete what is left of it. Type: evaluator score {self.path}"
            ) from error

    def _scores(self) -> dict[str, Any]:
        if not all((self.path / name).is_file() for name in ("scores.json", "statistics.npz")):
            raise StoreError(f"{self.path} was not scored yet. Type: evaluator score {self.path}")
        return self._read_json("scores.json")

    def _read(self, name: str) -> bytes:
        try:
            return (self.path / name).read_bytes()
        except OSError as error:
            raise StoreError(f"cannot read {self.path / name}: {error.strerror}") from error

    def _read_json(self, name: str, advice: str = "Delete it and run again") -> dict[str, Any]:
        try:
            document = json.loads(self._read(name))
        except ValueError as error:
            raise StoreError(f"{self.path / name} is not JSON ({error}). {advice}") from error
        if not isinstance(document, dict):
            raise StoreError(f"{self.path / name} is not what this program writes. {advice}")
        return document

    def _lines(self, name: str, read: Callable[[dict[str, Any]], Line]) -> Iterator[Line]:
        """What each line says that is whole; a torn one is passed over."""
        for number, line in enumerate(self._read(name).split(b"\n"), 1):
            try:
                document = json.loads(line)
            except ValueError:
                continue
            if isinstance(document, dict):
                with self._understanding(f"{name}, line {number}", "Mend or delete that line"):
                    found = read(document)
                yield found

    @contextmanager
    def _understanding(self, place: str, advice: str = "Delete it and run again") -> Iterator[None]:
        """A file that was changed by hand, or by a program of another version, is an error of ours."""
        try:
            yield
        except (KeyError, TypeError, ValueError, AttributeError, OSError, zipfile.BadZipFile) as error:
            what = f"{type(error).__name__}: {error}"
            raise StoreError(
                f"{self.path}/{place} is not what this program writes ({what}). {advice}"
            ) from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"cannot write to {self.path}: {error.strerror}. Every caption written so far is kept; "
                "free the disk or mend its permissions and type the same command again"
            ) from error

    @contextmanager
    def _replacing(self, name: str) -> Iterator[Path]:
        """A path to write to that takes the place of `name` at once, whole or not at all."""
        temporary = self.path / f".{name}.{os.getpid()}"
        try:
            yield temporary
            os.replace(temporary, self.path / name)
        finally:
            temporary.unlink(missing_ok=True)

    def _replace(self, name: str, content: bytes) -> None:
        with self._replacing(name) as path:
            path.write_bytes(content)

    def _replace_json(self, name: str, document: Any) -> None:
        self._replace(name, _encode(json.dumps(document, ensure_ascii=False, indent=1)) + b"\n")


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


def _lacking(manifest: Mapping[str, Any]) -> list[str]:
    """What every manifest says of what was asked for, and this one does not."""
    entries = [name for name, kind in ASKED.items() if not isinstance(manifest.get(name), kind)]
    groups = () if "choices" in entries else CHOSEN
    return entries + [f"choices.{group}" for group in groups if group not in manifest["choices"]]


def count_outcomes(captions: Mapping[str, Caption]) -> dict[str, int]:
    """How often each outcome occurs, the most frequent first."""
    return dict(Counter(str(caption.outcome) for caption in captions.values()).most_common())


def _encode(text: str) -> bytes:
    # In JSON a lone surrogate's backslash form is its own escape, so nothing is lost.
    return text.encode("utf-8", "backslashreplace")


def _line(document: Mapping[str, Any]) -> bytes:
    return _encode(json.dumps(document, ensure_ascii=False)) + b"\n"


def _coco_id(item_id: str) -> int | str:
    return int(item_id) if item_id.isdecimal() and str(int(item_id)) == item_id else item_id


def _item_to_json(item: Item) -> dict[str, Any]:
    return asdict(item) | {"image": str(item.image) if item.image else None}


def _item_from_json(line: Mapping[str, Any]) -> Item:
    image = Path(line["image"]) if line["image"] else None
    return Item(line["id"], image, tuple(line["references"]), tuple(line["tags"]))


def _caption_to_json(caption: Caption) -> dict[str, Any]:
    reply = None  # vars() is ten times as fast as asdict(), and this runs once per request
    if caption.reply:
        reply = {name: value for name, value in vars(caption.reply).items() if value not in (None, "")}
        reply.setdefault("text", "")
    return vars(caption) | {"reply": reply}


def _caption_from_json(line: Mapping[str, Any]) -> Caption:
    reply = Reply(**line["reply"]) if line["reply"] else None
    caption = {**line, "outcome": Outcome(line["outcome"]), "reply": reply}
    if "cached" in caption:  # of version 0.1.0, where a reply from a file has the finish reason "supplied"
        supplied = reply is not None and reply.finish_reason == "supplied"
        caption["source"] = "model" if not caption.pop("cached") else "file" if supplied else "cache"
    return Caption(**caption)


def _results_to_json(results: Results, measurements: Sequence[Measurement]) -> dict[str, Any]:
    aggregates = {measurement.name: measurement.aggregate for measurement in measurements}
    scores = {}
    for score in results.scores:
        document = asdict(score)
        del document["name"]
        if score.computed:
            del document["reason"]
            document["aggregate"] = aggregates[score.name]
        else:
            document = {"reason": score.reason}
        scores[score.name] = document | {"computed": score.computed}
    return {
        "images": results.images,
        "captioned": results.captioned,
        "outcomes": dict(results.outcomes),
        "images_per_second": results.images_per_second,
        "cost_usd": results.cost_usd,
        "confidence": results.confidence,
        "scores": scores,
        "style": asdict(results.style) if results.style else None,
        "fingerprint": results.fingerprint,
    }


def _results_from_json(document: Mapping[str, Any]) -> Results:
    return Results(
        images=document["images"],
        outcomes=document["outcomes"],
        scores=tuple(
            Score(
                name, **{key: value for key, value in score.items() if key not in ("computed", "aggregate")}
            )
            for name, score in document["scores"].items()
        ),
        confidence=document["confidence"],
        images_per_second=document["images_per_second"],
        cost_usd=document["cost_usd"],
        style=Style(**document["style"]) if document["style"] else None,
        fingerprint=document["fingerprint"],
    )
