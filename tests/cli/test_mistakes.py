"""What people type who come from another program: the answer says what to type here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from evaluator.cli.main import cli, without_dashes
from evaluator.core.errors import EvaluatorError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with pictures, captions and references."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "runs" / "git").mkdir(parents=True)
    (tmp_path / "runs" / "git" / "manifest.json").write_text("{}")
    (tmp_path / "captions.json").write_text(json.dumps([{"image_id": 1, "caption": "a dog"}]))
    document = {
        "images": [{"id": 1, "file_name": "1.jpg"}],
        "annotations": [{"image_id": 1, "caption": "A dog."}],
    }
    (tmp_path / "references.json").write_text(json.dumps(document))
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("run --model git", "No such option '--model'. Options of a run have no dashes: model=..."),
        ("run --budget-usd 3", "Options of a run have no dashes: budget_usd=..."),
        ("run git", "cannot read git. Did you mean model=git?"),
        ("run data=mine", "type data=folder data.images=mine"),
        ("run data=references.json", "type data=coco data.annotations=references.json"),
        ("compare runs", "It holds run folders: type runs/*"),
        ("list gemini", "Did you mean 'model/gemini'?"),
        ("list modles", "Did you mean 'model'?"),
        (
            "score captions.json references.json",
            "If references.json holds them, type evaluator score captions.json --references references.json",
        ),
    ],
)
def test_the_answer_says_what_to_type(command: str, answer: str) -> None:
    with pytest.raises((click.ClickException, EvaluatorError)) as raised:
        cli.main(command.split(), standalone_mode=False)
    error = raised.value
    said = without_dashes(error) if isinstance(error, click.NoSuchOption) else error
    assert answer in (said.format_message() if isinstance(said, click.ClickException) else str(said))


@pytest.mark.parametrize("command", ["run --nonsense", "compare --model git"])
def test_what_is_no_option_of_a_run_is_not_explained_as_one(command: str) -> None:
    with pytest.raises(click.NoSuchOption) as raised:
        cli.main(command.split(), standalone_mode=False)
    assert without_dashes(raised.value) is None


def test_options_of_every_run_are_listed_as_they_are_typed() -> None:
    listed = CliRunner().invoke(cli, ["list", "options"]).output
    assert "\nlimit=null  (" in listed
    assert "conf." not in listed


def options(command: click.Command, name: str) -> Iterator[tuple[str, click.Option]]:
    """The options of a command and of the commands below it, each with what is typed before it."""
    yield from ((name, each) for each in command.params if isinstance(each, click.Option))
    for below, each in getattr(command, "commands", {}).items():
        yield from options(each, f"{name} {below}")


def test_every_option_says_what_it_does() -> None:
    assert [f"{name} {option.opts[0]}" for name, option in options(cli, "evaluator") if not option.help] == []
