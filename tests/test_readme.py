"""README.md does what it says: its files are written, its commands are typed, in its order."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.world import blocks, commands, make_world, typed

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that the commands of the README name, with the files that it shows."""
    pytest.importorskip("torch")
    world = make_world(tmp_path_factory.mktemp("readme"))
    for language in ("python", "yaml"):
        for block in blocks(README, language):
            (name,) = re.findall(r"^# (\S+\.(?:py|yaml))$", block, flags=re.MULTILINE)
            path = world / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block)
    return world


def printed_by(command: str, folder: Path) -> str:
    """What the command prints; the test fails where it fails."""
    done = typed(command, folder)
    # 1 is the gate's answer for captions that are worse, as those of tiny models to a question are.
    accepted = (0, 1) if "evaluator regress" in command else (0,)
    assert done.returncode in accepted, f"{command}\n{done.stderr}"
    return done.stdout


def test_every_command_works(folder: Path) -> None:
    printed_by("evaluator score captions.json --references dataset_coco.json --output runs/ours", folder)
    typed_here = [command for command in commands(README) if command.startswith("evaluator ")]
    assert len(typed_here) >= 9
    needing_a_key = [c for c in typed_here if "model=gemini" in c and not c.startswith("evaluator plan")]
    assert len(needing_a_key) == 2
    for command in needing_a_key:
        done = typed(command, folder)
        assert done.returncode == 2, done.stdout + done.stderr
        assert "GEMINI_API_KEY" in done.stderr
    printed = {command: printed_by(command, folder) for command in typed_here if command not in needing_a_key}
    assert "US dollars" in next(text for command, text in printed.items() if "evaluator plan" in command)
    (six_runs,) = (text for command, text in printed.items() if "model=git,blip,blip2" in command)
    assert all(
        f"{model} {prompt}" in six_runs for model in ("git", "blip", "blip2") for prompt in ("none", "photo")
    )
    made = [path.name for path in (folder / "runs").glob("coco-*-*-*") if "gemini" not in path.name]
    assert len(made) == 8  # six, and a sample with each of two prompts
    assert "Shouting" in next(text for command, text in printed.items() if "shouting" in command)
    assert (folder / "leaderboard.html").is_file()
    assert "CIDEr|variant:D" in printed_by(f"{sys.executable} library.py", folder)


def test_the_makefile_has_every_target_named() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = {
        word for command in commands(README) if command.startswith("make ") for word in command.split()[1:]
    }
    assert named
    assert all(
        re.search(rf"^{target}:", makefile, re.MULTILINE) for target in {*named, "test", "lint", "bench"}
    )


def test_every_link_leads_somewhere() -> None:
    for page in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "CHANGELOG.md",
        *ROOT.glob("docs/*.md"),
    ):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert target.startswith("https://") or (page.parent / target).exists(), f"{page.name}: {target}"
