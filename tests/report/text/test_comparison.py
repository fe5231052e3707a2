"""Each format reads back to the numbers of the run folders."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from evaluator.comparison.compare import compare
from evaluator.comparison.comparison import Comparison
from evaluator.core import Caption, Outcome
from evaluator.report.formatting import NOT_COMPUTED
from evaluator.report.text.comparison import FORMATS, terminal, write_tables

MakeRun = Callable[..., Path]


@pytest.fixture
def comparison(make_run: MakeRun) -> Comparison:
    return compare(
        [
            make_run(
                "git_base & co",
                {"1": "a dog", "2": "a cat"},
                {"BLEU-4": [0.42821, 0.42821], "CIDEr": [1.45551, 1.45551]},
                reasons={"SPICE": "no Java"},
                images_per_second=123.4,
            ),
            make_run(
                "b|100%",
                {"1": "a dog", "2": Caption("2", Outcome.REFUSED)},
                {"CIDEr": [0.5], "SPICE": [0.2]},
                signature="{metric}|other",
            ),
        ],
        on_all=True,
    )


def test_every_format_is_tested() -> None:
    assert set(FORMATS) == {"markdown", "latex", "csv", "json"}


def test_csv_holds_the_files_numbers(comparison: Comparison) -> None:
    frame = pd.read_csv(io.StringIO(FORMATS["csv"](comparison)), index_col="model")
    assert list(frame.index) == ["git_base & co", "b|100%"]
    first, second = frame.loc["git_base & co"], frame.loc["b|100%"]
    assert first["CIDEr"] == 1.45551
    assert first["CIDEr_low"] == pytest.approx(1.43551)
    assert first["CIDEr_high"] == pytest.approx(1.47551)
    assert first["images_per_second"] == 123.4
    assert (second["images"], second["captioned"], second["coverage"]) == (2, 1, 0.5)
    assert pd.isna(first["SPICE"])
    assert pd.isna(second["BLEU-4"])
    assert second["SPICE"] == 0.2


def test_json_holds_numbers_signatures_reasons_and_warnings(comparison: Comparison) -> None:
    document = json.loads(FORMATS["json"](comparison))
    first, second = document["runs"]
    assert first["scores"]["CIDEr"]["value"] == 1.45551
    assert first["scores"]["CIDEr"]["signature"] == "CIDEr|v:0"
    assert first["scores"]["SPICE"] == {"value": None, "reason": "no Java"}
    assert second["scores"]["BLEU-4"] == {"value": None, "reason": "not asked for in this run"}
    assert second["outcomes"] == {"ok": 1, "refused": 1}
    assert document["warnings"] == list(comparison.warnings)
    shared_images, one_image, recipes, unverified = comparison.warnings
    assert shared_images.startswith("compared on the 1 of 2 images")
    assert "scores of one image" in one_image
    assert recipes.startswith("not computed in the same way")
    assert unverified.startswith("SPICE is not verified")


def test_markdown_has_a_row_for_each_run(comparison: Comparison) -> None:
    text = FORMATS["markdown"](comparison).replace(r"b\|100%", "b or 100%")
    head, rule, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    assert head == ["model", "BLEU-4", "CIDEr", "SPICE", "coverage", "images/s"]
    assert all(set(cell) <= set("-:") for cell in rule)
    assert rows == [
        ["git_base & co", "42.8", "145.6 (143.6–147.6)", NOT_COMPUTED, "100.00 %", "123"],
        ["b or 100%", NOT_COMPUTED, "50.0 (48.0–52.0)", "20.0 (18.0–22.0)", "50.00 %", ""],
    ]


def test_latex_is_a_booktabs_table(comparison: Comparison) -> None:
    text = FORMATS["latex"](comparison)
    for line in (r"\toprule", r"\midrule", r"\bottomrule", r"\begin{tabular}{lrrrrr}", r"\end{tabular}"):
        assert text.count(line) == 1
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 3
    cells = [cell.strip() for cell in rows[1].removesuffix(r"\\").replace(r"\&", "and").split("&")]
    assert cells == [
        r"git\_base and co",
        "42.8",
        "145.6 (143.6--147.6)",
        NOT_COMPUTED,
        r"100.00 \%",
        "123",
    ]


def test_the_terminal_shows_every_cell(comparison: Comparison) -> None:
    console = Console(file=io.StringIO(), width=160)
    console.print(terminal(comparison))
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    for expected in ("git_base & co", "b|100%", "145.6", "(143.6–147.6)", NOT_COMPUTED, "50.00 %", "x100"):
        assert expected in shown


def test_what_runs_cost_stands_in_the_table_where_it_is_known(
    make_run: MakeRun, comparison: Comparison
) -> None:
    bought = make_run("cloud", {"1": "a dog"}, {"CIDEr": [1.0]}, cost_usd=1.256)
    mixed = compare([bought, make_run("local", {"1": "a dog"}, {"CIDEr": [1.0]})])
    rows = FORMATS["markdown"](mixed).splitlines()
    assert rows[0].split("|")[-2].strip() == "cost"
    assert [row.split("|")[-2].strip() for row in rows[2:4]] == ["$1.26", ""]
    assert "cost" not in FORMATS["markdown"](comparison)
    assert "images/s" not in rows[0]


def test_the_tables_of_a_sweep_are_files(comparison: Comparison, tmp_path: Path) -> None:
    write_tables(comparison, tmp_path / "new" / "sweep")
    for name, suffix in (("markdown", "md"), ("csv", "csv"), ("json", "json")):
        path = tmp_path / "new" / "sweep" / f"comparison.{suffix}"
        assert path.read_text(encoding="utf-8") == FORMATS[name](comparison)
