"""Matrices of n-gram counts, against counting one by one."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from evaluator.scorers.ngram_counts import Counts, caption_counts, reference_counts
from evaluator.scorers.tokenizer.ptb import tokenized_text

texts = st.lists(st.sampled_from(["a", "b", "c", "d", "1 1/2"]), max_size=8).map(" ".join)
corpora = st.lists(
    st.tuples(texts, st.lists(texts, min_size=1, max_size=3).map(tuple)), min_size=1, max_size=6
)
Corpus = list[tuple[str, tuple[str, ...]]]


def one_by_one(text: str, n: int) -> Counter[str]:
    words = tokenized_text(text).split()
    return Counter(" ".join(words[start : start + n]) for start in range(len(words) - n + 1))


def rows(matrix: object, ngrams: list[str]) -> list[dict[str, float]]:
    """The n-grams of each row that are not zero."""
    dense = matrix.toarray()  # type: ignore[attr-defined]
    return [{ngrams[column]: row[column] for column in np.flatnonzero(row)} for row in dense]


def assert_counted(counts: Counts, expected: list[str]) -> None:
    for n in range(1, 5):
        assert len(set(counts.ngrams[n - 1])) == counts.counts[n - 1].shape[1]
        assert rows(counts.counts[n - 1], counts.ngrams[n - 1]) == [one_by_one(text, n) for text in expected]
    assert counts.lengths.tolist() == [sum(one_by_one(text, 1).values()) for text in expected]


@given(corpora)
def test_each_text_has_its_counts(corpus: Corpus) -> None:
    captions = tuple(f"{caption} unheard" for caption, _ in corpus)
    references = reference_counts(tuple(of_image for _, of_image in corpus))
    assert_counted(references, [text for _, of_image in corpus for text in of_image])
    counts = caption_counts(captions, references)
    assert_counted(counts, list(captions))
    for n in range(4):  # the references' n-grams keep their columns
        assert counts.ngrams[n][: len(references.ngrams[n])] == references.ngrams[n]
    assert "unheard" not in references.vocabulary


@given(corpora)
def test_images_have_the_largest_counts_of_their_references(corpus: Corpus) -> None:
    counts = reference_counts(tuple(of_image for _, of_image in corpus))
    for n in range(1, 5):
        expected = []
        for _, of_image in corpus:
            most: Counter[str] = Counter()
            for text in of_image:
                most |= one_by_one(text, n)
            expected.append(most)
        assert rows(counts.most[n - 1], counts.ngrams[n - 1]) == expected
        images = Counter(ngram for of_image in expected for ngram in of_image)
        frequencies = dict(zip(counts.ngrams[n - 1], counts.document_frequencies(n).tolist(), strict=True))
        assert {ngram: count for ngram, count in frequencies.items() if count} == images


def test_the_image_of_each_reference() -> None:
    counts = reference_counts((("a", "b"), ("c",), ("d", "e", "f")))
    assert counts.image.tolist() == [0, 0, 1, 2, 2, 2]
    assert counts.first_of_image.tolist() == [0, 2, 3]


def test_texts_without_words() -> None:
    references = reference_counts((("", "."), ("!",)))
    assert [matrix.shape for matrix in references.counts] == [(3, 0)] * 4
    captions = caption_counts(("a cat", ""), references)
    assert [matrix.sum() for matrix in captions.counts] == [2, 1, 0, 0]


def test_the_last_data_sets_and_systems_are_remembered() -> None:
    references = reference_counts((("a cat",), ("a dog",)))
    assert reference_counts((("a cat",), ("a dog",))) is references
    assert caption_counts(("a", "b"), references) is caption_counts(("a", "b"), references)
