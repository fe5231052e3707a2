"""Texts as METEOR sees them, and which of their words and phrases match.

What can be known of a word, and of two words or phrases together, is found once for all texts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from evaluator.scorers.meteor15.java_strings import java_hash, one_line
from evaluator.scorers.meteor15.language import Language
from evaluator.scorers.meteor15.normalizer import words as normalized
from evaluator.scorers.meteor15.parameters import Matcher


class Place(NamedTuple):
    """Where a phrase stands, in words."""

    start: int
    length: int


@dataclass(frozen=True, eq=False)
class Text:
    """One caption or reference; words and phrases are numbers."""

    words: tuple[int, ...]
    places: Mapping[int, Sequence[int]]  # of each word
    is_function_word: Sequence[bool]
    sources: Sequence[tuple[Place, int]]  # phrases that others may stand for, by place, the shorter first
    targets: Mapping[int, Sequence[Place]]  # phrases that may stand for others


@dataclass(frozen=True, eq=False)
class Texts:
    """Some texts, in the order in which they were given."""

    texts: Sequence[Text]
    matching_words: Sequence[Mapping[int, Sequence[Matcher]]]  # for each word those that match it, and how
    paraphrases: Mapping[int, Mapping[int, Sequence[int]]]  # what may stand for a phrase, in which rows


def read(texts: Sequence[str], language: Language) -> Texts:
    """Normalize, number and look up all texts at once."""
    numbers: dict[str, int] = {}
    rows = [
        [
            numbers.setdefault(word, len(numbers))
            for word in normalized(one_line(text), language.abbreviations)
        ]
        for text in texts
    ]
    phrases = _phrases(rows, list(numbers), language)
    is_function_word = [word in language.function_words for word in numbers]
    return Texts(
        [
            Text(
                tuple(row),
                _places(row),
                [is_function_word[number] for number in row],
                *of_text,
            )
            for row, of_text in zip(rows, phrases.of_texts, strict=True)
        ],
        matching_words(list(numbers), language),
        phrases.paraphrases,
    )


def _places(row: Iterable[int]) -> dict[int, list[int]]:
    places: dict[int, list[int]] = {}
    for place, number in enumerate(row):
        places.setdefault(number, []).append(place)
    return places


def matching_words(words: Sequence[str], language: Language) -> list[dict[int, list[Matcher]]]:
    """For each word those that match it, by their numbers, and by which matchers in their order.

    Words and stems are equal to the program where their hash codes are.
    """
    import snowballstemmer

    codes = [java_hash(word) for word in words]
    stems = [java_hash(stem) for stem in snowballstemmer.stemmer("english").stemWords(words)]
    sets = [language.synonyms.of(word) for word in words]
    found: list[dict[int, list[Matcher]]] = [{} for _ in words]
    for keys, matcher in (
        ([{code} for code in codes], Matcher.EXACT),
        ([{stem} for stem in stems], Matcher.STEM),
        (sets, Matcher.SYNONYM),
    ):
        holders: defaultdict[int, list[int]] = defaultdict(list)
        for number, of_word in enumerate(keys):
            for key in of_word:
                holders[key].append(number)
        for number, of_word in enumerate(keys):
            for other in {other for key in of_word for other in holders[key]}:
                if matcher is Matcher.EXACT or codes[other] != codes[number]:
                    found[number].setdefault(other, []).append(matcher)
    return found


class _Phrases(NamedTuple):
    of_texts: Iterable[tuple[Sequence[tuple[Place, int]], Mapping[int, Sequence[Place]]]]
    paraphrases: Mapping[int, Mapping[int, Sequence[int]]]


def _phrases(rows: Sequence[Sequence[int]], words: Sequence[str], language: Language) -> _Phrases:
    """The phrases of each text that can match one of another text, as sources and as targets."""
    in_table = np.array([language.words.get(word, -1) for word in words], np.int64)
    flat = np.array([number for row in rows for number in row], np.int64)
    lengths = np.array([len(row) for row in rows], np.int64)
    text_of = np.repeat(np.arange(len(rows)), lengths)
    found = language.phrases.phrases(in_table[flat], text_of)
    pairs = language.phrases.pairs(found.nodes)
    paraphrases: dict[int, dict[int, list[int]]] = {}
    for source, target, row in zip(*map(np.ndarray.tolist, pairs), strict=True):
        paraphrases.setdefault(source, {}).setdefault(target, []).append(row)
    is_source, is_target = np.zeros((2, language.phrases.node_count), np.bool_)
    is_source[pairs.sources], is_target[pairs.targets] = True, True

    sources: list[list[tuple[Place, int]]] = [[] for _ in rows]
    targets: list[dict[int, list[Place]]] = [{} for _ in rows]
    order = np.lexsort((found.lengths, found.starts))
    order = order[(is_source | is_target)[found.nodes[order]]]
    nodes, starts = found.nodes[order], found.starts[order]
    texts = text_of[starts]
    local = starts - (np.cumsum(lengths) - lengths)[texts]
    columns = (texts, nodes, local, found.lengths[order], is_source[nodes], is_target[nodes])
    for text, node, start, length, source, target in zip(*map(np.ndarray.tolist, columns), strict=True):
        place = Place(start, length)
        if source:
            sources[text].append((place, node))
        if target:
            targets[text].setdefault(node, []).append(place)
    return _Phrases(zip(sources, targets, strict=True), paraphrases)
