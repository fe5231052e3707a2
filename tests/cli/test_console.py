"""What the terminal is given: text that it cannot obey, tables that fit, and exit codes to trust."""

from __future__ import annotations

import errno
import io
import logging
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

import evaluator.cli
from evaluator.cli.console import ExitCode
from evaluator.cli.main import cli, exit_code
from evaluator.core import Caption, Outcome
from evaluator.core.errors import ConfigError
from evaluator.store.manifest import Environment
from tests.scored_runs import scored_run

Type = Callable[..., tuple[int, str, str]]
CAPTIONS = {str(number): "a dog" for number in range(20)}
SCORES = [number / 20 for number in range(20)]
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def type_(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Type]:
    """Runs a command in the test's folder: its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    logger = logging.getLogger("evaluator")
    before = logger.handlers

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["evaluator", *map(str, arguments)])
        code = exit_code()
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    yield run
    logger.handlers = before


def test_what_is_not_a_run_is_left_out_with_one_line(type_: Type, tmp_path: Path) -> None:
    runs = [scored_run(tmp_path / "runs" / name, CAPTIONS, {"CIDEr": SCORES}) for name in ("a", "b")]
    (tmp_path / "runs" / "sweep").mkdir()
    (tmp_path / "runs" / "notes.txt").write_text("x")
    everything = sorted((tmp_path / "runs").iterdir())
    for command in ("compare", "leaderboard", "report"):
        code, _, err = type_(command, *everything)
        assert code == ExitCode.OK, err
        (line,) = [line for line in err.splitlines() if "not runs" in line]
        assert "notes.txt" in line
        assert "sweep" in line
    assert type_("leaderboard", *everything, "--site", "site")[0] == ExitCode.OK
    assert sorted(path.stem for path in (tmp_path / "site" / "runs").iterdir()) == ["a", "b"]
    assert type_("compare", *runs)[2] == ""
    code, _, err = type_("compare", *runs, "runs/typo")
    assert code == ExitCode.MISTAKE
    assert "there is no run 'runs/typo'" in err
    code, _, err = type_("compare", tmp_path / "runs" / "sweep")
    assert code == ExitCode.MISTAKE
    assert "is not a run folder" in err


def test_the_runs_that_are_there(type_: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    environment = Environment(started="2026-11-25T10:00:00")
    whole = tmp_path / "runs" / "whole"
    scored_run(whole, CAPTIONS, {"CIDEr": SCORES}, cost_usd=0.0034, environment=environment)
    part = dict(CAPTIONS) | {"3": Caption("3", Outcome.ERROR, error="x")}
    scored_run(tmp_path / "runs" / "deep" / "part", part, {"CIDEr": SCORES[:19]})
    (scored_run(tmp_path / "runs" / "new", CAPTIONS, {"CIDEr": SCORES}) / "scores.json").unlink()
    (scored_run(tmp_path / "runs" / "odd", CAPTIONS, {"CIDEr": SCORES}) / "manifest.json").write_text("{")
    code, out, err = type_("runs")
    assert code == ExitCode.OK, err
    row = next(line for line in out.splitlines() if "whole" in line)
    assert [cell.strip() for cell in row.split("│")[1:-1]] == [
        *("whole", "20", "CIDEr 47.5", "$0.0034", "2026-11-25")
    ]
    for expected in (
        "(whole on pets)",
        "(100.00 %)",
        "(complete)",
        "deep/part",
        "(incomplete)",
        "(no scores)",
    ):
        assert expected in out
    assert "new was not scored yet. Type: evaluator score" in out
    assert "(unreadable)" in out
    assert "holds no run. Type: evaluator run" in type_("runs", tmp_path / "nowhere")[1]


def test_a_run_beside_itself_and_beside_its_twin(type_: Type, tmp_path: Path) -> None:
    for name in ("a", "b"):
        scored_run(tmp_path / name, CAPTIONS, {"CIDEr": SCORES})
    code, _, err = type_("regress", "a", "./a", "--gate", "CIDEr>=-1")
    assert code == ExitCode.MISTAKE
    assert "are the same folder" in err
    assert "evaluator regress runs/before runs/after" in err
    code, out, _ = type_("regress", "a", "b", "--gate", "CIDEr>=-1")
    assert code == ExitCode.OK
    assert "b passes against a (both have the same captions): every gate holds" in out


def test_folders_of_output_files_are_made(type_: Type, tmp_path: Path) -> None:
    for name in ("a", "b"):
        scored_run(tmp_path / name, CAPTIONS, {"CIDEr": SCORES})
    forms = {"--junit": "new/deep/j.xml", "--markdown": "new/m.md", "--json": "other/j.json"}
    options = [each for pair in forms.items() for each in pair]
    assert type_("regress", "a", "b", "--gate", "CIDEr>=-1", *options)[0] == ExitCode.OK
    assert type_("baseline", "a", "--output", "kept/a.zip")[0] == ExitCode.OK
    assert all((tmp_path / path).stat().st_size for path in (*forms.values(), "kept/a.zip"))


def test_an_error_names_the_path_that_failed(type_: Type, tmp_path: Path) -> None:
    for name in ("a", "b"):
        scored_run(tmp_path / name, CAPTIONS, {"CIDEr": SCORES})
    (tmp_path / "file").write_text("")
    for arguments in (
        ("regress", "a", "b", "--gate", "CIDEr>=-1", "--junit", "file/j.xml"),
        ("baseline", "a", "--output", "file/deep/a.zip"),
        ("report", "a", "--output", "file/r.html"),
    ):
        code, _, err = type_(*arguments)
        assert code == ExitCode.MISTAKE
        assert "file" in err
        assert "Traceback" not in err


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (PermissionError(13, "Permission denied", "runs/x"), "error: runs/x: Permission denied"),
        (OSError("odd"), "error: the system: odd"),
        (ValueError("\x1b[2Jodd"), "ValueError: ␛[2Jodd"),
    ],
)
def test_what_nobody_foresaw_is_not_a_failed_gate(
    type_: Type, monkeypatch: pytest.MonkeyPatch, error: Exception, shown: str
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(cli.commands["list"], "callback", fail)
    code, _, err = type_("list")
    assert code == ExitCode.FAULT != ExitCode.FAILED
    assert shown in err


def test_a_terminal_is_given_nothing_to_obey(type_: Type, tmp_path: Path) -> None:
    odd = "\x1b]0;owned\x07\x9b31m\u202e"
    caption = dict.fromkeys(CAPTIONS, f"a dog {odd}")
    reasons = {"SPICE": f"no Java {odd}"}
    for name, scores in ((f"a{odd}", SCORES), (f"b{odd}", SCORES[::-1])):
        scored_run(tmp_path / "runs" / name, caption, {f"CIDEr{odd}": scores}, reasons=reasons)
    runs = sorted((tmp_path / "runs").iterdir())
    for arguments in (
        ("compare", *runs),
        ("leaderboard", *runs, "--format", "table"),
        ("regress", *runs, "--gate", f"CIDEr{odd}>=-1"),
        ("regress", *runs, "--gate", f"nothing{odd}"),
        ("runs",),
        ("compare", *runs, tmp_path / f"typo{odd}"),
    ):
        _, out, err = type_(*arguments)
        assert not OBEYED.search(out + err), arguments
        assert "]0;" in out + err
    logging.getLogger("evaluator").warning("a caption said %s", odd)


def test_the_log_is_printable(type_: Type, capsys: pytest.CaptureFixture[str]) -> None:
    type_("list", "models")
    logging.getLogger("evaluator").warning("a model said %s", "\x1b[8mhidden")
    assert "a model said ␛[8mhidden" in capsys.readouterr().err


@pytest.mark.parametrize("columns", [80, 120])
def test_tables_fit_the_terminal_unless_wide_was_typed(
    type_: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr("evaluator.cli.console.sys.stdout.isatty", lambda: True)
    metrics = ["BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "METEOR", "ROUGE-L", "CIDEr", "SPICE", "CLIPScore"]
    runs = [scored_run(tmp_path / name, CAPTIONS, dict.fromkeys(metrics, SCORES)) for name in ("a", "b" * 50)]
    for arguments in (("compare", *runs), ("leaderboard", *runs), ("list",), ("runs", tmp_path)):
        lines = click.unstyle(type_(*arguments)[1]).splitlines()
        assert max(len(line) for line in lines if line.startswith(("│", "┃", "  "))) <= columns
    first = click.unstyle(type_("compare", *runs)[1]).split("┏")[1]
    assert "CIDEr" in first
    assert first.count("(45.5–49.5)") >= 2
    assert max(map(len, click.unstyle(type_("compare", *runs, "--wide")[1]).splitlines())) > columns


def test_everything_goes_through_the_console() -> None:
    folder = Path(evaluator.cli.__file__).parent
    printing = re.compile(r"click\.s?echo\(|(?<![\w.])print\(|\bConsole\(")
    found = [path.name for path in folder.glob("*.py") if printing.search(path.read_text(encoding="utf-8"))]
    assert found == ["console.py"]


class ClosedTerminal(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.EIO, "Input/output error")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.EIO, "Input/output error"), ExitCode.FAULT),
        (RuntimeError("unforeseen"), ExitCode.FAULT),
        (ConfigError("wrong"), ExitCode.MISTAKE),
        (click.UsageError("wrong"), ExitCode.MISTAKE),
        (KeyboardInterrupt(), ExitCode.INCOMPLETE),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_closed_terminal_changes_no_exit_code(
    error: BaseException, code: ExitCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(cli, "main", fail)
    monkeypatch.setattr(sys, "stderr", ClosedTerminal())
    assert exit_code() == code
