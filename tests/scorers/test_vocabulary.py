"""Texts as numbers, against tokenizing each by itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from evaluator.scorers.tokenizer.ptb import tokenize
from evaluator.scorers.vocabulary import NO_TOKEN, Numbering, Sequences, read

words = st.sampled_from(
    ["a", "cat", "cat.", "isn't", "", "1 1/2", "(555) 123-4567", "A\u2028B", "plan b.", "😀"]
)
texts = st.lists(st.lists(words, max_size=5).map(" ".join) | st.text(max_size=12), max_size=8)


def spelled(sequences: Sequences, vocabulary: Numbering) -> list[list[str]]:
    name = list(vocabulary)
    numbers = iter(sequences.numbers.tolist())
    return [[name[next(numbers)] for _ in range(length)] for length in sequences.lengths.tolist()]


@given(texts)
def test_tokens_are_the_tokenizers_and_words_are_parted_at_any_white_space(some: list[str]) -> None:
    vocabulary = Numbering([NO_TOKEN])
    found = read(some, vocabulary)
    assert spelled(found.tokens, vocabulary) == [list(tokenize(text)) for text in some]
    assert spelled(found.words, vocabulary) == [" ".join(tokenize(text)).split() for text in some]
    assert list(vocabulary.values()) == list(range(len(vocabulary)))


@given(texts, texts)
def test_numbers_that_were_given_stay(first: list[str], second: list[str]) -> None:
    vocabulary = Numbering([NO_TOKEN])
    before = read(first, vocabulary)
    known = dict(vocabulary)
    more = vocabulary.copied()
    read(second, more)
    assert dict(vocabulary) == known
    assert list(more)[: len(known)] == list(known)
    again = read(first, more)
    assert again.tokens.numbers.tolist() == before.tokens.numbers.tolist()


def test_places_and_texts_of_numbers() -> None:
    some = read(["a red cat", "", "the cat"], Numbering()).tokens
    assert some.text_of.tolist() == [0, 0, 0, 2, 2]
    assert some.places.tolist() == [0, 1, 2, 0, 1]


def test_tokens_and_words_are_one_where_no_token_holds_white_space() -> None:
    plain = read(["a cat"], Numbering())
    assert plain.tokens is plain.words
    parted = read(["a cat", "1 1/2 cats"], Numbering())
    assert parted.tokens.lengths.tolist() == [2, 2]
    assert parted.words.lengths.tolist() == [2, 3]
