"""The shipped models reach their bars on scenes they never saw, loaded as any checkpoint is."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from evaluator.core import Item, Prompt  # noqa: E402
from evaluator.models.git import GIT  # noqa: E402
from tools.demo.architectures import BUILDERS  # noqa: E402
from tools.demo.captions import references  # noqa: E402
from tools.demo.measure import (  # noqa: E402
    DATA,
    Measured,
    invented,
    measured,
    model_captions,
    preferences,
    recall,
)
from tools.demo.scenes import Scene, Shape, held_out  # noqa: E402
from tools.demo.train import MODELS  # noqa: E402

CAPTIONERS = ("git", "blip", "blip2")
MEGABYTES = 2


@pytest.fixture(scope="module")
def reached() -> dict[str, Measured]:
    return {name: measured(model_captions(name, MODELS / name), held_out()) for name in CAPTIONERS}


@pytest.mark.parametrize("name", CAPTIONERS)
def test_captions_are_right_in_most_things(reached: dict[str, Measured], name: str) -> None:
    result = reached[name]
    assert result.recall >= 0.6
    assert result.invented <= 0.2
    assert result.cider >= 5 * result.shuffled_cider


def test_there_is_a_best_one_and_a_ranking(reached: dict[str, Measured]) -> None:
    assert max(result.recall for result in reached.values()) >= 0.8
    scores = sorted(result.cider for result in reached.values())
    assert all(higher - lower > 0.02 for lower, higher in itertools.pairwise(scores))


def test_clip_prefers_what_is_true() -> None:
    color, shape = preferences(MODELS / "clip")
    assert color >= 0.95
    assert shape >= 0.85


@pytest.mark.parametrize("name", BUILDERS)
def test_each_is_a_small_folder_as_save_pretrained_writes_it(name: str) -> None:
    folder = MODELS / name
    (weights,) = folder.glob("*.safetensors")
    assert weights.name == "model.safetensors"
    assert weights.stat().st_size <= MEGABYTES * 1_000_000
    assert {"config.json", "tokenizer.json"} <= {path.name for path in folder.iterdir()}
    assert not any(str(Path.home()) in path.read_text() for path in folder.glob("*.json"))


@pytest.mark.parametrize("name", BUILDERS)
def test_the_builder_makes_what_is_shipped(name: str) -> None:
    """Training again gives weights of the same names and shapes, and the same vocabulary."""
    model, processor = BUILDERS[name]()
    shipped = type(model).from_pretrained(MODELS / name)
    shapes = [
        {key: tuple(value.shape) for key, value in each.state_dict().items()} for each in (model, shipped)
    ]
    assert shapes[0] == shapes[1]
    tokenizer = type(processor).from_pretrained(MODELS / name).tokenizer
    assert tokenizer.get_vocab() == processor.tokenizer.get_vocab()


def test_captions_do_not_depend_on_the_batch_size() -> None:
    pictures = [Item("", path) for path in sorted((DATA / "images").glob("*.png"))[:24]]
    with GIT(str(MODELS / "git")).open(Prompt("none")) as session:
        prepared = [session.prepare(item) for item in pictures]
        one_by_one = [session.caption([each])[0] for each in prepared]
        assert session.caption(prepared) == one_by_one


def test_recall_and_inventions_by_hand() -> None:
    scenes = [
        Scene(
            (Shape("red", "star", "big"), Shape("blue", "cross", "big")),
            "beside",
            "white",
            "plain",
            (0.0,) * 4,
        ),
        Scene((Shape("green", "circle", "small"),), "left", "white", "plain", (0.0,) * 2),
    ]
    said = ["a red star next to a blue circle", "a green circle and a green circle"]
    assert recall(said, scenes) == pytest.approx(2 / 3)
    assert invented(said, scenes) == 1.0


def test_a_caption_of_the_scene_itself_reaches_everything() -> None:
    scenes = held_out()
    said = [references(scene, seed="another") for scene in scenes]
    result = measured([texts[0] for texts in said], scenes)
    assert (result.recall, result.invented) == (1.0, 0.0)
    assert result.cider > 5 * result.shuffled_cider
