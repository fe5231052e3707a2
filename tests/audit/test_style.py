"""What counts as a preamble, a sentence, markup; and that normalizing never loses a caption."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.audit.normalizations import PLAIN
from evaluator.audit.style import (
    audit,
    first_sentence,
    has_other_script,
    has_preamble,
    strip_preamble,
    words,
)
from evaluator.core.sentences import sentences


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("The image shows a dog.", "a dog."),
        ("This photo depicts two cats", "two cats"),
        ("the picture is of a train", "a train"),
        ("Here is a caption for the image: A dog.", "A dog."),
        ("Here's a short caption:\n\nA dog.", "A dog."),
        ("Sure! Here is one possible description: A dog.", "A dog."),
        ("Caption: a dog", "a dog"),
        ("In this image, there is a dog.", "a dog."),
        ("In the photo we can see a dog", "a dog"),
        ("This is a picture of a dog", "a dog"),
        ("This is a black and white photograph of cows", "cows"),
        ("Certainly! A dog.", "A dog."),
        ("We can see a dog", "a dog"),
    ],
)
def test_preambles_are_stripped(text: str, rest: str) -> None:
    assert strip_preamble(text) == rest
    assert has_preamble(text)


@pytest.mark.parametrize(
    "text",
    [
        "a picture of a dog",  # references say so too
        "A photo of two cats on a bed.",
        "A man in the image of a king",
        "The scenery shows through a window",
        "The photographer shows his camera",
        "Here is where the bus stops",
        "a caption of a comic",
        "The image shows",
        "",
    ],
)
def test_captions_that_only_look_alike_stay(text: str) -> None:
    assert strip_preamble(text) == text
    assert not has_preamble(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A dog. It sleeps!", ["A dog.", "It sleeps!"]),
        ("Mr. Smith rides a bike.", ["Mr. Smith rides a bike."]),
        ("A T.V. is on. Nobody watches", ["A T.V. is on.", "Nobody watches"]),
        ('A sign says "Stop." A car waits.', ['A sign says "Stop."', "A car waits."]),
        ("A dog\nA cat", ["A dog", "A cat"]),
        ("Version 2.0 of a toy", ["Version 2.0 of a toy"]),
        ("Well... a dog", ["Well...", "a dog"]),
        ("...", []),
        ("一只狗。它在睡觉！「对。」他说", ["一只狗。", "它在睡觉！", "「对。」", "他说"]),
        ("एक कुत्ता है। वह सो रहा है।", ["एक कुत्ता है।", "वह सो रहा है।"]),
        ("هل هذا كلب؟ نعم.", ["هل هذا كلب؟", "نعم."]),
        ("Costs 3.50 at 5 p.m. today", ["Costs 3.50 at 5 p.m. today"]),
    ],
)
def test_sentences(text: str, found: list[str]) -> None:
    assert sentences(text) == found


def test_the_first_sentence_is_more_than_a_preamble() -> None:
    assert first_sentence("Sure! Here is a caption:\n\nA dog. It sleeps.") == "A dog."
    assert first_sentence("The image shows a dog. It sleeps.") == "The image shows a dog."
    assert first_sentence("?!") == "?!"


@given(st.text(), st.sampled_from(sorted(PLAIN)))
def test_a_caption_with_words_keeps_some(text: str, how: str) -> None:
    result = PLAIN[how](text)
    assert (words(result) > 0) == (words(text) > 0)
    assert PLAIN[how](result) == result or how == "first_sentence"
    assert result.strip() in text


def test_words_and_scripts() -> None:
    assert words("a man's black-and-white T-shirt, size 2.5!") == 6
    assert not has_other_script("Ein Hündchen – 5 € für «ihn» ☺")
    assert has_other_script("a sign that says 出口")
    assert has_other_script("собака")


def test_shares_and_lengths() -> None:
    said = ["The image shows a dog.", "- a cat\n- a dog", "**A** bus", "кот", "one two three four five six"]
    style = audit(said, [("a dog", "a big dog"), (), ("a bus",), ("a cat",), ("numbers",)])
    assert (style.words_mean, style.words_median) == (3.6, 4)
    assert (style.reference_words_mean, style.reference_words_median) == (2.0, 2)
    assert style.preamble == style.other_script == style.several_sentences == 0.2
    assert style.markdown == 0.4
    assert audit(["a"], [()]).reference_words_mean is None


def test_real_captions(real_data: Path) -> None:
    """MiniGPT-4's captions are chatty, people's and BLIP-2's are not."""
    said = {
        name: audit([line["caption"] for line in json.loads(path.read_bytes())], [])
        for name in ("minigpt4_vicuna7b_zeroshot", "blip2_opt2.7b_coco_finetuned")
        if (path := real_data / "systems" / f"{name}.json")
    }
    assert said["minigpt4_vicuna7b_zeroshot"].preamble > 0.8
    assert said["minigpt4_vicuna7b_zeroshot"].several_sentences > 0.8
    assert said["blip2_opt2.7b_coco_finetuned"].preamble == 0
    document = json.loads((real_data / "coco" / "captions_val2017.json").read_bytes())
    people = audit([note["caption"] for note in document["annotations"]], [])
    assert people.preamble < 0.002
    assert people.several_sentences < 0.002
