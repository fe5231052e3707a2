"""Files that version 0.1.0 wrote before components had a `kind`: they are still resumed, reused and read.

tests/first_version holds its run folders, its cache of paid answers and a baseline. No server runs here: a
question that the cache did not answer would end in an error.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import evaluator

FILES = Path(__file__).parent / "first_version"
PACKAGE = Path(evaluator.__file__).parent
MODELS = {
    "openai": ("gpt-mini", "http://127.0.0.1:18765/v1"),
    "anthropic": ("claude-haiku", "http://127.0.0.1:18765"),
    "gemini": ("gemini", "http://127.0.0.1:18765"),
    "generativeai": ("gemini-generativeai", "http://127.0.0.1:18765"),
}

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, meteor_tables: Path) -> Path:
    """A copy in the test's own folder, with this machine's paths and without a key that would be accepted."""
    shutil.copytree(FILES, tmp_path, dirs_exist_ok=True)
    for path in tmp_path.glob("runs/tiny-git/*.*"):
        path.write_bytes(path.read_bytes().replace(b"@package@", str(PACKAGE).encode()))
    (tmp_path / "cache" / "meteor").symlink_to(meteor_tables)
    monkeypatch.setenv("EVALUATOR_CACHE", str(tmp_path / "cache"))
    for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.setenv(variable, "a-key-that-no-server-knows")
    return tmp_path


def lines(run: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (run / "captions.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("backend", MODELS)
def test_a_run_is_resumed_and_its_paid_answers_are_reused(
    backend: str, files: Path, command: Command
) -> None:
    pytest.importorskip(
        {"generativeai": "google.generativeai", "gemini": "google.genai"}.get(backend, backend)
    )
    model, address = MODELS[backend]
    before = lines(files / "runs" / backend)
    done = command(
        *("run", f"model={model}", f"model.base_url={address}", "prompt=one-sentence", "data=coco"),
        *("data.images=pictures", "data.annotations=references.json", "scorer=[bleu]", f"name={backend}"),
    )
    assert done.returncode == 0, done.stderr
    after = lines(files / "runs" / backend)
    assert after[:2] == before
    assert [line["outcome"] for line in after] == ["ok"] * 4
    assert all(line["cost_usd"] == 0.0 for line in after[2:])


def test_a_local_run_is_resumed(files: Path, command: Command) -> None:
    pytest.importorskip("torch")
    before = lines(files / "runs" / "tiny-git")
    done = command("run", "model=tiny-git", "data=demo", "limit=4", "scorer=[bleu]", "name=tiny-git")
    assert done.returncode == 0, done.stderr
    after = lines(files / "runs" / "tiny-git")
    assert after[:3] == before
    assert len(after) == 4


def test_a_run_of_a_component_of_ones_own_is_resumed(files: Path, command: Command, own: Path) -> None:
    before = lines(files / "runs" / "scripted")
    done = command(
        *("run", "--config-dir", own, "model=scripted", "data=coco", "data.images=pictures"),
        *("data.annotations=references.json", "scorer=[bleu,words]", "name=scripted"),
    )
    assert done.returncode == 0, done.stderr
    after = lines(files / "runs" / "scripted")
    assert after[:2] == before
    assert len(after) == 4


def test_a_run_with_other_options_is_still_refused(files: Path, command: Command) -> None:
    done = command(
        *("run", "model=gpt-mini", "model.base_url=http://127.0.0.1:18765/v1", "prompt=photo", "data=coco"),
        *("data.images=pictures", "data.annotations=references.json", "scorer=[bleu]", "name=openai"),
    )
    assert done.returncode == 2
    assert "prompt.name" in done.stderr
    assert "class" not in done.stderr


def test_a_run_is_scored_again_by_its_own_config_with_the_same_numbers(files: Path, command: Command) -> None:
    pytest.importorskip("pycocoevalcap")
    path = files / "runs" / "theirs" / "scores.json"
    before = json.loads(path.read_text("utf-8"))["scores"]
    done = command("score", "runs/theirs", "seed=1")
    assert done.returncode == 0, done.stderr
    after = json.loads(path.read_text("utf-8"))["scores"]
    assert after.keys() == before.keys()
    for name, score in before.items():
        if score["computed"]:
            assert after[name]["value"] == pytest.approx(score["value"], abs=1e-12)
            assert after[name]["signature"] == score["signature"]


def test_a_baseline_is_compared_with_a_new_run(files: Path, command: Command) -> None:
    done = command("score", "captions.json", "--references", "references.json", "--output", "runs/new")
    assert done.returncode == 0, done.stderr
    done = command("regress", "baseline.zip", "runs/new", "--gate", "CIDEr>=-1.0", "--gate", "BLEU-4>=-1.0")
    assert done.returncode == 0, done.stderr + done.stdout
    assert "not computed in the same way" not in done.stderr


def test_runs_are_reported(files: Path, command: Command) -> None:
    done = command("report", "runs/theirs", "baseline.zip")
    assert done.returncode == 0, done.stderr
    assert (files / "report.html").is_file()
