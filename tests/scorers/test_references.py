from __future__ import annotations

import numpy as np
import pytest

from evaluator.core import Item
from evaluator.core.errors import MetricError
from evaluator.scorers.references import References

ITEMS = [Item("1", None, ("a cat",)), Item("2", None), Item("3", None, ("a dog", "a hound"))]


def test_images_without_references_are_left_out_and_keep_their_index() -> None:
    texts = References.of(ITEMS, ["x", "y", "z"], "BLEU")
    assert texts.captions == ("x", "z")
    assert texts.references == (("a cat",), ("a dog", "a hound"))
    assert texts.spread(np.array([[1.0, 1.0], [3.0, 1.0]])).tolist() == [[1, 1], [0, 0], [3, 1]]


def test_no_references_at_all_says_what_to_give() -> None:
    with pytest.raises(MetricError, match=r"ROUGE-L .* none of the 1 images has any: .* references file"):
        References.of([ITEMS[1]], ["x"], "ROUGE-L")


def test_each_image_has_one_caption() -> None:
    with pytest.raises(ValueError, match="captions for"):
        References.of(ITEMS, ["x"], "BLEU")
