"""Data sets are recognised by their content, however it is written down."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from evaluator.comparison.compare import compare
from evaluator.core import Item
from evaluator.data.coco import COCO
from evaluator.data.karpathy import Karpathy
from evaluator.data.known import dataset_name, known_dataset
from tests.scored_runs import scored_run


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("coco/captions_karpathy_test.json", "COCO Karpathy test"),
        ("coco/captions_val2017.json", "COCO val2017"),
        ("judgements/flickr8k/Flickr8k.token.txt", "Flickr8k"),
    ],
)
def test_a_known_data_set_is_named_by_its_content(real_data: Path, file: str, name: str) -> None:
    data = COCO(None, real_data / file)
    assert dataset_name("coco", data) == name
    known = known_dataset(name)
    assert known is not None
    assert known.images == len(data.load())


def test_the_same_content_in_blips_form_has_the_same_name(real_data: Path, tmp_path: Path) -> None:
    items = COCO(None, real_data / "coco" / "captions_karpathy_test.json").load()
    random.Random(0).shuffle(items)
    rows = [
        {"image": f"val2014/COCO_val2014_{int(item.id):012}.jpg", "caption": list(item.references[::-1])}
        for item in items
    ]
    (tmp_path / "coco_karpathy_test.json").write_text(json.dumps(rows))
    data = COCO(None, tmp_path / "coco_karpathy_test.json")
    assert dataset_name("coco", data) == "COCO Karpathy test"


def test_the_demo_is_known_by_its_name(references: object) -> None:
    captions = Path(__file__).parents[2] / "evaluator" / "demo" / "data" / "captions.json"
    assert dataset_name("demo", COCO(None, captions)) == "demo"
    assert dataset_name("demo", COCO(None, captions, leave_out=2)) == "demo, without reference 2"


def test_another_data_set_is_called_by_its_file_and_split(tmp_path: Path) -> None:
    images = [{"imgid": 0, "filename": "a.jpg", "split": "val", "sentences": [{"raw": "a dog"}]}]
    (tmp_path / "dataset_mine.json").write_text(json.dumps({"images": images}))
    assert dataset_name("karpathy", Karpathy(None, tmp_path / "dataset_mine.json", "val")) == (
        "dataset_mine.json, val split"
    )


def test_runs_of_older_versions_are_recognised_by_their_images(real_data: Path, tmp_path: Path) -> None:
    items = COCO(None, real_data / "coco" / "captions_karpathy_test.json").load()
    old = scored_run(tmp_path / "old", {items[0].id: "a dog"}, {"CIDEr": [0.5]}, items)
    other = scored_run(tmp_path / "other", {"1": "a dog"}, {"CIDEr": [0.5]}, [Item("1", None, ("a dog",))])
    assert [row.data_name for row in compare([old]).rows] == ["COCO Karpathy test"]
    assert [row.whole_dataset for row in compare([old]).rows] == ["COCO Karpathy test"]
    assert [row.data_name for row in compare([other]).rows] == ["pets"]
