"""The captions of a run beside their references, in the forms in which several findings look at them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from sys import intern

from evaluator.core import Finding
from evaluator.core.chat import without_markers

EXAMPLES = 3  # image ids that a finding names
LONGEST_EXAMPLE = 200  # characters of a caption that a finding shows

# Scripts without spaces between words: Han and kana; Thai, Lao, Tibetan, Burmese and Khmer.
HAN_AND_KANA = r"\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
SOUTH_EAST_ASIAN = r"\u0e01-\u0e4e\u0e81-\u0ece\u0f40-\u0fbc\u1000-\u109f\u1780-\u17d3"
_WORD = re.compile(rf"[{HAN_AND_KANA}{SOUTH_EAST_ASIAN}]|[^\W_{HAN_AND_KANA}{SOUTH_EAST_ASIAN}]+")


@dataclass(frozen=True)
class Texts:
    """Row i of each belongs to one image. Captions of images without an answer are not among them."""

    ids: tuple[str, ...]
    captions: tuple[str, ...]
    references: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, ids: Iterable[str], captions: Iterable[str], references: Iterable[Sequence[str]]) -> Texts:
        return cls(tuple(ids), tuple(captions), tuple(map(tuple, references)))

    def __len__(self) -> int:
        return len(self.captions)

    @cached_property
    def without_markers(self) -> tuple[str, ...]:
        """The captions without reasoning and chat markers: what a model said."""
        return tuple(map(without_markers, self.captions))

    @cached_property
    def words(self) -> tuple[tuple[str, ...], ...]:
        """The words of each caption, in lower case. Equal words are one object, which saves memory."""
        return tuple([tuple(map(intern, words_of(text))) for text in self.without_markers])

    @cached_property
    def reference_words(self) -> tuple[tuple[str, ...], ...]:
        """The words of each image's references, each once. Sets would take seven times the memory."""
        return tuple(
            [tuple(dict.fromkeys(map(intern, words_of("\n".join(each))))) for each in self.references]
        )

    def finding(self, kind: str, found: Sequence[int], text: str = "") -> Finding | None:
        """The finding about the captions with these indices; None for none."""
        if not found:
            return None
        shown = text or " ".join(self.captions[found[0]][:LONGEST_EXAMPLE].split())
        examples = tuple(self.ids[index] for index in found[:EXAMPLES])
        return Finding(kind, len(found), len(self), shown, examples)

    def where(self, kind: str, is_damaged: Callable[[str], object]) -> Finding | None:
        """The finding about the captions that a function calls damaged."""
        return self.finding(kind, [i for i, text in enumerate(self.captions) if is_damaged(text)])


def words_of(text: str) -> tuple[str, ...]:
    """The words in lower case; of a script without spaces, each letter.

    >>> words_of("A dog's 2 puppies"), words_of("一只猫")
    (('a', 'dog', 's', '2', 'puppies'), ('一', '只', '猫'))
    """
    return tuple(_WORD.findall(text.lower()))
