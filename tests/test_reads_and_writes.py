"""In one command, each file of a run folder is read at most once and written at most once."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.forked import Forked, command_line

REFERENCES = {
    "images": [{"id": n, "file_name": f"{n}.png"} for n in range(12)],
    "annotations": [
        {"image_id": n, "caption": text}
        for n in range(12)
        for text in (f"a cat number {n} on a mat", f"the cat {n} sits")
    ],
}


def audited(*arguments: str) -> Callable[[], None]:
    """Runs the command and writes what it opened, and whether for writing, to opened.json."""

    def run() -> None:
        opened: list[tuple[str, bool]] = []

        def hook(event: str, found: tuple[Any, ...]) -> None:
            if event == "open" and isinstance(found[0], str | bytes):
                path, mode, flags = os.fsdecode(found[0]), found[1], found[2] or 0
                writes = bool(flags & (os.O_WRONLY | os.O_RDWR)) or (mode or "").strip("rbt") != ""
                opened.append((path, writes))

        sys.addaudithook(hook)
        try:
            command_line(*arguments)()
        finally:
            Path("opened.json").write_text(json.dumps(opened))

    return run


def counts(folder: Path, *arguments: str) -> tuple[Counter[str], Counter[str]]:
    """How often a command reads and writes each file below the folder, by the file's own name."""
    done = Forked(audited(*arguments), folder).finish()
    assert done.returncode == 0, done.stderr
    reads, writes = Counter[str](), Counter[str]()
    opened = json.loads((folder / "opened.json").read_text())
    # A temporary file is created and then written: one write, of the file whose place it takes.
    temporary = {path for path, _ in opened if Path(path).name.startswith(".")}
    for path, is_written in [*[(path, True) for path in temporary], *opened]:
        if is_written and path in temporary:
            temporary.discard(path)
        elif Path(path).name.startswith("."):
            continue
        inside = (folder / path).resolve()
        if not inside.is_relative_to(folder) or inside.is_relative_to(folder / "cache"):
            continue
        if inside.name == ".lock":  # opened to be locked
            continue
        name = inside.relative_to(folder).as_posix()
        if inside.name == ".lock":
            continue
        if inside.name.startswith("."):  # .scores.json.XXXX takes the place of scores.json
            name = inside.with_name(inside.name[1:].rpartition(".")[0]).relative_to(folder).as_posix()
        (writes if is_written else reads)[name] += 1
    return reads, writes


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "references.json").write_text(json.dumps(REFERENCES))
    for name in ("one", "two"):
        captions = [{"image_id": n, "caption": f"a cat number {n} {name}"} for n in range(12)]
        (tmp_path / f"{name}.json").write_text(json.dumps(captions))
    monkeypatch.setenv("EVALUATOR_CACHE", str(tmp_path / "cache"))
    return tmp_path


SCORE = ("score", "one.json", "two.json", "--references", "references.json", "--output", "runs")
TEXT_METRICS = ("--scorer", "bleu", "--scorer", "rouge", "--scorer", "cider")


def test_scoring_captions_files_reads_nothing_that_it_wrote(folder: Path) -> None:
    reads, writes = counts(folder, *SCORE, *TEXT_METRICS)
    of_runs = {name: count for name, count in reads.items() if name.startswith("runs/")}
    assert {name for name in of_runs if not name.endswith("captions.jsonl")} == set()
    assert set(of_runs.values()) <= {1}
    assert writes["runs/one/scores.json"] == writes["runs/one/manifest.json"] == 1
    assert set(writes.values()) == {1}, writes


@pytest.mark.parametrize("change", ["resamples=1000", "resamples=50"])
def test_a_finished_run_is_read_once(folder: Path, change: str) -> None:
    counts(folder, *SCORE, *TEXT_METRICS)
    reads, writes = counts(folder, *SCORE, *TEXT_METRICS, change)
    assert {name: n for name, n in reads.items() if name.startswith("runs/") and n > 1} == {}
    assert set(writes.values()) == {1}, writes


def test_scoring_a_run_again_reads_each_file_once(folder: Path) -> None:
    counts(folder, *SCORE, *TEXT_METRICS)
    reads, writes = counts(folder, "score", "runs/one", "runs/two", "resamples=50")
    assert reads["runs/one/captions.jsonl"] == reads["runs/one/items.jsonl"] == 1
    assert {name: n for name, n in reads.items() if name.startswith("runs/") and n > 1} == {}
    assert set(writes.values()) == {1}, writes


def test_annotations_and_captions_files_are_hashed_once_and_parsed_once(folder: Path) -> None:
    """Once for the hash and once to be parsed; two runs share the annotations."""
    reads, _ = counts(folder, *SCORE, *TEXT_METRICS)
    assert reads["one.json"] == reads["two.json"] == reads["references.json"] == 2
