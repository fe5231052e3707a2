"""Texts as ids, against tokenizing each text by itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from evaluator.scorers.tokenizer.ptb import tokenize, tokenized_text
from evaluator.scorers.vocabulary import TokenIds, Vocabulary, encode

words = st.sampled_from(
    ["a", "cat", "cat.", "isn't", "", "1 1/2", "(555) 123-4567", "A\u2028B", "plan b.", "😀", "\ud800"]
)
texts = st.lists(st.lists(words, max_size=5).map(" ".join) | st.text(max_size=12), max_size=8)


def spelled(ids: TokenIds, vocabulary: Vocabulary) -> list[list[str]]:
    names = list(vocabulary)
    return [[names[token] for token in text] for text in ids]


@given(texts)
def test_tokens_are_those_of_the_tokenizer_and_words_are_split_at_any_white_space(some: list[str]) -> None:
    vocabulary = Vocabulary()
    encoded = encode(some, vocabulary)
    assert spelled(encoded.tokens, vocabulary) == [list(tokenize(text)) for text in some]
    assert spelled(encoded.words, vocabulary) == [tokenized_text(text).split() for text in some]
    assert list(vocabulary.values()) == list(range(len(vocabulary)))


@given(texts, texts)
def test_a_copy_keeps_the_ids_and_leaves_the_original_alone(first: list[str], second: list[str]) -> None:
    vocabulary = Vocabulary()
    before = encode(first, vocabulary)
    original = dict(vocabulary)
    copy = Vocabulary(vocabulary)
    encode(second, copy)
    assert dict(vocabulary) == original
    assert list(copy)[: len(original)] == list(original)
    assert encode(first, copy) == before


def test_tokens_and_words_are_the_same_object_where_no_token_holds_white_space() -> None:
    plain = encode(["a cat"], Vocabulary())
    assert plain.tokens is plain.words
    split = encode(["a cat", "1 1/2 cats"], Vocabulary())
    assert [len(text) for text in split.tokens] == [2, 2]
    assert [len(text) for text in split.words] == [2, 3]
