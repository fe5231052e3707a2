"""What stands around a model's answer: reasoning and markers go, the whole text stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.core import Caption, Outcome, Reply, Source
from evaluator.core.chat import answer_in, only_the_answer, without_markers

REASONING = "The user wants a caption.\n\nI see a cat. <b>Yes</b>."


@pytest.mark.parametrize(
    "text",
    [
        f"<think>{REASONING}</think>\n\na cat",
        f"  <think>\n{REASONING}\n</think>a cat",
        f"<thinking>{REASONING}</thinking> a cat",
        f"<think></think><think>{REASONING}</think> a cat",
        f"{REASONING}</think>\n\na cat",  # the opening tag is part of some chat templates
        f"[THINK]{REASONING}[/THINK]a cat",
        f"◁think▷{REASONING}◁/think▷a cat",
        f"<|START_THINKING|>{REASONING}<|END_THINKING|>a cat<|END_OF_TURN_TOKEN|>",
        f"<|channel|>analysis<|message|>{REASONING}<|end|><|start|>assistant<|channel|>final<|message|>a cat"
        "<|return|>",
        f"<|channel>thought\n{REASONING}<channel|>a cat<end_of_turn>",
        f"analysis{REASONING}assistantfinala cat",  # a server that drops special tokens
        f"<think>{REASONING}</think><answer>a cat</answer>",
        f"<think>{REASONING}</think>a cat<|im_end|>\n<|im_start|>user\nAnd now?",
    ],
)
def test_reasoning_is_taken_off(text: str) -> None:
    assert answer_in(text).text == without_markers(text) == "a cat"
    assert answer_in(text).has_reasoning


@pytest.mark.parametrize(
    "text",
    ["a cat<|im_end|>", "<s> a cat </s><pad><pad>", "[/INST] a cat</s>", "<|im_start|>assistant\na cat"],
)
def test_markers_are_taken_off(text: str) -> None:
    assert answer_in(text).text == without_markers(text) == "a cat"
    assert not answer_in(text).has_reasoning


@pytest.mark.parametrize(
    "text",
    [
        "a cat",
        "  a cat \n",
        "a man thinking <3",
        "a sign [closed]",
        "Analysis of a graph",
        "analysis of a graph on paper",
        "a < b",
        "<a cat>",
        "[a cat]",
        "",
    ],
)
def test_any_other_text_stays(text: str) -> None:
    assert answer_in(text).text == without_markers(text) == text


@given(st.text(), st.text(alphabet="<>|/[]thinks \n"))
def test_nothing_is_taken_off_twice(one: str, other: str) -> None:
    text = without_markers(one + other)
    assert without_markers(text) == text or "<" in text or "[" in text


def caption(text: str, source: Source = "model") -> Caption:
    return only_the_answer(Caption("1", Outcome.OK, Reply(text, output_tokens=9), source=source))


def test_the_whole_text_is_kept_with_the_reply() -> None:
    answered = caption("<think>A cat.</think> a cat</s>")
    assert (answered.outcome, answered.text) == (Outcome.OK, "a cat")
    assert answered.reply == Reply("a cat", output_tokens=9, whole_text="<think>A cat.</think> a cat</s>")
    assert only_the_answer(answered) == answered


def test_a_captions_file_keeps_its_markers_and_loses_its_reasoning() -> None:
    assert caption("a cat</s>", "file").text == "a cat</s>"
    assert caption("<think>A cat.</think>\na cat</s>", "file").text == "a cat</s>"
    empty = caption("<think>A cat.</think>", "file")
    assert (empty.outcome, empty.text) == (Outcome.OK, "")


@pytest.mark.parametrize("source", ["model", "cache", "file"])
def test_unfinished_reasoning_is_truncated(source: Source) -> None:
    truncated = caption("<think>The picture shows", source)
    assert (truncated.outcome, truncated.text) == (Outcome.TRUNCATED, None)
    assert "cut off" in truncated.error
    assert truncated.reply
    assert truncated.reply.whole_text == "<think>The picture shows"


def test_nothing_behind_the_reasoning_is_empty() -> None:
    assert caption("<think>A cat.</think>\n").outcome is Outcome.EMPTY


def test_failures_stay_as_they_are() -> None:
    blocked = Caption("1", Outcome.BLOCKED, Reply("<think>x</think>y"))
    assert only_the_answer(blocked) is blocked
