"""Texts as METEOR sees them, and which of their words and phrases match.

Each distinct word and phrase is looked up once for all texts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np

from evaluator.scorers.meteor15.java_strings import java_hash, one_line
from evaluator.scorers.meteor15.language import Language
from evaluator.scorers.meteor15.normalizer import words as normalized
from evaluator.scorers.meteor15.parameters import Matcher

# The nodes of the phrases that paraphrase one phrase, each with its rows in the paraphrase table.
Paraphrases = dict[int, list[int]]


class Position(NamedTuple):
    """Where a phrase is in its text, in words."""

    start: int
    length: int


class Phrases(NamedTuple):
    """The phrases of one text that match a phrase of any text; a phrase is a node of the paraphrase table."""

    sources: list[tuple[Position, Paraphrases]]  # phrases that others paraphrase, by start, the shorter first
    targets: dict[int, list[Position]]  # phrases that paraphrase others


@dataclass(frozen=True, eq=False)
class Text:
    """One caption or reference, with ids for its words."""

    words: tuple[int, ...]
    positions: Mapping[int, Sequence[int]]  # of each word
    is_function_word: Sequence[bool]
    sources: Sequence[tuple[Position, Paraphrases]]
    targets: Mapping[int, Sequence[Position]]


@dataclass(frozen=True, eq=False)
class Texts:
    """Some texts, in the order in which they were given."""

    texts: Sequence[Text]
    matching_words: Sequence[Mapping[int, Sequence[Matcher]]]  # for each word those that match it, and how


def read(texts: Sequence[str], language: Language) -> Texts:
    """Normalize all texts, give ids to their words and look them up."""
    ids: dict[str, int] = {}
    rows = [
        [ids.setdefault(word, len(ids)) for word in normalized(one_line(text), language.abbreviations)]
        for text in texts
    ]
    words = list(ids)
    phrases = _phrases(rows, words, language)
    is_function_word = [word in language.function_words for word in words]
    return Texts(
        [
            Text(tuple(row), _positions(row), [is_function_word[word] for word in row], *of_text)
            for row, of_text in zip(rows, phrases, strict=True)
        ],
        matching_words(words, language),
    )


def _positions(row: Iterable[int]) -> dict[int, list[int]]:
    positions: dict[int, list[int]] = {}
    for index, word in enumerate(row):
        positions.setdefault(word, []).append(index)
    return positions


def matching_words(words: Sequence[str], language: Language) -> list[dict[int, list[Matcher]]]:
    """For each word the ids of the words that match it, each with its matchers in their order.

    Words and stems are equal to the program where their hash codes are.
    """
    codes = [java_hash(word) for word in words]
    keys_of_matchers: list[tuple[Matcher, list[Collection[int]]]] = [
        (Matcher.EXACT, [{code} for code in codes]),
        (Matcher.STEM, [{java_hash(stem(word))} for word in words]),
        (Matcher.SYNONYM, [language.synonyms.of(word) for word in words]),
    ]
    matching: list[dict[int, list[Matcher]]] = [{} for _ in words]
    for matcher, keys in keys_of_matchers:
        words_with_key: defaultdict[int, list[int]] = defaultdict(list)
        for word, of_word in enumerate(keys):
            for key in of_word:
                words_with_key[key].append(word)
        for word, of_word in enumerate(keys):
            for other in {other for key in of_word for other in words_with_key[key]}:
                if matcher is Matcher.EXACT or codes[other] != codes[word]:
                    matching[word].setdefault(other, []).append(matcher)
    return matching


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    return str(_stemmer().stemWord(word))


@cache
def _stemmer() -> Any:
    import snowballstemmer

    return snowballstemmer.stemmer("english")


def _phrases(rows: Sequence[Sequence[int]], words: Sequence[str], language: Language) -> list[Phrases]:
    """The matching phrases of each text."""
    table_ids = np.array([language.words.get(word, -1) for word in words], np.int64)
    lengths = np.array([len(row) for row in rows], np.int64)
    text_of_word = np.repeat(np.arange(len(rows)), lengths)
    all_words = np.array([word for row in rows for word in row], np.int64)
    occurrences = language.phrases.phrases(table_ids[all_words], text_of_word)
    pairs = language.phrases.pairs(occurrences.nodes)
    paraphrases: dict[int, Paraphrases] = {}  # by source
    for source, target, row in zip(*map(np.ndarray.tolist, pairs), strict=True):
        paraphrases.setdefault(source, {}).setdefault(target, []).append(row)

    targets = set(pairs.targets.tolist())
    first_word = np.cumsum(lengths) - lengths
    texts = text_of_word[occurrences.starts]
    columns = np.stack(
        [texts, occurrences.starts - first_word[texts], occurrences.lengths, occurrences.nodes]
    )
    columns = columns[:, np.isin(occurrences.nodes, np.concatenate([pairs.sources, pairs.targets]))]
    phrases = [Phrases([], {}) for _ in rows]
    columns = columns[:, np.lexsort(columns[2::-1])]
    for text, start, length, node in zip(*columns.tolist(), strict=True):
        position = Position(start, length)
        if node in paraphrases:
            phrases[text].sources.append((position, paraphrases[node]))
        if node in targets:
            phrases[text].targets.setdefault(node, []).append(position)
    return phrases
