"""Tags from object annotations: the largest first, each once, mistakes in the file named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evaluator.core import Item
from evaluator.core.errors import DataError
from evaluator.data.coco_format import read_objects, with_object_tags

DOCUMENT: dict[str, Any] = {
    "categories": [{"id": 1, "name": "person"}, {"id": 18, "name": "dog"}],
    "annotations": [
        {"image_id": 42, "category_id": 18, "bbox": [0, 0, 10, 20]},
        {"image_id": "42", "category_id": 1, "bbox": [5, 5, 10, 15.5]},
        {"image_id": 42, "category_id": 1, "bbox": [5, 5, 10, 15]},
        {"image_id": 7, "category_id": 18, "bbox": [0, 0, 1, 1]},
    ],
}


def test_the_objects_that_cover_most_come_first() -> None:
    found = read_objects(DOCUMENT, Path("objects.json"))
    assert found == {"42": ("person", "dog"), "7": ("dog",)}


def test_images_that_the_file_lacks_keep_their_tags(tmp_path: Path) -> None:
    path = tmp_path / "objects.json"
    path.write_text(json.dumps(DOCUMENT), encoding="utf-8")
    items = [Item("7", None), Item("8", None, tags=("cat",))]
    assert [item.tags for item in with_object_tags(items, path)] == [("dog",), ("cat",)]
    assert with_object_tags(items, None) == items


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"categories": None}, "expected a list under 'categories'"),
        (
            {"annotations": [{"image_id": 7, "category_id": 3, "bbox": [0, 0, 1, 1]}]},
            "category 3 is not among",
        ),
        (
            {"annotations": [{"image_id": 7, "category_id": [], "bbox": [0, 0, 1, 1]}]},
            "annotations[0].category_id: expected a whole number or text, found a list of 0",
        ),
        ({"annotations": [{"image_id": 7, "category_id": 1, "bbox": [0, 1]}]}, "[x, y, width, height]"),
        ({"annotations": [{"category_id": 1}]}, "'image_id' is missing"),
    ],
)
def test_mistakes_are_named(change: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError) as raised:
        read_objects(DOCUMENT | change, Path("objects.json"))
    assert said in str(raised.value)
    assert "objects.json" in str(raised.value)


def test_real_photographs_show_what_the_annotations_say(real_data: Path) -> None:
    path = real_data / "coco" / "instances_val2017_subset.json"
    found = read_objects(json.loads(path.read_bytes()), path)
    assert len(found) == 34
    assert all(tags for tags in found.values())
