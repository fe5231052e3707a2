"""A sweep over data.perturb: other runs of the same data set, and a table of what they lose."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from evaluator.cli.main import cli
from evaluator.config.run_config import run_configs
from evaluator.core.errors import ConfigError
from evaluator.store.run import Run

COMMAND = ["model=tiny-git", "data=demo", "limit=8", "scorer=[bleu,rouge]", "resamples=10"]


def test_a_sweep_ends_in_a_table_of_the_drops(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    swept = ["run", "-m", *COMMAND, "data.perturb=none,noise:5,blur", f"runs={tmp_path}", "sweep=robust"]
    result = CliRunner().invoke(cli, swept, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    names = ["demo", "demo+noise5", "demo+blur3"]
    plain, noise, blur = (Run(tmp_path / f"{name}-tiny-git-none-first8") for name in names)
    assert [run.manifest.identity["data"].get("perturb") for run in (plain, noise, blur)] == [
        None,
        "noise5",
        "blur3",
    ]
    assert "perturb" not in plain.manifest.identity["data"], "the plain run has another name than before"
    there, here = plain.items[0].image, noise.items[0].image
    assert there
    assert here == there / "perturbed" / "noise5" / there.name
    lost = {
        metric: [run.results.scores[at].points - plain.results.scores[at].points for run in (blur, noise)]
        for at, metric in enumerate(score.name for score in plain.results.scores)
    }
    assert lost["BLEU-1"][1] < -1, "noise costs nothing"
    lines = (tmp_path / "robust" / "robustness.md").read_text().splitlines()
    assert lines[0].replace(" ", "").startswith("|run|perturbation|severity|BLEU-1|")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:4]]
    assert [row[1:3] for row in rows] == [["blur", "3"], ["noise", "5"]]
    for row, at in zip(rows, (0, 1), strict=True):
        for cell, (_, values) in zip(row[3:-1], lost.items(), strict=True):
            assert float(cell) == pytest.approx(values[at], abs=0.051)
    assert "what perturbed pictures add" in result.output


def test_a_perturbation_that_does_not_exist() -> None:
    with pytest.raises(ConfigError, match=r"data\.perturb: 'blurr' is no perturbation.*blur"):
        run_configs([*COMMAND, "data.perturb=blurr"])


def test_none_is_the_run_without_the_option() -> None:
    runs = [run_configs([*COMMAND, *more])[0] for more in ([], ["data.perturb=none"], ["data.perturb=null"])]
    assert len({run.name for run in runs}) == 1
    assert all(run.identity == runs[0].identity for run in runs)
