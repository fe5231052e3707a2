"""Which of COCO's objects a text names: words and phrases of coco_objects.yaml, singular and plural.

>>> [sorted(named) for named in named_objects("A puppy and two hot dogs by the train tracks.")]
[['dog'], ['hot dog']]
>>> [sorted(named) for named in named_objects("a baby elephant near a bike")]
[['elephant'], ['bicycle', 'motorcycle']]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "coco_objects.yaml"

Phrase = tuple[str, ...]
NOTHING: frozenset[str] = frozenset()

# Before the word for an animal these do not name a person.
YOUNG = ("baby", "adult", "mother", "father", "mom", "male", "female", "infant", "toddler")
ANIMALS = ("bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe")


def named_objects(text: str) -> list[frozenset[str]]:
    """For each mention of an object, in their order, the kinds that it may be; nearly always one."""
    words = tuple(re.findall(r"[a-z]+", text.lower().replace("'s", "")))
    return [kinds for kinds in _mentions(words) if kinds]


def _mentions(words: Phrase) -> Iterator[frozenset[str]]:
    vocabulary, longest = object_vocabulary(), longest_phrase()
    position = 0
    while position < len(words):
        for length in range(min(longest, len(words) - position), 0, -1):
            phrase = words[position : position + length]
            if phrase in vocabulary:
                if not _is_something_else(words, position, length):
                    yield vocabulary[phrase]
                position += length
                break
        else:
            position += 1


def _is_something_else(words: Phrase, position: int, length: int) -> bool:
    """Whether a word that names an object stands for a colour, or for the age of an animal."""
    word, following = words[position], words[position + length : position + length + 1]
    if length == 1 and word == "orange":
        return bool(following) and following[0] not in _lists()["after_a_fruit"]
    if length == 1 and word in YOUNG:
        return bool(object_vocabulary().get(following, NOTHING) & frozenset(ANIMALS))
    return False


@cache
def object_vocabulary() -> Mapping[Phrase, frozenset[str]]:
    """Phrase, singular or plural -> the kinds of object that it names; none for other things."""
    import inflect

    plural = inflect.engine().plural_noun
    vocabulary: dict[Phrase, frozenset[str]] = {}
    for kind, words in object_kinds().items():
        for word in (kind, *words):
            for form in (word, plural(word)):
                phrase = tuple(form.split())
                vocabulary[phrase] = vocabulary.get(phrase, NOTHING) | {kind}
    return vocabulary | {tuple(text.split()): NOTHING for text in _lists()["other_things"]}


@cache
def longest_phrase() -> int:
    return max(map(len, object_vocabulary()))


def object_kinds() -> Mapping[str, Sequence[str]]:
    """COCO's 80 kinds of objects, and the other words for each."""
    kinds: Mapping[str, Sequence[str]] = _lists()["objects"]
    return kinds


@cache
def _lists() -> dict[str, Any]:
    import yaml

    lists: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return lists
