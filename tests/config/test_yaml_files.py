"""A YAML file of one's own that cannot be read is one error that names it, for every command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from evaluator.cli.main import cli
from evaluator.core.errors import ConfigError

# The content of model/own.yaml, and what is said about it.
DAMAGED = {
    "a tab": (b"a:\n\t- b\n", "cannot start any token"),
    "a key twice": (b"a: 1\na: 2\n", "found duplicate key a"),
    "NUL": (b"a: \0", "special characters are not allowed"),
    "Latin-1": (b"# caf\xe9\n_target_: x.Y\n", "can't decode byte 0xe9"),
    "a number": (b"5", "Invalid loaded object type: int"),
    "deep nesting": (b"[" * 5000, "recursion"),
    "an alias within itself": (b"a: &a [*a]\n", "recursion"),
    "a number as an option": (
        b"5: 6\n_target_: evaluator.models.replay.Replay\n",
        "model.5: there is no such option",
    ),
    "a tag of Python": (b"a: !!python/object/apply:os.abort []\n", "could not determine a constructor"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_file_is_named(case: str, tmp_path: Path) -> None:
    content, reason = DAMAGED[case]
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "own.yaml").write_bytes(content)
    done = CliRunner().invoke(cli, ["plan", "model=own", "data=demo", "--config-dir", str(tmp_path)])
    assert isinstance(done.exception, ConfigError), done.output
    assert re.search(reason, str(done.exception)), done.exception
    assert len(str(done.exception)) < 1000


@pytest.mark.parametrize("case", ["a tab", "NUL", "Latin-1", "deep nesting"])
def test_a_damaged_file_is_named_where_its_options_are_listed(case: str, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "own.yaml").write_bytes(DAMAGED[case][0])
    done = CliRunner().invoke(cli, ["list", "model/own", "--config-dir", str(tmp_path)])
    assert isinstance(done.exception, ConfigError), done.output
    assert str(tmp_path / "model" / "own.yaml") in str(done.exception)


@pytest.mark.parametrize("target", ["no.such.Thing", "[a]", "'${nothing}'"])
def test_a_class_that_does_not_exist_is_no_traceback(target: str, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "own.yaml").write_text(f"_target_: {target}\n")
    for command in (["list", "model/own"], ["plan", "model=own", "data=demo"]):
        done = CliRunner().invoke(cli, [*command, "--config-dir", str(tmp_path)])
        assert isinstance(done.exception, ConfigError), done.output
