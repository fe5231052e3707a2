"""Every YAML says what its dataclass can do; what is typed wrongly is named; runs get names that last."""

from __future__ import annotations

import dataclasses
import importlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluator.config.compose import CONF_DIR, choices, compose, quoted, sweep_jobs
from evaluator.config.identity import is_default_name, short_hash
from evaluator.config.recorded import recorded_scorers
from evaluator.config.run_config import run_configs, sweep_folder
from evaluator.config.settings import Settings
from evaluator.core.errors import ConfigError
from evaluator.scorers.bleu import BLEU

GROUPS = ("data", "model", "prompt", "scorer", "runner")
COMPONENTS = sorted(path for group in GROUPS for path in (CONF_DIR / group).glob("*.yaml"))
EXPERIMENTS = sorted(path.stem for path in (CONF_DIR / "experiment").glob("*.yaml"))


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def document(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def component(path: Path) -> type:
    module, _, name = document(path)["_target_"].rpartition(".")
    found: type = getattr(importlib.import_module(module), name)
    return found


def one(*overrides: str, config_dir: Path | None = None) -> Any:
    (config,) = run_configs(overrides, config_dir)
    return config


@pytest.fixture
def annotations(tmp_path: Path) -> Path:
    path = tmp_path / "captions.json"
    path.write_text(json.dumps({"images": [{"id": 1}], "annotations": []}))
    return path


# --- the YAML files --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", COMPONENTS, ids=name_of)
def test_yaml_lists_every_option_and_no_other(path: Path) -> None:
    fields = {field.name: field for field in dataclasses.fields(component(path)) if field.init}
    assert document(path).keys() - {"_target_"} == fields.keys()
    for name, value in document(path).items():
        if value == "???":  # what has no default must be typed
            assert fields[name].default is dataclasses.MISSING


@pytest.mark.parametrize("path", COMPONENTS, ids=name_of)
def test_yaml_says_what_it_is_and_builds(path: Path, annotations: Path) -> None:
    group, choice = path.parent.name, path.stem
    assert choices()[group][choice]
    where = f"scorer.{choice}" if group == "scorer" else group
    typed = [
        f"{where}.{name}={'ollama' if name == 'model' and group == 'scorer' else annotations}"
        for name, value in document(path).items()
        if value == "???"
    ]
    typed += ["scorer.judge.options.model=llava"] if choice == "judge" else []
    selected = f"scorer=[{choice}]" if group == "scorer" else f"{group}={choice}"
    config = one(selected, *typed)
    built = list(config.scorers.values()) if group == "scorer" else [getattr(config, group)]
    assert [type(each) for each in built] == [component(path)]


def test_a_scorers_yaml_holds_the_defaults_of_its_class() -> None:
    """The library and the command line compute the same."""
    for path in (CONF_DIR / "scorer").glob("*.yaml"):
        for field in dataclasses.fields(component(path)):
            made = field.default_factory is not dataclasses.MISSING
            default = field.default_factory() if made else field.default
            value = document(path)[field.name]
            if str(value).startswith("${package:demo/"):
                continue  # the same scorer with the demo's checkpoint
            assert (dataclasses.MISSING if value == "???" else value) == default, f"{path.name}: {field.name}"


def test_a_rubric_s_yaml_lists_every_option() -> None:
    for path in (CONF_DIR / "rubric").glob("*.yaml"):
        fields = {field.name for field in dataclasses.fields(component(path))}
        assert document(path).keys() - {"_target_"} == fields
        assert choices()["rubric"][path.stem]


def test_settings_are_what_config_yaml_lists() -> None:
    listed = document(CONF_DIR / "config.yaml").keys() - {"defaults"}
    of_the_runner = {"cache", "budget_usd", "prices"}
    assert listed == {field.name for field in dataclasses.fields(Settings)} | of_the_runner
    node = document(CONF_DIR / "runner" / "default.yaml")
    assert all(node[option] == f"${{{option}}}" for option in of_the_runner)
    for field in dataclasses.fields(Settings):
        value = document(CONF_DIR / "config.yaml")[field.name]
        typed = {"runs": Path, "gates": tuple}.get(field.name)
        assert (typed(value) if typed else value) == field.default


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_an_experiment_sweeps_over_what_it_lists(experiment: str, annotations: Path) -> None:
    typed = [] if experiment == "demo" else [f"data.annotations={annotations}"]
    overrides = [f"experiment={experiment}", *typed]
    configs = run_configs(overrides, sweep=True)
    assert [config.name for config in run_configs(overrides, sweep=None)] == [c.name for c in configs]
    params = document(CONF_DIR / "experiment" / f"{experiment}.yaml")["hydra"]["sweeper"]["params"]
    assert [config.choices["model"] for config in configs] == params["model"].split(",")
    assert sweep_folder(configs) == Path("runs") / experiment


# --- what is typed wrongly ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("model.num_beam=3", "model.num_beam: there is no such option"),
        ("model.num_beams=three", "model.num_beams: 'three': is not an integer"),
        ("model.num_beams=1.5", "model.num_beams: 1.5: is not a whole number"),
        ("model.num_beams=0", "model.num_beams: 0: input should be greater than or equal to 1"),
        ("model.length_penalty=long", "model.length_penalty: 'long': is not a number"),
        ("model.safetensors_only=maybe", "model.safetensors_only: 'maybe': is neither true nor false"),
        ("model.dtype=float8", "model.dtype: 'float8': input should be 'auto', 'float32', 'float16'"),
        ("model.checkpoint=[a]", "model.checkpoint: ['a']: is not a text"),
        ("prompt.shots=one", "prompt.shots"),
        ("confidence=1", "confidence: 1: input should be less than 1"),
        ("limit=none", "limit: 'none': is not an integer"),
        ("normalize=all", "normalize: 'all': input should be 'none', 'strip_preamble'"),
        ("model=gti", "model: there is no 'gti'. Did you mean 'git'? `evaluator list model` shows"),
        ("modell=git", "modell: there is no such option"),
        ("model=null", "model=null: Config group override must be a string"),
        ("data=coco", "data.annotations: it has no default. Type data.annotations=..."),
        ("model._target_=evaluator.nowhere.Git", "model._target_: cannot import 'evaluator.nowhere.Git'"),
        ("model._target_=os.system", "model._target_: 'os.system' is not a dataclass"),
        ("model._target_=evaluator.core.Item", "model."),
        ("prompt.name=${nosuch}", "nosuch"),
    ],
)
def test_a_mistake_is_said_by_the_options_full_name(typed: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        run_configs([typed])
    message = str(raised.value)
    assert message.startswith(said) or said in message
    assert "search path" not in message.lower()
    assert "HYDRA_FULL_ERROR" not in message


def test_a_scorer_without_its_place(tmp_path: Path) -> None:
    (tmp_path / "scorer").mkdir()
    (tmp_path / "scorer" / "mine.yaml").write_text("_target_: evaluator.scorers.bleu.BLEU\n")
    with pytest.raises(ConfigError, match=r"'# @package scorer\.NAME' its first line"):
        run_configs(["scorer=[mine]"], tmp_path)


# --- names and identity ------------------------------------------------------------------------------------


def test_a_run_is_named_by_what_decides_its_captions() -> None:
    assert one().name == "demo-tiny-git-none"
    same = ["model.device=cpu", "resamples=10", "scorer=[bleu]", "seed=4", "sample_seed=2"]
    assert one(*same).name == "demo-tiny-git-none"
    names = [config.name for config in run_configs(["model.num_beams=1,3,5"], sweep=True)]
    assert names[0] == "demo-tiny-git-none"
    assert len(set(names)) == 3
    assert all(name.startswith("demo-tiny-git-none-") for name in names[1:])
    assert one("model.num_beams=3").name == names[1]
    assert one("model.num_beams=3", "name=mine").folder == Path("runs/mine")


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        (["limit=3"], "demo-tiny-git-none-first3"),
        (["sample=50"], "demo-tiny-git-none-sample50"),
        (["sample=50", "sample_seed=2", "limit=3"], "demo-tiny-git-none-sample50-seed2-first3"),
        (["only_with_images=true", "prompt=photo"], "demo-tiny-git-photo-with-images"),
    ],
)
def test_a_subset_has_a_name_of_its_own(typed: list[str], name: str) -> None:
    config = one(*typed)
    assert config.name == name
    parts = [[config.choices[group]] for group in ("data", "model", "prompt")]
    assert is_default_name(name, *parts)
    assert not is_default_name("demo-tiny-git-none-best", *parts)


def test_data_are_known_by_their_content_wherever_they_lie(annotations: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere.json"
    moved.write_bytes(annotations.read_bytes())
    (tmp_path / "images").mkdir()
    first, second, third = (
        one("data=coco", *typed)
        for typed in (
            [f"data.annotations={annotations}"],
            [f"data.annotations={moved}"],
            [f"data.annotations={moved}", f"data.images={tmp_path / 'images'}"],
        )
    )
    assert first.name == second.name == third.name
    assert first.identity == second.identity == third.identity
    moved.write_text(moved.read_text() + " ")
    assert one("data=coco", f"data.annotations={moved}").name != first.name


@given(st.dictionaries(st.text(), st.integers()))
def test_the_hash_does_not_see_the_order(document: dict[str, int]) -> None:
    assert short_hash(document) == short_hash(dict(reversed(document.items())))
    assert len(short_hash(document)) == 6


def test_a_sweep_is_every_combination_and_what_is_typed_wins() -> None:
    jobs = sweep_jobs(["experiment=demo", "prompt=none,photo"])
    assert [(job[0], job[-1]) for job in jobs] == [
        (f"model={model}", f"prompt={prompt}")
        for model in ("tiny-git", "tiny-blip", "tiny-blip2")
        for prompt in ("none", "photo")
    ]
    assert len(sweep_jobs(["experiment=demo", "model=tiny-git"])) == 1
    assert not compose(["model=tiny-git"]).swept
    assert len(run_configs(["model=tiny-git"], sweep=None)) == 1
    with pytest.raises(ConfigError, match="would share the folder 'same'"):
        run_configs(["model=tiny-git,tiny-blip", "name=same"], sweep=True)


def test_what_a_mapping_holds_is_its_user_s() -> None:
    typed = "model.extra_body={top_k: 1, chat_template_kwargs: {enable_thinking: false}}"
    body = {"top_k": 1, "chat_template_kwargs": {"enable_thinking": False}}
    assert one("model=gpt-mini", typed).model.extra_body == body
    swept = run_configs(["model=gpt-mini", "model.extra_body={top_k: 1},{top_k: 2}"], sweep=True)
    assert [config.model.extra_body for config in swept] == [{"top_k": 1}, {"top_k": 2}]  # type: ignore[attr-defined]
    for mistaken in ("model.extra={top_k: 1}", "extra={top_k: 1}"):
        with pytest.raises(ConfigError, match=r"extra: there is no such option"):
            one("model=gpt-mini", mistaken)


def test_a_runner_of_ones_own_begins_with_ours(tmp_path: Path) -> None:
    (tmp_path / "runner").mkdir()
    (tmp_path / "runner" / "mine.yaml").write_text(
        "defaults: [default]\nrequests: {limits: {'qwen2.5vl:7b': {in_flight: 4}}}\n"
    )
    requests = one("runner=mine", config_dir=tmp_path).runner.requests
    assert (requests.in_flight, requests.limits["qwen2.5vl:7b"].in_flight) == (50, 4)


@settings(max_examples=10)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), min_size=20, max_size=30))
def test_any_text_can_be_typed(texts: list[str]) -> None:
    """Composing takes long: many texts at once."""
    typed = (f"+texts.number{number}={quoted(text)}" for number, text in enumerate(texts))
    assert list(compose([f"prompt.text={quoted(texts[0])}", *typed]).group("texts").values()) == texts
    assert one(f"prompt.text={quoted(texts[0])}").prompt.text == texts[0]


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_configs(["experiment=demo"], sweep=True)
    assert list(tmp_path.iterdir()) == []


# --- somebody else's config --------------------------------------------------------------------------------


def test_the_scorers_of_a_run_are_built_again() -> None:
    scorers: Any = recorded_scorers(one("scorer=[bleu,cider]", "scorer.cider.sigma=3").document)
    assert list(scorers) == ["bleu", "cider"]
    assert scorers["bleu"] == BLEU()
    assert scorers["cider"].sigma == 3


def test_an_option_that_is_retired_is_read_at_its_only_value() -> None:
    node = {"_target_": "evaluator.scorers.clipscore.CLIPScore", "weight": 2.5}
    assert list(recorded_scorers({"scorer": {"clipscore": node}})) == ["clipscore"]


def test_a_config_of_somebody_else_builds_nothing_of_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="which is not part of this package"):
        recorded_scorers({"scorer": {"theirs": {"_target_": "theirs.Trap"}}})
    for damaged in ({"scorer": 3}, {"scorer": {"bleu": {"sigma": 3}}}):
        with pytest.raises(ConfigError, match="does not say how it was scored"):
            recorded_scorers(damaged)
    monkeypatch.setenv("SECRET", "key")
    node = {
        "_target_": "evaluator.scorers.clipscore.CLIPScore",
        "checkpoint": "${oc.env:SECRET}",
        "safetensors_only": False,
    }
    scorer: Any = recorded_scorers({"scorer": {"clipscore": node}})["clipscore"]
    assert scorer.safetensors_only
    assert "key" not in scorer.checkpoint


def test_choices_of_ones_own_stand_beside_ours(tmp_path: Path) -> None:
    (tmp_path / "prompt").mkdir()
    (tmp_path / "prompt" / "mine.yaml").write_text(
        "# Asks nicely.\n_target_: evaluator.core.Prompt\nname: mine\ntext: please\nsystem: ''\nshots: []\n"
    )
    assert choices(tmp_path)["prompt"]["mine"] == "Asks nicely."
    assert one("prompt=mine", config_dir=tmp_path).prompt.text == "please"


def test_an_example_is_known_by_the_content_of_its_picture(tmp_path: Path) -> None:
    """So that a moved picture makes the same run, and another picture makes another."""
    names = []
    for folder, content in (("a", b"one"), ("b", b"one"), ("b", b"two")):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "dog.jpg").write_bytes(content)
        shots = f"prompt.shots=[{{image: {tmp_path / folder / 'dog.jpg'}, caption: a dog}}, a cat]"
        config = one("model=chat", "model.checkpoint=x", "prompt=one-sentence", shots)
        assert [type(shot).__name__ for shot in config.prompt.shots] == ["Shot", "str"]
        names.append(config.name)
    assert names[0] == names[1] != names[2]
