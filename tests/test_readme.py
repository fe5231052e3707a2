"""README.md and docs/extending.md do what they say: their files are written, their commands are typed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.world import blocks, commands, make_world, typed

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXTENDING = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that the commands of both pages name, with the files that they show."""
    pytest.importorskip("torch")
    world = make_world(tmp_path_factory.mktemp("readme"))
    for language in ("python", "yaml"):
        for block in blocks(EXTENDING, language):
            (name,) = re.findall(r"^# (\S+\.(?:py|yaml))$", block, flags=re.MULTILINE)
            path = world / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block)
    return world


def printed_by(command: str, folder: Path) -> str:
    """What the command prints; the test fails where it fails."""
    done = typed(command, folder)
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    return done.stdout


def heads(text: str) -> set[str]:
    """The heads of the tables in a text."""
    return {head.strip() for line in text.splitlines() if line.startswith("┃") for head in line.split("┃")}


def test_every_command_works(folder: Path) -> None:
    typed_here = [command for command in commands(README) if command.startswith("evaluator ")]
    assert len(typed_here) >= 6
    (needing_a_key,) = (c for c in typed_here if "gemini" in c and not c.startswith("evaluator plan"))
    done = typed(needing_a_key, folder)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "GEMINI_API_KEY" in done.stderr
    printed = {command: printed_by(command, folder) for command in typed_here if command != needing_a_key}
    assert "US dollars" in next(text for command, text in printed.items() if "evaluator plan" in command)
    (six_runs,) = (text for command, text in printed.items() if "prompt=none,photo" in command)
    assert all(
        f"{model} {prompt}" in six_runs for model in ("git", "blip", "blip2") for prompt in ("none", "photo")
    )
    assert len(heads(README)) > 9
    assert heads(README) <= heads(six_runs)  # the demo's table has the columns of today
    made = [path.name for path in (folder / "runs").glob("coco-*-*-*") if "gemini" not in path.name]
    assert len(made) == 6
    assert (folder / "comparison.html").is_file()


def test_components_of_one_s_own_work(folder: Path) -> None:
    typed_there = [command for command in commands(EXTENDING) if command.startswith("evaluator ")]
    assert len(typed_there) == 3
    printed = [printed_by(command, folder) for command in typed_there]
    assert "Shouting" in printed[-1]


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
