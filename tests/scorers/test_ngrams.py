"""Arrays of n-grams, against counting them one by one."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from evaluator.scorers.ngrams import Bag, CountedReferences, count_captions, count_references, shared_rows

texts = st.lists(st.sampled_from("abcde"), max_size=8).map(" ".join)
corpora = st.lists(
    st.tuples(texts, st.lists(texts, min_size=1, max_size=3).map(tuple)), min_size=1, max_size=6
)


def one_by_one(text: str, order: int) -> Counter[tuple[str, ...]]:
    words = text.split()
    return Counter(tuple(words[start : start + order]) for start in range(len(words) - order + 1))


def spelled(references: CountedReferences, order: int) -> dict[int, tuple[str, ...]]:
    """The n-grams of the references by their numbers, unfolded from the pairs."""
    words = {number: (word,) for word, number in references.words.items()}
    grams = words
    for pairs in references.pairs[: order - 1]:
        grams = {
            number: grams[int(pair) >> 31] + words[int(pair) & (2**31 - 1)]
            for number, pair in enumerate(pairs)
        }
    return grams


def counts_of(bag: Bag, text: int) -> Counter[int]:
    rows = bag.texts == text
    return Counter(dict(zip(bag.grams[rows].tolist(), bag.counts[rows].tolist(), strict=True)))


@given(corpora)
def test_references_are_counted_as_one_by_one(corpus: list[tuple[str, tuple[str, ...]]]) -> None:
    references = tuple(of_image for _, of_image in corpus)
    counted = count_references(references)
    flat = [text for of_image in references for text in of_image]
    for order in range(1, 5):
        name = spelled(counted, order)
        for number, text in enumerate(flat):
            found = counts_of(counted.bags[order - 1], number)
            assert {name[gram]: count for gram, count in found.items()} == one_by_one(text, order)
        frequencies = Counter(
            gram
            for of_image in references
            for gram in set().union(*(one_by_one(text, order) for text in of_image))
        )
        told = counted.document_frequencies[order - 1]
        assert {name[gram]: told[gram] for gram in name} == frequencies
    assert counted.lengths.tolist() == [len(text.split()) for text in flat]
    assert counted.images == len(corpus)


@given(corpora)
def test_captions_share_what_they_share(corpus: list[tuple[str, tuple[str, ...]]]) -> None:
    captions = tuple(caption + " unheard" for caption, _ in corpus)
    references = tuple(of_image for _, of_image in corpus)
    counted_references = count_references(references)
    counted = count_captions(captions, counted_references)
    for order in range(1, 5):
        caption_bag, reference_bag = counted.bags[order - 1], counted_references.bags[order - 1]
        for image, caption in enumerate(captions):
            expected = sorted(one_by_one(caption, order).values())
            assert sorted(counts_of(caption_bag, image).values()) == expected
        rows = shared_rows(counted, counted_references, order - 1)
        assert (caption_bag.grams[rows.caption] == reference_bag.grams[rows.reference]).all()
        images = counted_references.image_of[reference_bag.texts[rows.reference]]
        assert (caption_bag.texts[rows.caption] == images).all()
        shared = sum(
            len(one_by_one(caption, order).keys() & one_by_one(text, order).keys())
            for caption, of_image in zip(captions, references, strict=True)
            for text in of_image
        )
        assert len(rows.caption) == shared


def test_a_hard_space_within_a_token_parts_two_words() -> None:
    # `1 1/2` is one token of the tokenizer, but coco-caption splits its joined tokens at any white space.
    assert count_references((("1 1/2 cups",),)).lengths.tolist() == [3]


def test_texts_without_words_are_empty_bags() -> None:
    references = count_references((("",), (".",)))
    assert [len(bag.grams) for bag in references.bags] == [0, 0, 0, 0]
    assert [len(bag.grams) for bag in count_captions(("", "a cat"), references).bags] == [2, 1, 0, 0]
