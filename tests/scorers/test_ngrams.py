"""Arrays of n-grams, against counting them one by one."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from evaluator.scorers.ngrams import Bag, count, index
from evaluator.scorers.vocabulary import Numbering, read

ORDERS = 4
texts = st.lists(st.sampled_from("abcde"), max_size=8).map(" ".join)


def one_by_one(text: str, order: int) -> Counter[tuple[str, ...]]:
    words = text.split()
    return Counter(tuple(words[start : start + order]) for start in range(len(words) - order + 1))


def spelled(vocabulary: Numbering, pairs: list[np.ndarray], order: int) -> dict[int, tuple[str, ...]]:
    """The n-grams by their numbers, unfolded from the pairs."""
    words = {number: (word,) for word, number in vocabulary.items()}
    grams = words
    for of_order in pairs[: order - 1]:
        grams = {
            number: grams[int(pair) >> 31] + words[int(pair) & (2**31 - 1)]
            for number, pair in enumerate(of_order)
        }
    return grams


def counts_of(bag: Bag, text: int) -> Counter[int]:
    rows = bag.texts == text
    return Counter(dict(zip(bag.grams[rows].tolist(), bag.counts[rows].tolist(), strict=True)))


@given(st.lists(texts), st.lists(texts), st.lists(texts))
def test_bags_hold_what_counting_one_by_one_finds(
    first: list[str], second: list[str], third: list[str]
) -> None:
    vocabulary = Numbering()
    nothing = [np.empty(0, np.int64)] * (ORDERS - 1)
    bags, known = count([read(some, vocabulary).words for some in (first, second)], nothing)
    more_bags, new = count([read(third, vocabulary).words], known)
    pairs = [np.concatenate(both) for both in zip(known, new, strict=True)]
    for order in range(1, ORDERS + 1):
        name = spelled(vocabulary, pairs, order)
        assert len(set(name.values())) == len(name)
        for some, bag in zip((first, second, third), bags[order - 1] + more_bags[order - 1], strict=True):
            for place, text in enumerate(some):
                told = counts_of(bag, place)
                assert {name[gram]: times for gram, times in told.items()} == one_by_one(text, order)


@given(st.lists(st.lists(texts, min_size=1, max_size=3), min_size=1, max_size=4))
def test_an_index_gathers_by_image(corpus: list[list[str]]) -> None:
    image_of = np.repeat(np.arange(len(corpus)), list(map(len, corpus)))
    vocabulary = Numbering()
    flat = [text for of_image in corpus for text in of_image]
    (((bag,),), _) = count([read(flat, vocabulary).words], [])
    found = index(image_of, bag.texts, bag.grams, bag.counts)
    name = list(vocabulary)
    expected = {
        (image, word): sorted((place, flat[place].split().count(word)) for place in places)
        for image in range(len(corpus))
        for word in name
        if (places := [at for at in np.flatnonzero(image_of == image).tolist() if word in flat[at].split()])
    }
    told = {}
    for place, key in enumerate(found.keys.tolist()):
        rows = found.rows(np.array([place]))
        held = sorted(zip(found.texts[rows].tolist(), found.values[rows].tolist(), strict=True))
        told[key >> 31, name[key & (2**31 - 1)]] = held
        assert found.most[place] == max(times for _, times in held)
    assert told == expected


def test_texts_without_words_are_empty_bags() -> None:
    bags, pairs = count([read(["", "."], Numbering()).words], [np.empty(0, np.int64)] * 3)
    assert [len(bag.grams) for (bag,) in bags] == [0, 0, 0, 0]
    assert [len(found) for found in pairs] == [0, 0, 0]
