"""Many images scored in parts: the same scores as in one piece, and less memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluator.core import Array, InParts, Item, Measurement, Scorer, Signature
from evaluator.core.errors import MetricError
from evaluator.scorers import in_parts
from evaluator.scorers.bleu import BLEU
from evaluator.scorers.cider import CIDEr
from evaluator.scorers.measure import measure
from evaluator.scorers.meteor import METEOR
from evaluator.scorers.ngram_counts import caption_counts, reference_counts
from evaluator.scorers.rouge import ROUGE

WORDS = ["a", "cat", "dog", "on", "the", "mat", "1 1/2", "isn't"]
texts = st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)
corpora = st.lists(st.tuples(texts, st.lists(texts, max_size=3).map(tuple)), min_size=4, max_size=12).filter(
    lambda corpus: sum(bool(references) for _, references in corpus) >= 2
)
Corpus = list[tuple[str, tuple[str, ...]]]
SCORERS: dict[str, Scorer] = {
    "bleu": BLEU(),
    "rouge": ROUGE(),
    "cider": CIDEr(),
    "plain": CIDEr(variant="plain", n=3),
}


def measured(corpus: Corpus, images_a_part: int) -> list[Measurement]:
    items = [Item(str(number), None, references) for number, (_, references) in enumerate(corpus)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_parts, "IMAGES_A_PART", images_a_part)
        found, not_computed = measure(SCORERS, items, [caption for caption, _ in corpus])
    assert not not_computed
    return found


@settings(max_examples=25)
@given(corpora, st.integers(1, 5), st.randoms(use_true_random=False))
def test_any_parts_in_any_order_give_the_scores_of_one_piece(
    corpus: Corpus, images_a_part: int, source: Random
) -> None:
    order = source.sample(range(len(corpus)), len(corpus))
    whole = measured(corpus, len(corpus))
    of_parts = measured([corpus[index] for index in order], images_a_part)
    for one, other in zip(whole, of_parts, strict=True):
        assert (one.name, one.aggregate, one.signature) == (other.name, other.aggregate, other.signature)
        np.testing.assert_allclose(other.statistics, one.statistics[order], rtol=1e-12, atol=1e-12)


def test_bleus_metrics_share_their_rows_also_in_parts() -> None:
    corpus: Corpus = [("a cat", ("a cat",)), ("a dog", ("the dog",)), ("", ()), ("a", ("a", "b"))]
    first, second, *_ = measured(corpus, 2)
    assert first.statistics is second.statistics


def items_and_captions(images: int) -> tuple[list[Item], list[str]]:
    source = Random(0)
    words = [f"word{number}" for number in range(500)]

    def text() -> str:
        return " ".join(source.choices(words, k=10))

    return [Item(str(number), None, tuple(text() for _ in range(5))) for number in range(images)], [
        text() for _ in range(images)
    ]


def test_parts_take_less_memory_than_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    items, captions = items_and_captions(1_500)
    peaks = []
    for images_a_part in (1_500, 150):
        monkeypatch.setattr(in_parts, "IMAGES_A_PART", images_a_part)
        reference_counts.cache_clear()
        caption_counts.cache_clear()
        tracemalloc.start()
        measure({"bleu": BLEU(), "rouge": ROUGE(), "cider": CIDEr()}, items, captions)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] / 3


@dataclass
class Lengths:
    """A scorer of one's own that says that it can have its images in parts."""

    sizes: list[int] = field(default_factory=list)
    fails_at: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        return ("lengths",)

    def score(self, items: Sequence[Item], captions: Sequence[str]) -> list[Measurement]:
        return in_parts.score_in_parts(self, items, captions)

    def for_parts_of(self, items: Sequence[Item]) -> Lengths:
        return self

    def rows(self, items: Sequence[Item], captions: Sequence[str]) -> Array:
        self.sizes.append(len(items))
        if len(self.sizes) == self.fails_at:
            raise MetricError("the third part is bad")
        return np.array([[len(caption), 1.0] for caption in captions])

    def measurements(self, items: Sequence[Item], rows: Array) -> list[Measurement]:
        return [Measurement("lengths", rows, "mean", Signature(f"lengths|images:{len(items)}"))]


def test_a_scorer_of_ones_own_gets_its_parts_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_parts, "IMAGES_A_PART", 2)
    items, captions = items_and_captions(5)
    scorer = Lengths()
    ((found,), _) = measure({"own": scorer, "bleu": BLEU()}, items, captions)[0][:1], None
    assert scorer.sizes == [2, 2, 1]
    assert found.per_image.tolist() == [len(caption) for caption in captions]
    assert Lengths().score(items, captions)[0].value == found.value


def test_a_scorer_that_fails_in_one_part_is_not_computed_and_the_others_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(in_parts, "IMAGES_A_PART", 2)
    items, captions = items_and_captions(7)
    found, (missing,) = measure({"own": Lengths(fails_at=3), "rouge": ROUGE()}, items, captions)
    assert [one.name for one in found] == ["ROUGE-L"]
    assert (missing.name, missing.reason) == ("lengths", "the third part is bad")
    with pytest.raises(MetricError, match="third part"):
        Lengths(fails_at=3).score(items, captions)


@pytest.mark.parametrize("scorer", [BLEU(), ROUGE(), CIDEr(), METEOR()])
def test_every_image_has_one_caption(scorer: InParts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_parts, "IMAGES_A_PART", 2)
    items, captions = items_and_captions(4)
    with pytest.raises(ValueError, match="6 captions for 4 images"):
        scorer.score(items, [*captions, "a", "b"])


@pytest.mark.parametrize("scorer", [BLEU(), ROUGE(), CIDEr(), METEOR()])
def test_no_references_in_any_part_is_said_once(scorer: InParts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_parts, "IMAGES_A_PART", 2)
    items = [Item(str(number), None) for number in range(5)]
    with pytest.raises(MetricError, match="none of the 5 images has any"):
        scorer.score(items, ["a"] * 5)
