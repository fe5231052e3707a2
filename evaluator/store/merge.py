"""Parts of one run, made anywhere, become one run.

    shards = [RunFolder.existing(path).load() for path in ("runs/a-shard1of2", "runs/a-shard2of2")]
    merge(shards, RunFolder(Path("runs/a")))

The parts must be of the same data, model and prompt, and share no image. Every attempt, its cost and its
requests are kept, so that the merged run costs what its parts cost.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

from evaluator.config.identity import dataset_digest
from evaluator.core import Caption, Item
from evaluator.core.errors import StoreError
from evaluator.files.json_bytes import encode_json
from evaluator.store import draws, request_log
from evaluator.store.formats import caption_from_line, caption_to_json, request_from_line
from evaluator.store.judgements import ANSWERS, FOLDER
from evaluator.store.reading import read_appended
from evaluator.store.request_log import RequestLine, unsettled
from evaluator.store.run import Run
from evaluator.store.run_files import FolderFiles, RunFiles
from evaluator.store.run_folder import RunFolder

SHARD = re.compile(r"(\d{1,6})/(\d{1,6})")
SHARD_IN_NAME = re.compile(r"-shard\d+of\d+")


@dataclass(frozen=True)
class Parts:
    """Runs that fit together, in the order of their shards."""

    runs: Sequence[Run]
    missing: Sequence[str]  # shards that are not among them, such as 4/16

    @property
    def name(self) -> str:
        """What the whole run is called by itself."""
        return SHARD_IN_NAME.sub("", self.runs[0].manifest.name or self.runs[0].name)

    @property
    def items(self) -> list[Item]:
        """In the order of the data set, of which shard i of n has each n-th image, from the i-th on."""
        if all(shard_of(run) for run in self.runs):
            rounds = zip_longest(*(run.items for run in self.runs))
            return [item for each in rounds for item in each if item is not None]
        return [item for run in self.runs for item in run.items]


def parts_of(runs: Sequence[Run]) -> Parts:
    """The runs as parts of one. Raises StoreError where they are of different runs, or share an image."""
    shards = [shard_of(run) for run in runs]
    known = [shard for shard in shards if shard]
    missing: list[str] = []
    if len(known) == len(runs):
        if len(counts := {count for _, count in known}) > 1:
            raise StoreError(
                f"these are shards of {' and of '.join(str(count) for count in sorted(counts))}: "
                "shards of one run have the same number behind the slash"
            )
        runs = [run for _, run in sorted(zip(known, runs, strict=True), key=lambda pair: pair[0])]
        count = known[0][1]
        missing = [f"{index}/{count}" for index in range(1, count + 1) if (index, count) not in known]
    first, owner = runs[0], dict[str, Run]()
    for run in runs:
        if changed := first.manifest.changed_options(run.manifest):
            lines = [f"  {option}: {here!r} and {there!r}" for option, here, there in changed]
            raise StoreError("\n".join([f"{first.path} and {run.path} are not parts of one run:", *lines]))
        if shared := [item.id for item in run.items if item.id in owner]:
            raise StoreError(
                f"{run.path} and {owner[shared[0]].path} both hold {len(shared):,} of the images, such as "
                f"{shared[0]!r}. Each image may be in one part only"
            )
        owner |= dict.fromkeys((item.id for item in run.items), run)
    return Parts(runs, missing)


def shard_of(run: Run) -> tuple[int, int] | None:
    """Which part of how many a run is by its config.yaml; None where it is no shard."""
    match = SHARD.fullmatch(str(run.config.get("shard") or ""))
    return (int(match[1]), int(match[2])) if match else None


def merge(parts: Parts, folder: RunFolder) -> Run:
    """Write the whole run, at once or not at all. Raises StoreError where the folder holds something."""
    if folder.path.exists():
        raise StoreError(
            f"{folder.path} is there already. Delete it, or type --output with another folder; "
            "the parts are kept"
        )
    items, first = parts.items, parts.runs[0]
    environments = [each for run in parts.runs for each in run.manifest.environments]
    manifest = replace(
        first.manifest,
        name=folder.path.name,
        dataset_digest=dataset_digest(items),
        images=len(items),
        environment=environments[0],
        resumed=tuple(environments[1:]),
    )
    begun = RunFolder(folder.path.with_name(f".{folder.path.name}.merging-{os.getpid()}"))
    try:
        # Pictures are shown only where every part knows that its list of them was written here.
        own = all(run.has_own_items for run in parts.runs)
        begun.begin(manifest, whole(first.config, folder.path.name), items, are_own=own)
        with begun.writing():
            write_appended(begun.path, [run.files for run in parts.runs], "captions.jsonl")
            if any(run.drawn.captions for run in parts.runs):
                folders = [FolderFiles(run.path / draws.FOLDER) for run in parts.runs]
                write_appended(begun.path / draws.FOLDER, folders, "captions.jsonl")
            for judge in judges_of(parts.runs):
                folders = [FolderFiles(run.path / FOLDER / judge) for run in parts.runs]
                write_appended(begun.path / FOLDER / judge, folders, ANSWERS)
            os.rename(begun.path, folder.path)
    finally:
        shutil.rmtree(begun.path, ignore_errors=True)
    return folder.load()


def whole(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The config.yaml of a part as that of the whole run."""
    return {**config, "shard": None, **({"name": name} if config.get("name") else {})}


def judges_of(runs: Sequence[Run]) -> list[str]:
    """The folders of all judges that were asked about the runs."""
    return sorted({path.parent.name for run in runs for path in (run.path / FOLDER).glob(f"*/{ANSWERS}")})


def write_appended(folder: Path, parts: Sequence[RunFiles], name: str) -> None:
    """Write the attempts and the requests of all parts into a folder; `name` is that of the attempts."""
    captions, requests = appended(parts, name)
    folder.mkdir(parents=True, exist_ok=True)
    write_lines(folder / name, [caption_to_json(caption) for caption in captions])
    if requests:
        write_lines(folder / request_log.NAME, [line.document for line in requests])


def appended(parts: Sequence[RunFiles], name: str) -> tuple[list[Caption], list[RequestLine]]:
    """Every attempt and every request; each part's requests are numbered behind those before.

    Raises StoreError where a part waits for batch jobs, which no other folder knows.
    """
    captions: list[Caption] = []
    requests: list[RequestLine] = []
    last = 0
    for files in parts:
        of_part = list(read_appended(files, name, caption_from_line))
        lines = list(read_appended(files, request_log.NAME, request_from_line))
        if any(line.job for line in unsettled(lines, of_part).values()):
            raise StoreError(
                f"{files.where(name)}: answers of batch jobs have not been collected. Type the command of "
                "this part again, with runner=batch"
            )
        captions += [
            replace(caption, requests=tuple(last + number for number in caption.requests))
            for caption in of_part
        ]
        requests += [replace(line, request=last + line.request) for line in lines]
        numbers = [line.request for line in lines]
        numbers += [number for caption in of_part for number in caption.requests]
        last += max(numbers, default=0)
    return captions, requests


def write_lines(path: Path, documents: Sequence[Mapping[str, Any]]) -> None:
    with path.open("xb") as file:
        file.writelines(encode_json(document) + b"\n" for document in documents)
        file.flush()
        os.fsync(file.fileno())
