"""A run folder of somebody else is data: reading it ends with a result or with one clear error.

EVALUATOR_FUZZ=5000 tries so many changed folders in place of 200.
"""

from __future__ import annotations

import io
import json
import os
import random
import re
import shutil
import signal
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluator.comparison.compare import compare
from evaluator.comparison.pairs import Resampling
from evaluator.config.recorded import recorded_scorers
from evaluator.core import Caption, EvaluatorError, Item, Outcome
from evaluator.core.errors import ConfigError, StoreError
from evaluator.report.page.html import write_report
from evaluator.store.run import Run
from evaluator.store.run_folder import RunFolder
from tests.scored_runs import scored_run

FOLDERS = int(os.environ.get("EVALUATOR_FUZZ", "200"))
SECONDS_PER_FOLDER = 60  # far more than any needs: what takes longer hangs
FILES = ("manifest.json", "config.yaml", "scores.json", "items.jsonl", "captions.jsonl", "statistics.npz")
SCORERS = {
    "cider": {"_target_": "evaluator.scorers.cider.CIDEr", "variant": "D", "n": 4, "idf": "corpus"},
    "meteor": {"_target_": "evaluator.scorers.meteor.METEOR", "engine": "python", "java": "java"},
}
ODD_VALUES = (
    *(
        None,
        True,
        -1,
        0,
        1e308,
        float("nan"),
        float("inf"),
        10**400,
        2**63,
        "",
        "x" * 100_000,
        "\0",
        "\ud800",
    ),
    *("../../etc/passwd", [], {}, [[]], {"a": {"b": []}}, ["x"] * 1000, "${oc.env:HOME}", "9" * 5000),
)
ODD_ARRAYS: tuple[Any, ...] = (
    *(np.zeros(0), np.ones((5, 1)), np.full((5, 2), np.inf), np.ones((9, 2)), np.array(["1"] * 5)),
    *(np.array(["1", "2"]), np.ones((5, 2), np.int64), np.ones((5, 2, 2)), np.full((5, 2), -1e300)),
)


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run, from which somebody makes their own."""
    items = [
        Item(str(n), Path(f"/pictures/{n}.jpg"), (f"a dog {n}", "an animal"), ("dog",)) for n in range(6)
    ]
    captions: dict[str, str | Caption] = {item.id: f"a dog {item.id}" for item in items[:5]}
    captions["5"] = Caption("5", Outcome.REFUSED, error="no people")
    return scored_run(
        tmp_path_factory.mktemp("honest") / "run",
        captions,
        {"CIDEr": [0.1, 0.5, 0.7, 0.2, 0.9], "Mine": [0.1, 0.5, 0.7, 0.2, 0.4]},
        items,
        config={"scorer": SCORERS, "data": {"images": "/pictures"}},
    )


@pytest.fixture
def theirs(honest: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(honest, tmp_path / "theirs"))


@contextmanager
def ending() -> Iterator[None]:
    """The block ends, where the system can interrupt one that does not."""

    def stop(*_: object) -> None:
        raise AssertionError("reading does not end")

    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS_PER_FOLDER)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def read_everything(path: Path, output: Path | None = None) -> None:
    """What comparing, reporting and scoring again read of a run. Raises EvaluatorError and nothing else."""
    run = RunFolder.existing(path).load()
    recorded_scorers(run.config)
    comparison = compare([run], resampling=Resampling(resamples=3))
    comparison.per_image()
    if output:
        write_report(comparison, output, pictures=0)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where each value within a document is."""
    yield at
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from places(inner, (*at, key))


def with_odd_value(document: Any, chance: random.Random) -> Any:
    """The document with one value replaced, removed or wrapped."""
    *above, last = (None, *chance.choice(list(places(document))))
    if not above:
        return chance.choice(ODD_VALUES)
    holder = document
    for key in above[1:]:
        holder = holder[key]
    match chance.randrange(4):
        case 0:
            del holder[last]
        case 1:
            holder[last] = [holder[last]]
        case _:
            holder[last] = chance.choice(ODD_VALUES)
    return document


def with_odd_bytes(content: bytes, chance: random.Random) -> bytes:
    """The content cut off, with bytes changed, doubled, or replaced by something else."""
    at = chance.randrange(len(content))
    match chance.randrange(6):
        case 0:
            return content[:at]
        case 1:
            return content[:at] + chance.randbytes(chance.randrange(1, 9)) + content[at + 1 :]
        case 2:
            return content + content[at:]
        case 3:
            return chance.choice(
                (b"", b"\0" * 99, b"\n" * 999, b"[" * 99_999, b'{"a":' * 9999, b"PK\3\4", b"- " * 9999)
            )
        case 4:
            return content.replace(b"0", chance.choice((b"-", b"1e999", b"NaN", b"\xff", b"9" * 5000)))
        case _:
            return bytes(reversed(content))


def change(folder: Path, chance: random.Random) -> str:
    """Change one file of a folder; returns what was done."""
    name = chance.choice(FILES)
    path = folder / name
    if name == "statistics.npz" and chance.random() < 0.6:
        with np.load(path) as file:
            arrays = dict(file)
        chosen = chance.choice(list(arrays))
        arrays[chosen] = chance.choice(ODD_ARRAYS)
        np.savez(path, **arrays)
        return f"{name}: {chosen}"
    if name.endswith(("json", "jsonl")) and chance.random() < 0.7:
        lines = path.read_text("utf-8").splitlines() if name.endswith("l") else [path.read_text("utf-8")]
        at = chance.randrange(len(lines))
        lines[at] = json.dumps(with_odd_value(json.loads(lines[at]), chance))
        path.write_text("\n".join(lines) + "\n", "utf-8")
        return f"{name}: a value"
    path.write_bytes(with_odd_bytes(path.read_bytes(), chance))
    return f"{name}: bytes"


def test_changed_folders_are_read_or_refused_and_nothing_else(honest: Path, tmp_path: Path) -> None:
    refused = 0
    for number in range(FOLDERS):
        folder = Path(shutil.copytree(honest, tmp_path / str(number)))
        done = change(folder, random.Random(number))
        try:
            with ending():
                read_everything(folder, tmp_path / "report.html" if number % 20 == 0 else None)
        except EvaluatorError as error:
            refused += len(str(error)) < 3000
        except BaseException as error:
            raise AssertionError(f"folder {number} ({done}): {error!r}") from error
        shutil.rmtree(folder)
    assert refused > FOLDERS / 3, "most changes are mistakes"


# What somebody does on purpose.


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes among its files")
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", ["pipe", "link", "endless", "folder"])
def test_only_ordinary_files_are_read(theirs: Path, name: str, kind: str) -> None:
    kept = (theirs / name).rename(theirs.parent / name)
    match kind:
        case "pipe":
            os.mkfifo(theirs / name)
        case "link":
            (theirs / name).symlink_to(kept)
        case "endless":
            (theirs / name).symlink_to("/dev/zero")
        case "folder":
            (theirs / name).mkdir()
    with ending(), pytest.raises(StoreError, match=re.escape(name)):
        read_everything(theirs)


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="this system follows links")
@pytest.mark.parametrize("name", ["captions.jsonl", ".lock"])
def test_nothing_is_written_through_a_link(theirs: Path, name: str) -> None:
    mine = theirs.parent / "mine"
    mine.write_text("mine")
    (theirs / name).unlink(missing_ok=True)
    (theirs / name).symlink_to(mine)
    with pytest.raises(StoreError, match="symbolic link"), RunFolder(theirs).ledger() as ledger:
        ledger.record(Caption("1", Outcome.OK))
    assert mine.read_text() == "mine"


def test_a_large_file_is_not_read(theirs: Path) -> None:
    with (theirs / "scores.json").open("ab") as file:
        file.truncate(50_000_000)  # takes no space on the disk
    with pytest.raises(StoreError, match=r"scores\.json is larger than the 10 MB"):
        read_everything(theirs)


BOMB = "\n".join(
    [
        "a: &a [x]",
        *(
            f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]"
            for old, new in zip("abcdefgh", "bcdefghi", strict=True)
        ),
    ]
)


@pytest.mark.parametrize("text", [BOMB, "a: &a [*a]", "[" * 900_000, "a: " + "1:" * 9999 + "1", "- " * 900])
def test_a_config_that_never_ends_is_refused(theirs: Path, text: str) -> None:
    (theirs / "config.yaml").write_text(text)
    with ending(), pytest.raises(StoreError, match=r"config\.yaml"):
        read_everything(theirs)


def test_a_program_that_their_config_names_is_not_run(theirs: Path) -> None:
    scorers: Any = recorded_scorers(
        {
            "scorer": {
                "meteor": {
                    "_target_": "evaluator.scorers.meteor.METEOR",
                    "engine": "java",
                    "java": "theirs/java",
                    "memory": "900G",
                    "processes": 900,
                },
                "spice": {"_target_": "evaluator.scorers.spice.SPICE", "java": "x", "folder": "theirs"},
                "clipscore": {
                    "_target_": "evaluator.scorers.clipscore.CLIPScore",
                    "checkpoint": "theirs/checkpoint",
                    "device": "meta",
                    "batch_size": 10**9,
                    "safetensors_only": False,
                    "dtype": "float16",
                },
                "cider": {"_target_": "evaluator.scorers.cider.CIDEr", "idf": "theirs/table.json.gz", "n": 3},
            }
        }
    )
    assert (scorers["meteor"].engine, scorers["meteor"].java, scorers["meteor"].processes) == (
        "python",
        "java",
        None,
    )
    assert (scorers["spice"].java, scorers["spice"].folder) == ("java", None)
    clip = scorers["clipscore"]
    assert (clip.checkpoint, clip.device, clip.batch_size) == ("openai/clip-vit-base-patch32", "auto", 64)
    assert (clip.safetensors_only, clip.dtype) == (True, "float16"), "what changes a score only is theirs"
    assert (scorers["cider"].idf, scorers["cider"].n) == ("corpus", 3)


@pytest.mark.parametrize("options", [{"n": 1_000_000}, {"sigma": "x" * 9999}, {"variant": ["D"] * 99}])
def test_options_of_a_recorded_scorer_are_bounded(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"scorer\.cider\.") as refusal:
        recorded_scorers({"scorer": {"cider": SCORERS["cider"] | options}})
    assert len(str(refusal.value)) < 1000


# Baselines.


def baseline(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "change",
    [
        lambda members: {**members, "theirs/scores.json": bytes(20_000_000)},  # 20 kB when packed
        lambda members: {**members, "other/manifest.json": b"{}"},
        lambda members: {f"../{name}": content for name, content in members.items()},
        lambda members: {name: content for name, content in members.items() if "items" not in name},
        lambda members: {},
    ],
    ids=["bomb", "two runs", "outside", "no items", "nothing"],
)
def test_a_baseline_that_is_none_is_refused_and_unpacks_nothing(
    theirs: Path, change: Callable[[dict[str, bytes]], dict[str, bytes]], tmp_path: Path
) -> None:
    members = {f"theirs/{name}": (theirs / name).read_bytes() for name in FILES}
    path = baseline(tmp_path / "theirs.zip", change(members))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(StoreError, match=r"theirs\.zip"):
        read_everything(path)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_baseline_is_packed_as_ours_are(theirs: Path, tmp_path: Path) -> None:
    members = {f"theirs/{name}": (theirs / name).read_bytes() for name in FILES}
    read_everything(baseline(tmp_path / "ours.zip", members))
    with pytest.raises(StoreError, match="packed in another way"):
        read_everything(baseline(tmp_path / "theirs.zip", members, zipfile.ZIP_LZMA))


def test_a_baseline_replaces_the_old_one_whole(theirs: Path, tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "baseline.zip"
    RunFolder(theirs).export(path)
    before = path.read_bytes()

    def fail(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(zipfile.ZipFile, "writestr", fail)
    with pytest.raises(KeyboardInterrupt):
        RunFolder(theirs).export(path)
    assert path.read_bytes() == before
    assert Run(path).results == Run(theirs).results
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")] == []


def test_an_array_that_announces_more_than_it_holds_is_refused(theirs: Path) -> None:
    with np.load(theirs / "statistics.npz") as file:
        arrays = dict(file)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (10**12, 2)}
    )
    with zipfile.ZipFile(theirs / "statistics.npz", "w") as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.save(buffer, array)
            archive.writestr(f"{name}.npy", header.getvalue() if name == "CIDEr" else buffer.getvalue())
    with pytest.raises(StoreError, match=r"statistics\.npz .*does not have the size that it announces"):
        read_everything(theirs)
