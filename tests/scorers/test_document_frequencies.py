"""Document frequencies counted in parts, against counting image by image."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.scorers import in_parts
from evaluator.scorers.document_frequencies import Tally, document_frequencies, images_within
from evaluator.scorers.ngram_counts import caption_counts, reference_counts
from evaluator.scorers.tokenizer.ptb import tokenized_text

texts = st.lists(st.sampled_from(["a", "b", "c", "d", "1 1/2"]), max_size=8).map(" ".join)
data_sets = st.lists(st.lists(texts, min_size=1, max_size=3).map(tuple), min_size=1, max_size=9).map(tuple)
DataSet = tuple[tuple[str, ...], ...]


def images_of_ngrams(references: DataSet, n: int) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for of_image in references:
        words = [tokenized_text(text).split() for text in of_image]
        counts.update({" ".join(each[i : i + n]) for each in words for i in range(len(each) - n + 1)})
    return {ngram: images for ngram, images in counts.items() if images > 1}


@given(data_sets, st.integers(1, 4), st.integers(1, 4))
def test_each_ngram_of_several_images_has_their_number(
    references: DataSet, images_a_part: int, longest: int
) -> None:
    document_frequencies.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_parts, "IMAGES_A_PART", images_a_part)
        counted = document_frequencies(references, longest)
    assert counted.images == len(references)
    assert len(counted.ngrams) == len(counted.frequencies) == longest
    for n in range(1, longest + 1):
        found = dict(zip(counted.ngrams[n - 1], counted.frequencies[n - 1].tolist(), strict=True))
        assert found == images_of_ngrams(references, n)


@given(data_sets, st.lists(texts, min_size=1, max_size=4))
def test_ngrams_of_other_texts_are_found(references: DataSet, captions: list[str]) -> None:
    counted = document_frequencies(references, 4)
    some = reference_counts(references[:2])
    for counts in (some, caption_counts((*captions, "unheard of"), some)):
        for n in range(1, 5):
            expected = images_of_ngrams(references, n)
            found = counted.of_ngrams(n, counts).tolist()
            assert found == [expected.get(ngram, 0) for ngram in counts.ngrams[n - 1]]


@given(st.lists(st.tuples(st.sampled_from([0, 1, 5, 2**40, 2**62 + 1]), st.integers(0, 20)), max_size=30))
def test_keys_of_any_size_are_counted(occurrences: list[tuple[int, int]]) -> None:
    keys, image = np.array(occurrences, np.int64).reshape(-1, 2).T
    found = dict(zip(*map(np.ndarray.tolist, images_within(keys, image)), strict=True))
    assert found == Counter(key for key, _ in set(occurrences))
    assert list(found) == sorted(found)


@given(st.lists(st.dictionaries(st.integers(0, 9), st.integers(1, 3)), max_size=12))
def test_a_tally_sums_its_parts(parts: list[dict[int, int]]) -> None:
    tally, expected = Tally(), Counter[int]()
    for part in parts:
        keys = np.array(sorted(part), np.int64)
        tally.add(keys, np.array([part[key] for key in sorted(part)], np.int64))
        expected.update(part)
    found = dict(zip(*map(np.ndarray.tolist, tally.of_two_or_more()), strict=True))
    assert found == {key: count for key, count in expected.items() if count > 1}
