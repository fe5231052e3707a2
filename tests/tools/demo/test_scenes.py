"""The drawn scenes: the same from the same seed, none of the held-out ones among those trained on."""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from evaluator.data.coco import COCO
from tools.demo.dataset import write_dataset
from tools.demo.scenes import (
    COLORS,
    GROUNDS,
    HELD_OUT,
    LAYOUTS,
    SHAPES,
    TEXTURES,
    Scene,
    Shape,
    draw,
    held_out,
    positions,
    sample_scene,
    training_scenes,
)

DATA = Path(__import__("evaluator").__file__).parent / "demo" / "data"

shapes = st.builds(
    Shape, st.sampled_from(sorted(COLORS)), st.sampled_from(SHAPES), st.sampled_from(["big", "small"])
)


@st.composite
def scenes(draw_value: st.DrawFn) -> Scene:
    number = draw_value(st.integers(1, 3))
    return Scene(
        tuple(draw_value(st.lists(shapes, min_size=number, max_size=number, unique_by=lambda s: s.color))),
        draw_value(st.sampled_from(LAYOUTS[number])),
        draw_value(st.sampled_from(sorted(GROUNDS))),
        draw_value(st.sampled_from(TEXTURES)),
        tuple(draw_value(st.lists(st.floats(-1, 1), min_size=2 * number, max_size=2 * number))),
    )


def test_the_shipped_data_set_is_drawn_again_byte_for_byte(tmp_path: Path) -> None:
    write_dataset(tmp_path)
    for name in ("captions.json", "instances.json"):
        assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes()
    names = sorted(path.name for path in (DATA / "images").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "images").iterdir())
    for name in names:
        with Image.open(tmp_path / "images" / name) as new, Image.open(DATA / "images" / name) as shipped:
            assert np.array_equal(np.asarray(new.convert("RGB")), np.asarray(shipped.convert("RGB"))), name


def test_the_data_set_is_read_as_coco_is() -> None:
    items = COCO(DATA / "images", DATA / "captions.json").load()
    assert len(items) == HELD_OUT == 200
    assert {len(set(item.references)) for item in items} == {5}
    assert all(item.image is not None and item.image.is_file() for item in items)
    document = json.loads((DATA / "captions.json").read_bytes())
    assert {image["width"] for image in document["images"]} == {128}


def test_no_held_out_scene_is_trained_on() -> None:
    reserved = {scene.content for scene in held_out()}
    assert len(reserved) == HELD_OUT
    assert not reserved & {scene.content for scene in itertools.islice(training_scenes(0), 40_000)}


def test_the_held_out_scenes_have_everything_there_is() -> None:
    things = [shape for scene in held_out() for shape in scene.shapes]
    assert {thing.color for thing in things} == set(COLORS)
    assert {thing.name for thing in things} == set(SHAPES)
    assert {scene.layout for scene in held_out()} == set(itertools.chain(*LAYOUTS.values()))
    assert {(scene.ground, scene.texture) for scene in held_out()} == set(
        itertools.product(GROUNDS, TEXTURES)
    )
    assert min(Counter(len(scene.shapes) for scene in held_out()).values()) > 20


def test_the_same_seed_gives_the_same_scenes() -> None:
    one, other = (list(itertools.islice(training_scenes(5), 20)) for _ in range(2))
    assert one == other
    assert one != list(itertools.islice(training_scenes(6), 20))


@given(scenes())
def test_each_shape_is_seen_in_its_place(scene: Scene) -> None:
    picture = np.asarray(draw(scene)).astype(int)
    for shape, (x, y, _), dx, dy in zip(
        scene.shapes, positions(scene), scene.jitter[::2], scene.jitter[1::2], strict=True
    ):
        row, column = (round((at + 0.035 * shift) * 128) for at, shift in ((y, dy), (x, dx)))
        around = picture[row - 1 : row + 2, column - 1 : column + 2].reshape(-1, 3)
        assert np.abs(around - COLORS[shape.color]).max() <= 3


@given(scenes())
def test_no_shape_hides_another(scene: Scene) -> None:
    picture = np.asarray(draw(scene)).astype(int)
    for shape in scene.shapes:
        near = np.abs(picture - COLORS[shape.color]).max(axis=2) <= 12
        assert near.sum() > 100


def test_sampled_colours_never_repeat_within_a_scene() -> None:
    generator = random.Random(1)
    for _ in range(500):
        colors = [shape.color for shape in sample_scene(generator).shapes]
        assert len(set(colors)) == len(colors)
