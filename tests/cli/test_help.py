"""What the command line says of itself: commands by job, choices with their options, and what was meant."""

from __future__ import annotations

import re
import shlex

import pytest
from click import ClickException
from click.testing import CliRunner, Result

from evaluator.cli.help import JOBS
from evaluator.cli.main import cli
from evaluator.cli.verify_metrics import verdict
from evaluator.config.compose import CONF_DIR, choice_file
from evaluator.config.described import described
from evaluator.config.run_config import run_configs
from evaluator.core.errors import ConfigError
from evaluator.verify import Check

CHOICES = sorted(path for path in CONF_DIR.glob("*/*.yaml"))


def typed(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, standalone_mode=False, terminal_width=80)


def test_every_command_stands_under_one_job_with_an_example() -> None:
    assert sorted(name for examples in JOBS.values() for name in examples) == sorted(cli.commands)
    shown = typed("--help").output
    assert max(map(len, shown.splitlines())) <= 80
    for job, examples in JOBS.items():
        assert f"{job}:" in shown
        for name, example in examples.items():
            assert re.search(rf"^  {name} +\S", shown, flags=re.MULTILINE)
            assert example in shown


@pytest.mark.parametrize(
    "example", [line for examples in JOBS.values() for each in examples.values() for line in each.split("; ")]
)
def test_the_examples_name_commands_and_options_that_exist(example: str) -> None:
    program, name, *arguments = shlex.split(example)
    assert program == "evaluator"
    options = {option for parameter in cli.commands[name].params for option in parameter.opts}
    assert {argument for argument in arguments if argument.startswith("--")} <= options


@pytest.mark.parametrize("path", CHOICES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_option_of_every_choice_has_a_type_and_a_meaning(path: object) -> None:
    choice = described(path)  # type: ignore[arg-type]
    assert choice.description
    for option in choice.options:
        assert option.meaning or option.name == "scorer.clipscore.checkpoint", option
        assert option.type


def test_the_options_of_one_choice() -> None:
    shown = typed("list", "model/git").output
    assert shown.startswith("GIT-base, fine-tuned on COCO")
    assert "model.checkpoint=microsoft/git-base-coco  (text)\n    a hub name or a folder\n" in shown
    assert "model.num_beams=4  (whole number, at least 1)" in shown
    assert "model.dtype=auto  (auto, float32, float16 or bfloat16)" in shown
    assert "data.images=...  (path; needed)" in typed("list", "data/folder").output
    assert "budget_usd=null" in typed("list", "options").output
    assert "scorer.cider.sigma=6.0  (number" in typed("list", "scorers/cider").output
    assert "runner.requests.attempts=8" in typed("list", "runner/default").output


def test_spice_is_marked_wherever_it_is_listed() -> None:
    assert re.search(r"^  spice .*not verified", typed("list", "scorers").output, flags=re.MULTILINE)
    assert "not verified" in typed("list", "scorer/spice").output


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["lst"], "list"),
        (["list", "modles"], "model"),
        (["list", "model/gti"], "git"),
        (["score", "--refernces", "x"], "--references"),
    ],
)
def test_what_was_meant_on_the_command_line(arguments: list[str], meant: str) -> None:
    error = typed(*arguments).exception
    assert isinstance(error, ClickException)
    assert re.search(f"[Dd]id you mean.*'?{meant}'?", error.format_message())


@pytest.mark.parametrize(
    ("override", "meant"),
    [
        ("scorer=[cidr]", "cider"),
        ("model=tinygit", "tiny-git"),
        ("data.imges=x", "data.images"),
        ("limt=3", "limit"),
        ("scoer=[bleu]", "scorer"),
        ("runner.batchsize=3", "runner.batch_size"),
    ],
)
def test_what_was_meant_by_an_override(override: str, meant: str) -> None:
    with pytest.raises(ConfigError, match=f"Did you mean '{re.escape(meant)}'"):
        run_configs([override])


def test_the_checks_of_the_metrics_end_with_a_verdict() -> None:
    right, wrong, none = Check("CIDEr", 1.0, 1.0), Check("BLEU-1", 1.0, 0.9), Check("METEOR", 1.0, None, "no")
    assert verdict([right]) == "verdict: 1 of 1 metrics give the original programs' numbers"
    assert verdict([right, wrong, none]).endswith(
        "1 of 3 metrics give the original programs' numbers; BLEU-1 DIFFERS: do not publish it from here; "
        "not computed: METEOR"
    )


def test_one_s_own_choices_come_first(tmp_path: object) -> None:
    assert choice_file("model", "git") == CONF_DIR / "model" / "git.yaml"
