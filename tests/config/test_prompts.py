"""A prompt is text: whatever it holds reaches the model unchanged, and tables and folders name it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from evaluator.config.identity import is_default_name
from evaluator.config.prompt_forms import form_of, form_warning
from evaluator.config.prompts import (
    OwnPrompt,
    beginning,
    folder_part,
    prompt_from_file,
    typed_prompt,
    with_literal_texts,
)
from evaluator.config.run_config import RunConfig, run_configs
from evaluator.core import Prompt
from evaluator.core.errors import ConfigError
from evaluator.models.blip2 import BLIP2
from evaluator.models.git import GIT

# What people type: each sign that means something to a shell, to Hydra or to OmegaConf, and other scripts.
TEXTS = [
    *(f"Describe the image{sign} in short{sign}" for sign in ";'\"#[](){}%&~=,|?!@$*<>\\^`+-_/"),
    *(
        "Two lines\nof text",
        "ends with a comma,",
        "a: b",
        "{key: value}",
        "[a, b]",
        "(a, b)",
        "a,b",
        "${model}",
    ),
    *(
        "用一句话描述这张图片",
        "画像を説明してください。",
        "صف الصورة",
        "one 🐶, two 🐱",
        "é ü ß",
        "tab\there",
    ),
    *("null", "true", "12", "'tis a dog", 'say "cat"', "C:\\a\\", "choice(a,b)", "range(1,3)", "'a' or 'b'"),
]


def one(*overrides: str, prompts: tuple[OwnPrompt, ...] = ()) -> RunConfig:
    (config,) = run_configs(overrides, prompts=prompts)
    return config


def read_by_hydra(override: str) -> str:
    """The value of an override, as Hydra's grammar and OmegaConf read it."""
    parsed = OverridesParser.create().parse_override(override)
    assert not parsed.is_sweep_override()
    return str(OmegaConf.create({"text": parsed.value()}).text)


def test_any_text_is_read_back_unchanged() -> None:
    """Typed as --prompt or as prompt.text=, also where commas sweep."""
    for text in TEXTS:
        (typed,) = with_literal_texts([f"prompt.text={text}"])
        assert OwnPrompt(text).overrides == ["prompt=own", typed]
        assert read_by_hydra(typed) == text


def test_a_comma_never_makes_two_prompts() -> None:
    everything = "\n".join(TEXTS)
    (config,) = run_configs([f"prompt.text={everything}"], sweep=True)
    assert config.prompt.text == everything
    assert one(prompts=(typed_prompt(everything),)).prompt.text == everything


def test_quotes_of_ones_own_are_hydras() -> None:
    assert one("prompt.text='a dog, or a cat'").prompt.text == "a dog, or a cat"
    assert one("prompt.text=").prompt.text == ""
    with pytest.raises(ConfigError, match=r"one prompt or several\. Type each of several as --prompt"):
        one("prompt.text='a dog', 'a cat'")


@given(st.text(st.characters(exclude_categories=["Cs"])).filter(str.strip))
def test_any_text_has_a_label_and_a_folder(text: str) -> None:
    (_, override) = typed_prompt(text).overrides
    assert read_by_hydra(override) == text
    label = beginning(text)
    assert label.isprintable()
    part = folder_part("own", label)
    assert set(part) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert is_default_name(f"demo-git-{part}-3fa2b1", ["demo"], ["git"], [part])


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("prompt=Describe it, please", "For a text of your own, type --prompt TEXT"),
        ("prompt=Describe it!", "For a text of your own, type --prompt TEXT"),
        ("model=git,blip", "several values need -m"),
    ],
)
def test_a_text_in_the_place_of_a_choice_says_what_to_type(typed: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        one(typed)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"a dog", "a dog"),
        (b"a dog\n", "a dog"),
        (b"a dog\r\n", "a dog"),
        (b"a dog\n\n", "a dog\n"),
        (b"\xef\xbb\xbfa dog, 'or' ${cat}\n", "a dog, 'or' ${cat}"),
        ("两行\n文字".encode(), "两行\n文字"),
    ],
)
def test_a_prompt_file_is_read_as_it_is(content: bytes, text: str, tmp_path: Path) -> None:
    path = tmp_path / "version 2.txt"
    path.write_bytes(content)
    assert prompt_from_file(path) == OwnPrompt(text, "version 2")


def test_tables_call_a_prompt_by_its_file() -> None:
    config = one(prompts=(OwnPrompt("a dog", "version 2"),))
    assert (config.prompt.text, config.choices["prompt"]) == ("a dog", "version 2")
    assert config.name.startswith("demo-tiny-git-version-2-")


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "is empty"), (b" \n", "is empty"), ("a dog".encode("utf-16"), "byte 0 is not UTF-8")],
)
def test_a_prompt_file_that_is_none(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        prompt_from_file(tmp_path / "p.txt")


def test_a_typed_prompt_is_text() -> None:
    with pytest.raises(ConfigError, match="is empty"):
        typed_prompt(" ")
    with pytest.raises(ConfigError, match=r"character 3, '\\udc80', is not Unicode text"):
        typed_prompt("a \udc80")


def test_a_changed_text_is_another_run_and_tables_name_it_by_its_beginning() -> None:
    first, second = (
        one(f"prompt.text=Describe the scene for somebody who {what}") for what in ("is blind", "draws it")
    )
    assert first.name != second.name
    assert first.name.startswith("demo-tiny-git-none-")  # as it was called before
    assert first.choices["prompt"] == beginning(first.prompt.text) != second.choices["prompt"]
    assert first.choices["prompt"].startswith("Describe the scene for somebody… ")
    assert one("prompt=photo").choices["prompt"] == "photo"
    assert one(prompts=(typed_prompt("Name it"),)).choices["prompt"] == "Name it"


def test_several_prompts_stand_beside_those_that_are_chosen() -> None:
    configs = run_configs(["prompt=none,photo"], sweep=True, prompts=[typed_prompt("a"), typed_prompt("b")])
    assert [config.choices["prompt"] for config in configs] == ["none", "photo", "a", "b"]
    with pytest.raises(ConfigError, match="type --prompt once more"):
        run_configs(["prompt.text=c"], prompts=[typed_prompt("a")])


# --- the prompt of each model ------------------------------------------------------------------------------


def choices(*overrides: str, **options: object) -> list[str]:
    configs = run_configs(overrides, sweep=True, **options)  # type: ignore[arg-type]
    return [f"{config.choices['model']} {config.choices['prompt']}" for config in configs]


def test_each_model_of_a_comparison_gets_its_recommended_prompt(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "evaluator")
    assert choices("model=git,blip2-coco,gemini") == ["git none", "blip2-coco photo", "gemini one-sentence"]
    assert "recommended prompt: git none, blip2-coco photo, gemini one-sentence" in caplog.text
    assert choices("model=gemini", "prompt=auto") == ["gemini one-sentence"]


def test_a_prompt_that_is_chosen_is_everybodys() -> None:
    assert choices("model=git,gemini", "prompt=detailed") == ["git detailed", "gemini detailed"]
    assert choices("model=git,gemini", prompts=[typed_prompt("Hi")]) == ["git Hi", "gemini Hi"]


def test_one_model_has_no_prompt_unless_one_is_chosen() -> None:
    assert one("model=gemini").name == "demo-gemini-none"
    assert choices("model=blip", "model.num_beams=1,3") == ["blip none"] * 2


def test_two_checkpoints_of_one_choice_are_two_models() -> None:
    assert choices("model=ollama", "model.model=llava,qwen2.5vl") == ["ollama one-sentence"] * 2


def test_a_recommended_prompt_that_is_chosen_too_is_one_run() -> None:
    assert choices("model=git,blip2-coco", "prompt=auto,photo") == [
        *("git none", "git photo", "blip2-coco photo"),
    ]


def test_options_for_one_model_of_a_sweep() -> None:
    configs = run_configs(
        ["model=git,blip2"],
        sweep=True,
        for_model=["blip2:model.num_beams=1,3", "git:prompt.text=a dog, or: a cat"],
    )
    found = [(config.choices["model"], config.prompt.text) for config in configs]
    assert found == [("git", "a dog, or: a cat"), ("blip2", ""), ("blip2", "")]
    assert [config.model.num_beams for config in configs] == [4, 1, 3]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("gti:prompt=photo", r"--set gti:\.\.\.: no run has this model. The models are git, blip"),
        ("git", "type MODEL:option=value"),
        ("git:model.beams=3", "model.beams: there is no such option"),
    ],
)
def test_options_for_one_model_that_are_wrong(typed: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        run_configs(["model=git,blip"], sweep=True, for_model=[typed])


def test_all_that_is_wrong_in_a_sweep_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as raised:
        run_configs(["model=git,blip", "limit=0"], sweep=True, for_model=["git:limit=1", "git:resamples=0"])
    assert str(raised.value).startswith("2 problems:\n  git: resamples: 0: ")
    assert "\n  blip: limit: 0: " in str(raised.value)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("", "none"),
        ("a photo of", "prefix"),
        ("A picture", "prefix"),
        ("the image shows", "prefix"),
        ("Question: what is shown? Answer:", "question"),
        ("Describe this image", "instruction"),
        ("What is in the picture?", "instruction"),
        ("用一句话描述这张图片", "instruction"),
        ("a " + "x" * 5000 + "!", "instruction"),
    ],
)
def test_the_form_of_a_prompt(text: str, form: str) -> None:
    assert form_of(Prompt("p", text)) == form


def test_a_form_that_a_model_was_not_made_for_is_a_warning() -> None:
    git = one("model=git").model
    assert form_warning("git", git, Prompt("p", "Describe it")) == (
        'git: its prompt is an instruction ("Describe it"), and the model was made for no prompt. '
        "Its captions may be empty or nonsense. Type prompt=auto for the prompt of each model"
    )
    chat = form_warning("gemini", one("model=gemini").model, Prompt("p", "a photo of"))
    assert chat is not None
    assert "made for an instruction" in chat
    fitting = [
        (git, ""),
        (one("model=blip").model, "a picture of"),
        (one("model=gemini").model, "Describe it"),
        (GIT("somebodys/own"), "anything"),
        (BLIP2("b", prompt_forms=("question",)), "Question: what? Answer:"),
    ]
    assert [form_warning("m", model, Prompt("p", text)) for model, text in fitting] == [None] * 5
