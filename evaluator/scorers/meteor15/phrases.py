"""The paraphrase table: which phrase may stand for which, found by walking along the words of a text.

A phrase is the node of a tree that its words lead to. A level of the tree is one sorted array, of the node
before joined with the next word, so that all the texts' phrases of one length are found by one search.

    >>> table = PhraseTable.of([[0, 1], [2], [2]], [[2], [0, 1], [1]], word_count=3)
    >>> table.phrases(np.array([2, 0, 1]), np.array([0, 0, 0]))
    Occurrences(nodes=array([2, 0, 1, 3]), starts=array([0, 1, 2, 1]), lengths=array([1, 1, 1, 2]))
    >>> table.pairs(np.array([2, 3]))
    Pairs(sources=array([3, 2]), targets=array([2, 3]), rows=array([0, 1]))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluator.scorers.sorted_keys import Numbers, joined, places, spans


class Occurrences(NamedTuple):
    """Where phrases stand: the node of each, the place of its first word, how many words it has."""

    nodes: Numbers
    starts: Numbers
    lengths: Numbers


class Pairs(NamedTuple):
    """Rows of the table, in its order: the second phrase may stand for the first."""

    sources: Numbers
    targets: Numbers
    rows: Numbers


@dataclass(frozen=True, eq=False)
class PhraseTable:
    """Nodes of the first level are words; those of the next levels are numbered after them."""

    levels: tuple[Numbers, ...]  # of two words, three words, ...: sorted keys
    word_count: int
    sources: NDArray[Any]  # the phrases that others may stand for, in the table's order
    starts: Numbers  # of each source's targets; one more than there are sources
    targets: NDArray[Any]

    @classmethod
    def of(
        cls, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]], word_count: int
    ) -> PhraseTable:
        """A table of phrases given by the numbers of their words."""
        phrases = [*sources, *targets]
        words = np.array([word for phrase in phrases for word in phrase], np.int64)
        nodes, levels = tree(words, np.array([len(phrase) for phrase in phrases]), word_count)
        return cls.from_nodes(nodes[: len(sources)], nodes[len(sources) :], levels, word_count)

    @classmethod
    def from_nodes(
        cls, sources: Numbers, targets: Numbers, levels: tuple[Numbers, ...], word_count: int
    ) -> PhraseTable:
        """From the nodes of each row's two phrases; the rows of one source stand together."""
        first = np.flatnonzero(np.diff(sources, prepend=-1))
        return cls(levels, word_count, sources[first], np.append(first, len(sources)), targets)

    @property
    def node_count(self) -> int:
        return self.word_count + sum(map(len, self.levels))

    def phrases(self, words: Numbers, texts: Numbers) -> Occurrences:
        """Every phrase of the tree in the texts, given by the numbers of their words, -1 for an unknown one.

        By length, then by place.
        """
        starts = np.flatnonzero(words >= 0)
        nodes = words[starts]
        found = [(nodes, starts)]
        first_of_level = self.word_count
        for length, level in enumerate(self.levels, start=2):
            ends = starts + length - 1
            on = ends < len(words)
            on[on] = (texts[ends[on]] == texts[starts[on]]) & (words[ends[on]] >= 0)
            starts = starts[on]
            distinct, inverse = np.unique(joined(nodes[on], words[starts + length - 1]), return_inverse=True)
            place, known = places(distinct, level)
            on = known[inverse]
            starts, nodes = starts[on], first_of_level + place[inverse[on]]
            found.append((nodes, starts))
            first_of_level += len(level)
        lengths = np.repeat(np.arange(1, len(found) + 1), [len(some) for some, _ in found])
        nodes, starts = (np.concatenate(some) for some in zip(*found, strict=True))
        return Occurrences(nodes, starts, lengths)

    def pairs(self, nodes: Numbers) -> Pairs:
        """The rows both of whose phrases are among these nodes."""
        present = np.zeros(self.node_count, np.bool_)
        present[nodes] = True
        kept = np.flatnonzero(present[self.sources])
        sizes = self.starts[kept + 1] - self.starts[kept]
        rows = spans(self.starts[kept], sizes)
        targets = self.targets[rows]
        both = present[targets]
        sources = np.repeat(self.sources[kept], sizes)
        return Pairs(sources[both].astype(np.int64), targets[both].astype(np.int64), rows[both])


def tree(words: Numbers, lengths: Numbers, word_count: int) -> tuple[Numbers, tuple[Numbers, ...]]:
    """The node of each phrase, given by its words one phrase after the other, and the levels of the tree."""
    firsts = np.cumsum(lengths) - lengths
    nodes = words[firsts].copy()
    levels = []
    first_of_level = word_count
    for length in range(2, int(lengths.max(initial=1)) + 1):
        longer = np.flatnonzero(lengths >= length)
        level, inverse = np.unique(
            joined(nodes[longer], words[firsts[longer] + length - 1]), return_inverse=True
        )
        nodes[longer] = first_of_level + inverse
        levels.append(level)
        first_of_level += len(level)
    return nodes, tuple(levels)
