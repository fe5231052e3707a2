"""THumB 1.0, as its authors share it."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluator.agreement.collections.thumb import thumb
from evaluator.agreement.trust import trust
from evaluator.core.errors import DataError


def test_the_real_files(real_data: Path) -> None:
    folder = real_data / "judgements" / "thumb"
    collection = thumb(folder)
    assert (collection.images, len(collection.judged)) == (500, 2500)
    assert {one.system for one in collection.judged} == {
        "Up-Down", "Unified-VLP", "VinVL-base", "VinVL-large", "Human"
    }  # fmt: skip
    [found] = trust("CIDEr", collection, resamples=2)
    systems = found.systems()
    # Kasai et al. 2022, table 2: total of 3.88, 4.06, 4.21, 4.25 and 4.56.
    means = {name: round(mean, 2) for name, mean in systems["people"].items()}
    assert means == {
        "Up-Down": 3.88, "Unified-VLP": 4.06, "VinVL-base": 4.21, "VinVL-large": 4.25, "Human": 4.56
    }  # fmt: skip
    assert min(systems["CIDEr"], key=lambda name: systems["CIDEr"][name]) == "Human"


def test_an_image_without_references_is_named(tmp_path: Path) -> None:
    (tmp_path / "mscoco_references.json").write_text('{"seg_id": "1", "refs": ["a dog"]}\n')
    (tmp_path / "mscoco_THumB-1.0.jsonl").write_text(
        '{"SYS": "a", "seg_id": "2", "hyp": "a cat", "human_score": 3.5}\n'
    )
    with pytest.raises(DataError, match="no references of image '2'"):
        thumb(tmp_path)
