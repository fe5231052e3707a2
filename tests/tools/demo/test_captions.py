"""What is said of a drawn scene: true, grammatical, varied, and no more than the picture shows."""

from __future__ import annotations

import itertools
import random
import re

from hypothesis import given
from hypothesis import strategies as st

from tools.demo.captions import describe, mentioned_pairs, references, wrong_captions
from tools.demo.scenes import Scene, held_out, training_scenes

seeds = st.integers(0, 10_000)
SCENES = [*held_out(), *itertools.islice(training_scenes(1), 300)]


@given(st.sampled_from(SCENES), seeds)
def test_every_shape_is_named_and_nothing_else(scene: Scene, seed: int) -> None:
    caption = describe(scene, random.Random(seed))
    assert sorted(mentioned_pairs(caption)) == sorted(shape.pair for shape in scene.shapes)


@given(st.sampled_from(SCENES), seeds)
def test_it_is_grammatical(scene: Scene, seed: int) -> None:
    caption = describe(scene, random.Random(seed))
    assert re.fullmatch(r"[a-z]+(,? [a-z]+)*", caption)
    for article, following in re.findall(r"\b(an?) (\w)", caption):
        assert (article == "an") == (following in "aeiou"), caption
    assert not re.search(r"\b(\w+) \1\b", caption)


@given(st.sampled_from(SCENES), seeds)
def test_sizes_and_grounds_are_true(scene: Scene, seed: int) -> None:
    caption = describe(scene, random.Random(seed))
    said = {("big", "large"): "big", ("small", "little"): "small"}
    for words, size in said.items():
        for word in words:
            for pair in re.findall(rf"\b{word} (\w+) (\w+)", caption):
                assert any(shape.pair == pair and shape.size == size for shape in scene.shapes)
    if found := re.search(r"(?:(\w+) )?(\w+) (?:back)?ground$", caption):
        assert found[2] == scene.ground
        assert found[1] in (scene.texture, "a")


@given(st.sampled_from([scene for scene in SCENES if scene.layout in ("beside", "above")]), seeds)
def test_relations_are_true(scene: Scene, seed: int) -> None:
    caption = describe(scene, random.Random(seed))
    first, second = (" ".join(shape.pair) for shape in scene.shapes)
    forward = ("to the left of", "above", "over", "at the top and")
    backward = ("to the right of", "below", "under")
    if any(word in caption for word in forward):
        assert caption.index(first) < caption.index(second)
    if any(word in caption for word in backward):
        assert caption.index(second) < caption.index(first)
    sideways = ("left", "right", "next to", "beside", "side by side")
    assert any(word in caption for word in sideways) == (scene.layout == "beside")


@given(st.sampled_from([scene for scene in SCENES if len(scene.shapes) == 1]), seeds)
def test_the_place_of_a_single_shape_is_true(scene: Scene, seed: int) -> None:
    caption = describe(scene, random.Random(seed))
    for place in ("left", "middle", "right"):
        if place in caption:
            assert place == scene.layout


@given(st.sampled_from(SCENES), st.text(max_size=5))
def test_references_are_five_different_ones_and_always_the_same(scene: Scene, seed: str) -> None:
    said = references(scene, seed)
    assert len(set(said)) == 5
    assert said == references(scene, seed)


@given(st.sampled_from(SCENES), seeds)
def test_a_wrong_caption_is_wrong_in_one_thing(scene: Scene, seed: int) -> None:
    generator = random.Random(seed)
    caption = describe(scene, generator)
    wrong_color, wrong_shape = wrong_captions(caption, scene, generator)
    right = mentioned_pairs(caption)
    for wrong, same in ((wrong_color, 1), (wrong_shape, 0)):
        ((before, after),) = (
            (one, other) for one, other in zip(right, mentioned_pairs(wrong), strict=True) if one != other
        )
        assert before[same] == after[same]
        assert after not in [shape.pair for shape in scene.shapes]
        for article, following in re.findall(r"\b(an?) (\w)", wrong):
            assert (article == "an") == (following in "aeiou"), wrong


def test_pairs_are_found_in_their_order_with_repeats() -> None:
    assert mentioned_pairs("an orange star, a red circle and a red circle, no red, no circle") == [
        ("orange", "star"),
        ("red", "circle"),
        ("red", "circle"),
    ]
