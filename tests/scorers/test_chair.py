"""CHAIR: objects named, invented, found and missed; counts by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.core import Item
from evaluator.core.errors import MetricError
from evaluator.data.coco_format import read_objects
from evaluator.scorers.chair import CHAIR, objects_of, verdict
from evaluator.scorers.object_words import named_objects, object_kinds


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Two men and a woman ride bikes", ["person", "person", "bicycle/motorcycle"]),
        ("hot dogs beside a dog", ["hot dog", "dog"]),
        ("a mother cat with her kittens", ["cat", "cat"]),
        ("a mother with her child", ["person", "person"]),
        ("a cat in an orange box", ["cat"]),
        ("an orange, a banana and oranges", ["orange", "banana", "orange"]),
        ("an orange", ["orange"]),
        ("toilet paper near the toilet", ["toilet"]),
        ("a train on the train tracks", ["train"]),
        ("mice, knives, sheep, geese and couches", ["mouse", "knife", "sheep", "bird", "couch"]),
        ("a TV set, a cell-phone and a pair of scissors", ["tv", "cell phone", "scissors"]),
        ("nothing of that kind at all", []),
        ("", []),
    ],
)
def test_which_objects_a_text_names(text: str, named: list[str]) -> None:
    assert ["/".join(sorted(kinds)) for kinds in named_objects(text)] == named


def test_the_list_has_cocos_kinds(real_data: Path) -> None:
    document = json.loads((real_data / "coco" / "instances_val2017_subset.json").read_bytes())
    assert set(object_kinds()) == {category["name"] for category in document["categories"]}


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    assert all(kinds <= set(object_kinds()) for kinds in named_objects(text))


ITEM = Item("1", None, ("a dog on a sofa", "a brown puppy"), ("dog", "tv"))


def test_references_are_evidence_too() -> None:
    assert objects_of(ITEM, "both") == {"dog", "tv", "couch"}
    assert objects_of(ITEM, "instances") == {"dog", "tv"}


def test_a_word_of_two_kinds_is_true_of_either() -> None:
    assert not verdict("a man on a bike", frozenset({"person", "motorcycle"})).invented
    assert verdict("a man on a bike", frozenset({"person"})).invented == ("bicycle",)


def test_the_three_numbers_by_hand() -> None:
    """Of dog, couch, cat, cat and couch two are invented, in one of two captions; 2 + 1 of 6 are found."""
    items = [ITEM, Item("2", None, ("a dog on a sofa",), ("dog", "tv"))]
    measured = CHAIR().score(items, ["a dog on a couch", "a cat and a kitten on a couch"])
    assert {one.name: one.value for one in measured} == pytest.approx(
        {"CHAIR-i": 2 / 5, "CHAIR-s": 1 / 2, "object recall": 3 / 6}
    )
    assert [one.higher_is_better for one in measured] == [False, False, True]
    assert "evidence:both" in measured[0].signature


def test_images_without_annotations_are_not_scored() -> None:
    items = [ITEM, Item("2", None, ("a dog",), ("indoor",))]
    measured = {one.name: one for one in CHAIR().score(items, ["a cat", "a cat"])}
    assert measured["CHAIR-s"].value == 1.0
    assert measured["CHAIR-s"].scored.tolist() == [True, False]
    with pytest.raises(MetricError, match=r"data\.instances"):
        CHAIR().score(items[1:], ["a cat"])


BLIP2, UPDOWN = "blip2_opt2.7b_coco_finetuned", "updown_paddle_xe"
# Captions of published systems, read beside the photographs, their annotations and references: how many
# objects they mention, those that are not there, and those that they miss.
BY_HAND = [
    (BLIP2, "a desk with two computer monitors and a laptop", 2, "", "book, cup, keyboard, mouse, tv"),
    (BLIP2, "a baseball player throwing a ball from the pitcher's mound", 3, "", "baseball glove"),
    (BLIP2, "a cat sitting on a table next to a dog", 3, "", "chair, potted plant"),
    (BLIP2, "a man standing next to a truck on the side of the road", 2, "", "car"),
    (BLIP2, "a bowl of noodles with beef and broccoli", 2, "", "carrot, dining table, fork"),
    (UPDOWN, "a bowl of pasta and broccoli with a spoon", 3, "spoon", "carrot, dining table, fork"),
    (UPDOWN, "a cat and a cat looking at each other", 2, "", "chair, dining table, dog, potted plant"),
    (
        "zerocap",
        "meal made to be a man and a woman.",
        2,
        "person, person",
        "bowl, broccoli, carrot, dining table, fork",
    ),
    (
        "zerocap",
        "pitching and a stop sign on a very busy corner.",
        1,
        "stop sign",
        "baseball glove, person, sports ball",
    ),
    (
        "magic",
        "A plate of noodles, beef, broccoli, and veggies.",
        1,
        "",
        "bowl, carrot, dining table, fork",
    ),
]


@pytest.mark.parametrize(("system", "text", "named", "invented", "missed"), BY_HAND)
def test_published_captions(
    real_data: Path, system: str, text: str, named: int, invented: str, missed: str
) -> None:
    path = real_data / "coco" / "instances_val2017_subset.json"
    objects = read_objects(json.loads(path.read_bytes()), path)
    captions = {
        str(entry["image_id"]): entry["caption"].strip()
        for entry in json.loads((real_data / "systems" / f"{system}.json").read_bytes())
    }
    image_id = next(image_id for image_id in objects if captions.get(image_id) == text)
    document = json.loads((real_data / "coco" / "captions_karpathy_test.json").read_bytes())
    references = tuple(
        entry["caption"] for entry in document["annotations"] if str(entry["image_id"]) == image_id
    )
    found = verdict(text, objects_of(Item(image_id, None, references, objects[image_id]), "both"))
    assert (found.named, ", ".join(found.invented)) == (named, invented)
    assert ", ".join(found.missed) == missed
