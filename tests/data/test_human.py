"""What one person wrote, against what the others wrote."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from evaluator.core import Item
from evaluator.data.coco import COCO
from evaluator.data.human import drop_reference, held_out_captions
from evaluator.data.karpathy import Karpathy

texts = st.lists(st.text(), max_size=7).map(tuple)


@given(st.lists(texts), st.integers(1, 8))
def test_nothing_is_lost_and_nothing_compared_with_itself(
    references: list[tuple[str, ...]], number: int
) -> None:
    items = [Item(str(n), None, of_image) for n, of_image in enumerate(references)]
    said, left = held_out_captions(items, number), drop_reference(items, number)
    for item, rest in zip(items, left, strict=True):
        if item.id in said:
            assert sorted([said[item.id], *rest.references]) == sorted(item.references)
            assert rest.references
        else:
            assert rest == item
    assert drop_reference(items, None) == items


def test_both_readers_leave_a_reference_out(tmp_path: Path) -> None:
    coco = tmp_path / "coco.json"
    notes = [{"image_id": 1, "caption": text} for text in ("a", "b", "c")]
    coco.write_text(json.dumps({"images": [{"id": 1}], "annotations": notes}))
    karpathy = tmp_path / "karpathy.json"
    sentences = [{"raw": text} for text in ("a", "b", "c")]
    karpathy.write_text(json.dumps({"images": [{"cocoid": 1, "split": "test", "sentences": sentences}]}))
    for reader in (COCO(None, coco, leave_out=2), Karpathy(None, karpathy, leave_out=2)):
        assert [item.references for item in reader.load()] == [("a", "c")]
