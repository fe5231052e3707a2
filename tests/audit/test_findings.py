"""What is found in damaged captions, and that nothing is found in captions that are whole."""

from __future__ import annotations

import json
import random
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluator.audit import shared_ends, style
from evaluator.audit.findings import KINDS, damage, find_damage, sentence
from evaluator.audit.normalizations import NAMES, normalization
from evaluator.audit.texts import Texts
from evaluator.core import Caption, Finding, Item, Outcome, Reply
from evaluator.scorers.tokenizer.ptb import tokenize

PICTURES = {  # a caption and three references each
    "cat": (
        "a cat sleeps on a red sofa",
        "a tabby naps on a red sofa",
        "a cat on the couch",
        "one cat asleep",
    ),
    "kite": ("two children fly a kite", "two kids fly a kite", "children with a kite", "a pair fly a kite"),
    "bike": ("a man on a bike waits", "a cyclist waits", "a man on a bike stops", "a person with a bicycle"),
    "soup": ("a bowl of soup with an egg", "a bowl of noodles", "noodle soup in a bowl", "ramen with an egg"),
    "tram": ("a yellow tram on a bridge", "a yellow tram crosses", "a tram on a bridge", "a street car"),
    "clock": ("a clock on a brick wall", "an old clock on a wall", "a round clock", "a clock above a shop"),
}
CLEAN = [captions[0] for captions in PICTURES.values()]
REFERENCES = [captions[1:] for captions in PICTURES.values()]


def kinds(captions: Sequence[str], references: Sequence[Sequence[str]] = REFERENCES) -> dict[str, Finding]:
    found = find_damage(Texts.of(map(str, range(len(captions))), captions, references))
    return {finding.kind: finding for finding in found}


def test_whole_captions_show_nothing() -> None:
    assert kinds(CLEAN) == {}
    assert kinds([]) == {}
    long = [f"{text}. Behind it there are many things that nobody else has mentioned." for text in CLEAN[:3]]
    assert kinds([*long, *CLEAN[3:]]) == {}


@pytest.mark.parametrize(
    ("damaged", "kind", "text"),
    [
        ("a photo of {}", "shared_start", "a photo of"),
        ("a photo of a photo of {}", "shared_start", "a photo of"),
        ("USER: \nSay what you see. ASSISTANT: {}", "shared_start", "user: say what you see. assistant:"),
        ("Question: what do you see? Answer: {}", "shared_start", "question: what do you see? answer:"),
        ("Auf diesem Bild sieht man {}", "shared_start", "auf diesem bild sieht man"),
        ("这张图片显示了{}", "shared_start", "这张图片显示了"),
        ("caption: {}", "shared_start", "caption:"),
        ("<s> a photo of {}", "shared_start", "a photo of"),
        ("{}, highly detailed", "shared_end", ", highly detailed"),
        ("{} in the style of a photo.", "shared_end", "in the style of a photo"),
        ("{}</s><pad>", "chat_marker", "</s> <pad>"),
        ("<think>I see.</think> {}", "reasoning", None),
        ("['{}']", "printed_list", None),
        ('{{"caption": "{}"}}', "printed_list", None),
        ("I'm sorry, I can't identify people.", "refusal", None),
        ("Failed to obtain answer via API.", "tool_failure", None),
        ("", "empty", None),
        ("COCO_val2014_000000391895.jpg", "not_a_caption", None),
        ("[101, 1037, 4937, 102]", "not_a_caption", None),
        ("{} with a hat with a hat with a hat with a hat", "repetition", "with a hat"),
        ("a photo of", "few_different", "a photo of"),
    ],
)
def test_each_kind_of_damage(damaged: str, kind: str, text: str | None) -> None:
    found = kinds([damaged.format(caption) for caption in CLEAN])
    assert kind in found
    assert (found[kind].count, found[kind].of, found[kind].examples) == (6, 6, ("0", "1", "2"))
    if text is not None:
        assert found[kind].text == text
    said = sentence(found[kind])
    assert said.startswith("100 % of its captions (6 of 6) ")
    assert "{}" not in said


@pytest.mark.parametrize(
    ("damaged", "expected"),
    [
        ("I'm sorry, I can't identify people.", {"refusal"}),
        ("[BLOCKED]", {"tool_failure"}),
        ("COCO_val2014_{}.jpg", {"not_a_caption"}),
        ('{{"caption": "{}"}}', {"printed_list"}),
    ],
)
def test_what_is_no_caption_is_said_once(damaged: str, expected: set[str]) -> None:
    texts = [damaged.format(caption.replace(" ", "_")) for caption in CLEAN]
    assert set(kinds(texts)) == expected


def test_a_refusal_is_no_frequent_caption() -> None:
    captions = ["I'm sorry, I can't identify people."] * 4 + CLEAN * 2
    assert set(kinds(captions, [*REFERENCES[:4], *REFERENCES, *REFERENCES])) == {"refusal"}


def test_an_effect_that_does_not_show_is_not_said() -> None:
    found = kinds([f"{caption}</s>" for caption in CLEAN])["chat_marker"]
    same = replace(found, metric="CIDEr", score=0.50001, score_without=0.5)
    assert "With normalize" in sentence(replace(same, score_without=0.6))
    assert "With normalize" not in sentence(same)


@pytest.mark.parametrize(
    ("damaged", "name"),
    [
        ("a photo of a photo of {}", "strip_shared_start"),
        ("Question: what do you see?\nAnswer: {}", "strip_shared_start"),
        ("</s> a photo of {}", "strip_shared_start"),
        ("{}, highly detailed.", "strip_shared_end"),
        ("<s> {} </s><pad>", "strip_markers"),
        ("<think>I see.</think> {}", "strip_markers"),
        ("['{}']", "unwrap"),
        ('[{{"caption": "{}"}}]', "unwrap"),
    ],
)
def test_a_normalization_gives_the_captions_back(damaged: str, name: str) -> None:
    captions = [damaged.format(caption) for caption in CLEAN]
    how = normalization(name, captions, REFERENCES)
    assert [how(caption) for caption in captions] == CLEAN
    assert f"normalize={name}" in {finding.remedy for finding in kinds(captions).values()}


@pytest.mark.parametrize("name", NAMES)
def test_whole_captions_are_not_changed(name: str) -> None:
    how = normalization(name, CLEAN, REFERENCES)
    assert [how(caption) for caption in CLEAN] == CLEAN
    assert how.removed == ""


def test_questions_that_differ_are_turns_of_a_chat() -> None:
    captions = [f"Question: is it number {n}? Answer: {text}" for n, text in enumerate(CLEAN)]
    assert kinds(captions)["chat_turns"].count == 6


def test_the_same_references_everywhere() -> None:
    assert kinds(CLEAN, [("a dog", "a cat")] * 6)["same_references"].count == 6


def test_another_unicode_form() -> None:
    references = [("ein Mädchen mit Hut", "das Mädchen"), *REFERENCES[1:]]
    captions = [unicodedata.normalize("NFD", "ein Mädchen mit Hut"), *CLEAN[1:]]
    (found,) = kinds(captions, references).values()
    assert (found.kind, found.count) == ("unicode_form", 1)
    how = normalization("unicode_form", captions, references)
    assert how(captions[0]) == references[0][0]
    assert kinds(["ein Mädchen mit Hut", *CLEAN[1:]], references) == {}


@pytest.mark.parametrize(
    ("caption", "is_found"),
    [
        ("一只猫坐在红色的沙发上", True),
        ("แมวนอนอยู่บนโซฟาสีแดง", True),
        ("赤いソファで猫が寝ている", True),
        ("一只 猫 坐 在 红色 的 沙发 上", False),
        ("кошка спит на красном диване", False),
        ("고양이가 빨간 소파에서 잔다", False),
        ("एक बिल्ली लाल सोफे पर सोती है", False),
    ],
)
def test_scripts_that_the_tokenizer_was_not_made_for(caption: str, is_found: bool) -> None:
    assert ("unknown_script" in kinds([caption, *CLEAN[1:]])) == is_found


@pytest.mark.parametrize(
    "unit", [" ", "U.S. ", "😀", "+", "a,", "[", "<!a", "a@", "'", "Sure. ", "<", "猫", "\n"]
)
def test_long_texts_take_linear_time(unit: str) -> None:
    """Quadratic time would show: each text would take minutes."""
    text = unit * (30_000 // len(unit))
    texts = Texts.of("123456", [text, *CLEAN[1:]], REFERENCES)
    find_damage(texts)
    style.audit(texts.captions, texts.references)
    tokenize(text)
    for name in NAMES:
        normalization(name, texts.captions, texts.references)(text)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=8), st.data())
def test_no_text_breaks_the_audit(captions: list[str], data: st.DataObject) -> None:
    references = data.draw(
        st.lists(st.lists(st.text(max_size=30), max_size=2), min_size=len(captions), max_size=len(captions))
    )
    for finding in kinds(captions, references).values():
        assert 0 < finding.count <= finding.of == len(captions)
        assert finding.kind in KINDS
        assert sentence(finding)


def test_a_kind_of_a_later_version_is_said() -> None:
    assert (
        sentence(Finding("upside_down", 1, 2, "ɐ")) == '50 % of its captions (1 of 2) show upside_down: "ɐ"'
    )


def test_reasoning_that_was_taken_off_is_counted() -> None:
    items = [Item(str(n), None, REFERENCES[n]) for n in range(6)]
    captions = {
        str(n): Caption(str(n), Outcome.OK, Reply(text, whole_text=f"<think>hm</think>{text}"))
        for n, text in enumerate(CLEAN)
    }
    (found,) = damage(items, captions, refusals_are_missing=False)
    assert (found.kind, found.count, found.of) == ("removed_reasoning", 6, 6)


@cache
def karpathy(folder: Path) -> Mapping[int, tuple[str, ...]]:
    references: dict[int, tuple[str, ...]] = {}
    for note in json.loads((folder / "coco" / "captions_karpathy_test.json").read_text())["annotations"]:
        references[note["image_id"]] = (*references.get(note["image_id"], ()), note["caption"])
    return references


def published(folder: Path, system: str) -> Texts:
    entries = json.loads((folder / "systems" / f"{system}.json").read_text())
    captions = {entry["image_id"]: entry["caption"] for entry in entries}
    ids = [number for number in karpathy(folder) if number in captions]
    return Texts.of(
        map(str, ids), [captions[number] for number in ids], [karpathy(folder)[number] for number in ids]
    )


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        ("blip2_opt2.7b_coco_finetuned", {}),
        ("blip_vit_l_beam", {}),
        ("instructblip_vicuna7b_zeroshot", {}),
        ("magic", {}),
        ("updown_paddle_xe", {}),
        ("val2014_fakecap_1000", {}),
        ("zerocap", {"chat_marker": 113}),
        ("minigpt4_vicuna7b_zeroshot", {"not_a_caption": 43, "shared_start": 1764}),
    ],
)
def test_published_captions(real_data: Path, system: str, expected: dict[str, int]) -> None:
    """Counted by reading: 43 captions of MiniGPT-4 are emoji or an invisible space."""
    found = find_damage(published(real_data, system))
    assert {finding.kind: finding.count for finding in found} == expected


def test_peoples_captions(real_data: Path) -> None:
    """Three annotators of COCO wrote "I am unable to see the image above"."""
    references = karpathy(real_data)
    of = [(str(number), texts[3], texts[:3]) for number, texts in references.items() if len(texts) > 3]
    found = find_damage(Texts.of(*zip(*of, strict=True)))
    assert {finding.kind: finding.count for finding in found} == {"refusal": 3}


Damage = Callable[[list[str]], list[str]]
SHUFFLE = random.Random(0)


@pytest.mark.parametrize(
    ("damage_to", "kind", "count"),
    [
        (lambda texts: [*texts[1:], texts[0]], "shifted", 999),
        (lambda texts: [*texts[:600], texts[599], *texts[600:-1]], "shifted", 398),
        (lambda texts: SHUFFLE.sample(texts, len(texts)), "other_images", 1000),
        (
            lambda texts: [f"a photo of {'a photo of ' * (n % 9 > 0)}{t}" for n, t in enumerate(texts)],
            "shared_start",
            1000,
        ),
        (
            lambda texts: [f"{'a photo of ' * (n % 3 > 0)}{t}" for n, t in enumerate(texts)],
            "shared_start",
            666,
        ),
    ],
)
def test_published_captions_that_were_damaged(
    real_data: Path, damage_to: Damage, kind: str, count: int
) -> None:
    whole = published(real_data, "blip2_opt2.7b_coco_finetuned")
    texts = Texts(whole.ids[:1000], tuple(damage_to(list(whole.captions[:1000]))), whole.references[:1000])
    found = {finding.kind: finding.count for finding in find_damage(texts)}
    assert found.keys() == {kind}
    assert found[kind] == pytest.approx(count, abs=2)


def test_of_many_references_those_of_some_images_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_ends, "MOST_REFERENCES", 15)
    assert kinds(CLEAN) == {}
    assert kinds([f"a photo of {caption}" for caption in CLEAN])["shared_start"].text == "a photo of"
    assert len(list(shared_ends.some_of(REFERENCES))) in range(8, 16)
