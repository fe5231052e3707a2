"""Captions beside their references: what both hold, against counting one by one."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from evaluator.scorers.compared import compared
from evaluator.scorers.prepared import prepare

texts = st.lists(st.sampled_from(["a", "b", "c", "d", "1 1/2"]), max_size=8).map(" ".join)
corpora = st.lists(
    st.tuples(texts, st.lists(texts, min_size=1, max_size=3).map(tuple)), min_size=1, max_size=6
)


def ngrams(text: str, order: int) -> Counter[tuple[str, ...]]:
    words = text.split()
    return Counter(tuple(words[start : start + order]) for start in range(len(words) - order + 1))


@given(corpora)
def test_captions_share_what_they_share(corpus: list[tuple[str, tuple[str, ...]]]) -> None:
    captions = tuple(caption + " unheard" for caption, _ in corpus)
    references = tuple(of_image for _, of_image in corpus)
    prepared = prepare(references)
    found = compared(captions, prepared)
    assert "unheard" in found.new_words
    (known,), (part,) = prepared.parts, found.parts
    for order in range(1, 5):
        bag, held, shared = part.bags[order - 1], known.ngrams[order - 1], part.shared[order - 1]
        for image, caption in enumerate(captions):
            expected = sorted(ngrams(caption, order).values())
            assert sorted(bag.counts[bag.texts == image].tolist()) == expected
        assert (bag.texts[shared.row_of] == known.image_of[held.texts[shared.rows]]).all()
        assert (bag.grams[shared.held] == held.grams[shared.keys]).all()
        expected_rows = sum(
            len(ngrams(caption, order).keys() & ngrams(text, order).keys())
            for caption, of_image in zip(captions, references, strict=True)
            for text in of_image
        )
        assert len(shared.rows) == len(shared.row_of) == expected_rows
