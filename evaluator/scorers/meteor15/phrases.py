"""The paraphrase table: which phrases paraphrase which, and where a text holds them.

A phrase is a node of a tree: each word leads from one node to the next. A level of the tree is a sorted array
of packed pairs (node of the first words, next word), so one search finds all phrases of one length.

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

from evaluator.scorers.packed_keys import Ids, lookup, pack


class Occurrences(NamedTuple):
    """Phrases in texts: the node of each, the index of its first word, the number of its words."""

    nodes: Ids
    starts: Ids
    lengths: Ids


class Pairs(NamedTuple):
    """Rows of the table, in its order: the target paraphrases the source."""

    sources: Ids
    targets: Ids
    rows: Ids


@dataclass(frozen=True, eq=False)
class PhraseTable:
    """Nodes of the first level are the ids of words; nodes of the next levels have the ids after those."""

    levels: tuple[Ids, ...]  # of two words, three words, ...: sorted keys
    word_count: int
    sources: NDArray[Any]  # the phrases that others paraphrase, in the table's order
    starts: Ids  # of each source's targets, and the end of the last source's
    targets: NDArray[Any]

    @classmethod
    def of(
        cls, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]], word_count: int
    ) -> PhraseTable:
        """A table of phrases, each given as the ids of its words."""
        phrases = [*sources, *targets]
        words = np.array([word for phrase in phrases for word in phrase], np.int64)
        nodes, levels = tree(words, np.array([len(phrase) for phrase in phrases]), word_count)
        return cls.from_nodes(nodes[: len(sources)], nodes[len(sources) :], levels, word_count)

    @classmethod
    def from_nodes(cls, sources: Ids, targets: Ids, levels: tuple[Ids, ...], word_count: int) -> PhraseTable:
        """From the nodes of each row's two phrases; the rows of one source follow each other."""
        first = np.flatnonzero(np.diff(sources, prepend=-1))
        return cls(levels, word_count, sources[first], np.append(first, len(sources)), targets)

    @property
    def node_count(self) -> int:
        return self.word_count + sum(map(len, self.levels))

    def phrases(self, words: Ids, texts: Ids) -> Occurrences:
        """Every phrase of the tree in the texts, by length, then by start.

        `words` holds the ids of all texts' words, -1 for a word that is not in the table; `texts` holds the
        text of each word.
        """
        starts = np.flatnonzero(words >= 0)
        nodes = words[starts]
        levels = [(nodes, starts)]
        first_of_level = self.word_count
        for length, level in enumerate(self.levels, start=2):
            ends = starts + length - 1
            fits = ends < len(words)
            fits[fits] = (texts[ends[fits]] == texts[starts[fits]]) & (words[ends[fits]] >= 0)
            starts = starts[fits]
            distinct, inverse = np.unique(pack(nodes[fits], words[starts + length - 1]), return_inverse=True)
            index, present = lookup(distinct, level)
            kept = present[inverse]
            starts, nodes = starts[kept], first_of_level + index[inverse[kept]]
            levels.append((nodes, starts))
            first_of_level += len(level)
        lengths = np.repeat(np.arange(1, len(levels) + 1), [len(nodes) for nodes, _ in levels])
        nodes, starts = (np.concatenate(column) for column in zip(*levels, strict=True))
        return Occurrences(nodes, starts, lengths)

    def pairs(self, nodes: Ids) -> Pairs:
        """The rows both of whose phrases are among these nodes."""
        present = np.zeros(self.node_count, np.bool_)
        present[nodes] = True
        kept = np.flatnonzero(present[self.sources])
        sizes = self.starts[kept + 1] - self.starts[kept]
        rows = concatenated_ranges(self.starts[kept], sizes)
        targets = self.targets[rows]
        both = present[targets]
        sources = np.repeat(self.sources[kept], sizes)
        return Pairs(sources[both].astype(np.int64), targets[both].astype(np.int64), rows[both])


def tree(words: Ids, lengths: Ids, word_count: int) -> tuple[Ids, tuple[Ids, ...]]:
    """The node of each phrase, and the levels of the tree; `words` holds the phrases one after the other."""
    firsts = np.cumsum(lengths) - lengths
    nodes = words[firsts].copy()
    levels = []
    first_of_level = word_count
    for length in range(2, int(lengths.max(initial=1)) + 1):
        longer = np.flatnonzero(lengths >= length)
        level, inverse = np.unique(
            pack(nodes[longer], words[firsts[longer] + length - 1]), return_inverse=True
        )
        nodes[longer] = first_of_level + inverse
        levels.append(level)
        first_of_level += len(level)
    return nodes, tuple(levels)


def concatenated_ranges(starts: Ids, sizes: Ids) -> Ids:
    """start, start + 1, ... for each range, one range after the other.

    >>> concatenated_ranges(np.array([10, 20]), np.array([3, 2])).tolist()
    [10, 11, 12, 20, 21]
    """
    before = np.cumsum(sizes) - sizes
    return np.repeat(starts - before, sizes) + np.arange(sizes.sum())
