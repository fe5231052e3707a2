"""Before the first caption: which folder a run has, what it takes over, and everything that is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from evaluator.cli.main import cli
from evaluator.config.run_config import RunConfig, run_configs
from evaluator.core.errors import ConfigError, EvaluatorError, StoreError
from evaluator.evaluate import evaluate, evaluate_all
from evaluator.prepare import prepare
from evaluator.store.merge import merge, parts_of
from evaluator.store.run import Run
from evaluator.store.run_folder import RunFolder
from tests.scored_runs import scored_run

REFERENCES = {str(number): [f"a dog number {number}"] for number in range(1, 7)}


class Commands:
    """What somebody types in a folder, with a captioner that notes what it is asked."""

    def __init__(self, folder: Path, conf: Path, annotations: Path) -> None:
        self.folder, self.conf, self.annotations = folder, conf, annotations
        (folder / "script.json").write_text("{}")
        (conf / "model" / "noted.yaml").write_text(
            "_target_: own_components.Scripted\nscript: null\nseconds: 0.0\nstyle: plain\n"
            f"log: {json.dumps(str(folder / 'asked'))}\n"
        )
        (conf / "model" / "broken.yaml").write_text(
            "_target_: own_components.Scripted\nscript: nowhere.json\nlog: null\nseconds: 0.0\nstyle: odd\n"
        )
        (conf / "data").mkdir()
        (conf / "data" / "six.yaml").write_text(
            "_target_: evaluator.data.coco.COCO\nimages: null\ninstances: null\nleave_out: null\n"
            f"annotations: {json.dumps(str(annotations))}\n"
        )

    @property
    def typed(self) -> list[str]:
        return ["data=six", "scorer=[words]", f"runs={self.folder / 'runs'}", "resamples=5"]

    def config(self, *overrides: str) -> RunConfig:
        (config,) = run_configs(["model=noted", *self.typed, *overrides], self.conf)
        return config

    def run(self, *overrides: str) -> Run:
        return evaluate(self.config(*overrides))

    def asked(self) -> str:
        """The ids that the captioner was asked about since the last look."""
        path = self.folder / "asked"
        lines = path.read_text().splitlines() if path.exists() else []
        path.write_text("")
        return "".join(item_id for line in lines for item_id in json.loads(line))


@pytest.fixture
def commands(tmp_path: Path, own_copy: Path, references: Callable[..., Path]) -> Commands:
    return Commands(tmp_path, own_copy, references(REFERENCES))


def test_shards_share_no_image_and_become_the_whole_run(commands: Commands) -> None:
    parts = [commands.run(f"shard={index}/4") for index in (1, 2, 3, 4)]
    assert [part.name for part in parts] == [f"six-noted-none-shard{index}of4" for index in (1, 2, 3, 4)]
    assert commands.asked() == "152634"
    run = merge(parts_of(parts[::-1]), RunFolder(commands.folder / "runs" / "six-noted-none"))
    assert [item.id for item in run.items] == list("123456")
    again = commands.run()  # the whole run finds nothing to caption
    assert (again.path, commands.asked()) == (run.path, "")
    assert again.manifest.resumed == tuple(part.manifest.environment for part in parts[1:])
    alone = commands.run("name=alone")
    assert alone.manifest.dataset_digest == again.manifest.dataset_digest
    assert {one.name: (one.value, one.low, one.high) for one in alone.results.scores} == {
        one.name: (one.value, one.low, one.high) for one in again.results.scores
    }


def test_a_shard_with_a_typed_name_has_a_folder_of_its_own(commands: Commands) -> None:
    assert commands.run("name=mine", "shard=2/3").name == "mine-shard2of3"


@pytest.mark.parametrize("shard", ["4/3", "0/3", "1/", "a/b", "1/0", "-1/3"])
def test_what_is_no_shard_is_refused(commands: Commands, shard: str) -> None:
    with pytest.raises(ConfigError, match=r"shard: .* is not a part such as 3/16"):
        commands.config(f"shard={shard}")


def test_a_shard_without_an_image_is_refused(commands: Commands) -> None:
    with pytest.raises(EvaluatorError, match="shard=7/7: there are only 6 images"):
        commands.run("shard=7/7")


def test_a_run_grows_and_a_smaller_command_leaves_it_alone(commands: Commands) -> None:
    first = commands.run("limit=2")
    assert (first.name, commands.asked()) == ("six-noted-none-first2", "12")
    assert (commands.run("limit=4").name, commands.asked()) == ("six-noted-none-first4", "34")
    whole = commands.run()
    assert (whole.name, commands.asked()) == ("six-noted-none", "56")
    assert list(whole.captions) == list("123456")
    content = {path: path.read_bytes() for path in whole.path.iterdir()}
    smaller = commands.run("limit=3")
    assert (smaller.name, commands.asked()) == ("six-noted-none-first3", "")
    assert smaller.results.captioned == 3
    assert smaller.manifest.environment == whole.manifest.environment  # what its captions were made in
    assert {path: path.read_bytes() for path in whole.path.iterdir()} == content
    assert commands.run("sample=2").results.images == 2
    assert commands.asked() == ""


def test_a_run_of_its_own_takes_nothing_over(commands: Commands) -> None:
    commands.run("limit=2")
    commands.asked()
    commands.run("name=again", "limit=2")
    assert commands.asked() == "12"
    commands.run("limit=3", "cache=refresh")
    assert commands.asked() == "123"


def test_failures_are_not_taken_over_and_costs_are_not_paid_again(commands: Commands) -> None:
    commands.run("limit=3")
    commands.asked()
    path = commands.folder / "runs" / "six-noted-none-first3" / "captions.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[0]["outcome"] = "error"
    lines[1] |= {"cost_usd": 0.5, "requests": [7]}
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    whole = commands.run()
    assert commands.asked() == "1456"
    assert whole.captions["2"].cost_usd == 0.0
    assert whole.captions["2"].requests == ()
    assert whole.results.cost_usd == 0.0


def test_a_changed_prompt_file_of_ones_own_makes_a_new_run_and_says_so(
    commands: Commands, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "evaluator")
    (commands.conf / "prompt").mkdir()
    names = []
    for text in ("Name it", "Name it in one word", "Name it"):
        (commands.conf / "prompt" / "mine.yaml").write_text(
            f"_target_: evaluator.core.Prompt\nname: mine\ntext: {text}\nsystem: ''\nshots: []\n"
        )
        names.append(commands.run("prompt=mine", "limit=1").name)
    assert names[0] == names[2] == "six-noted-mine-first1"
    assert names[1].startswith("six-noted-mine-first1-")
    assert commands.asked() == "11"
    assert f"{names[1]} is a new run: its prompt.text is not that of " in caplog.text


def test_a_changed_text_makes_a_new_run_and_says_so(
    commands: Commands, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "evaluator")
    first, second = (commands.run(f"prompt.text=Name it, {how}", "limit=1") for how in ("please", "quickly"))
    assert f"{second.path} is a new run: its prompt is not that of {first.path}" in caplog.text


def test_all_that_is_wrong_is_told_before_anything_is_written(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    pytest.importorskip("openai")
    pytest.importorskip("anthropic")
    configs = run_configs(
        ["model=noted,gpt-mini,claude-haiku", *commands.typed],
        commands.conf,
        sweep=True,
        for_model=["noted:baseline=nowhere", "claude-haiku:gates=['CIDEr>>1']", "claude-haiku:baseline=runs"],
    )
    with pytest.raises(ConfigError) as raised:
        prepare(configs)
    message = str(raised.value)
    assert message.startswith("4 problems:\n  six-noted-none: nowhere is not a run folder")
    for part in ("OPENAI_API_KEY is not set", "ANTHROPIC_API_KEY is not set", "runs is not a run folder"):
        assert part in message
    assert not (commands.folder / "runs").exists()
    assert commands.asked() == ""


def test_a_folder_that_cannot_be_is_told_before(commands: Commands) -> None:
    (commands.folder / "runs").write_text("a file")
    with pytest.raises(StoreError, match="is not a folder"):
        prepare([commands.config()])


@pytest.mark.parametrize("typed", ["model.checkpoint=./nowhere", "model.checkpoint=."])
def test_a_checkpoint_that_is_not_there_is_told_before(commands: Commands, typed: str) -> None:
    pytest.importorskip("torch")
    with pytest.raises(EvaluatorError, match=r"model\.checkpoint: '\./?(nowhere)?'"):
        prepare([commands.config("model=tiny-git", typed)])


def test_a_model_is_asked_in_the_form_that_it_was_made_for(
    commands: Commands, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("torch")
    prepare([commands.config("model=tiny-git", "prompt=detailed")])
    assert "tiny-git: its prompt is an instruction" in caplog.text


def test_a_failing_run_leaves_the_comparison_of_the_others(commands: Commands) -> None:
    arguments = ["run", "--config-dir", str(commands.conf), "-m", "model=noted,broken,scripted"]
    done = CliRunner().invoke(cli, [*arguments, *commands.typed, "limit=2"], standalone_mode=False)
    assert done.exception is None, done.output
    assert done.return_value == 2
    assert "failed: " in done.stderr
    assert "six-broken-none-first2: FileNotFoundError" in done.stderr
    assert "noted" in done.stdout
    assert "scripted" in done.stdout
    assert len(list((commands.folder / "runs").glob("sweep-*/report.html"))) == 1


def test_where_every_run_fails_all_errors_are_told(commands: Commands) -> None:
    configs = run_configs(["model=broken", "model.style=a,b", *commands.typed], commands.conf, sweep=True)
    with pytest.raises(EvaluatorError, match="FileNotFoundError"):
        evaluate_all(configs)


def test_a_run_that_is_called_like_an_address_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    scored_run(Path("a:b"), {"1": "a dog", "2": "a cat"}, {"CIDEr": [0.5, 0.7]})
    done = CliRunner().invoke(cli, ["report", "a:b"], standalone_mode=False)
    assert done.exception is None, done.output
    assert (tmp_path / "report.html").is_file()
