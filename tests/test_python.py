"""docs/python.md does what it says, also inside a running event loop, as in a notebook."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from runpy import run_path

import pytest

import evaluator
from tests.forked import Forked

PAGE = (Path(__file__).parents[1] / "docs" / "python.md").read_text(encoding="utf-8")
SCRIPTS = dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE, re.DOTALL))


def run(folder: Path, name: str, in_a_notebook: bool = False) -> str:
    """What the page's script prints; in a notebook, a loop is running already."""
    (folder / name).write_text(SCRIPTS[name])

    async def cell() -> None:
        run_path(name)

    done = Forked(lambda: asyncio.run(cell()) if in_a_notebook else run_path(name), folder).finish()
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_has_both_scripts() -> None:
    assert list(SCRIPTS) == ["five_lines.py", "in_memory.py", "gates.py"]
    statements = [line for line in SCRIPTS["five_lines.py"].splitlines() if line and line[0] not in " #)"]
    assert len(statements) <= 6


@pytest.mark.parametrize("in_a_notebook", [False, True])
def test_five_lines_evaluate_compare_and_report(in_a_notebook: bool, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    printed = run(tmp_path, "five_lines.py", in_a_notebook)
    assert re.search(r"^tiny-git\s+\d\.\d+$", printed, re.MULTILINE)
    assert re.search(r"^tiny-blip\s+\d\.\d+$", printed, re.MULTILINE)
    assert "tiny-blip" in (tmp_path / "two_models.html").read_text()


def test_captions_in_memory_are_scored(tmp_path: Path) -> None:
    assert "CIDEr|variant:D|n:4|sigma:6|tok:ptb|refs:1-2|idf:corpus|images:2|v:" in run(
        tmp_path, "in_memory.py"
    )


def test_a_candidate_is_checked_against_a_baseline(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    assert run(tmp_path, "gates.py").splitlines()[-1] in ("True", "False")


def test_everything_that_is_exported_is_there_and_documented() -> None:
    for name in evaluator.__all__:
        assert getattr(evaluator, name) is not None
        assert name in dir(evaluator)
        assert name.startswith("__") or f"`{name}`" in PAGE, name


def test_scores_print_their_values_and_intervals() -> None:
    measured = evaluator.score(
        ["a cat on a mat", "dogs"], [["a cat on a mat"], ["two dogs"]], metrics=["BLEU"]
    )
    one = measured["BLEU-1"]
    assert one.low <= one.value <= one.high
    line = f"{one.value:.4f} ({one.low:.4f} to {one.high:.4f})"
    assert repr(one) == str(one) == f"BLEU-1 {line}"
    assert [text.split()[0] for text in repr(measured).splitlines()] == list(measured)
    assert f"<th>BLEU-1</th><td>{one.value:.4f}</td>" in measured._repr_html_()
