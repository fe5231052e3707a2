"""Which words of a caption match which words of a reference: METEOR 1.5's alignment.

All matches of words and phrases are candidates, and an alignment covers each word at most once. The program
looks for the alignment that covers most words, then has the fewest chunks, then the smallest distance between
the positions of what matches (Denkowski and Lavie 2014, https://aclanthology.org/W14-3348, section 2). It
walks along the words of the reference with a beam of partial alignments. This module does the same with the
same order of candidates and the same ties.

Three habits of the program decide ties and are kept. First, while alignments are compared, words that do not
match exactly count half, rounded down, so a stem or a synonym counts nothing. Second, a match that is the
only one for every word it covers is in every alignment. Third, a match adds its distance not to the alignment
that takes it, but to those that are tried after it from the same partial alignment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from evaluator.scorers.meteor15.parameters import BEAM, Matcher
from evaluator.scorers.meteor15.texts import Text, Texts


class Match(NamedTuple):
    """Words of the reference, from `start` to before `end`, and the words of the caption that match them."""

    start: int
    end: int
    caption_start: int
    caption_end: int
    matcher: Matcher


class _Candidate(NamedTuple):
    match: Match
    end: int  # of the match, in the reference
    caption_start: int
    caption_end: int
    caption_words: int  # one bit per word
    gain: int  # by covering words
    distance: int


# Costs compare words covered first, then chunks, then distance. The lowest cost wins.
WORD, CHUNK = 1 << 52, 1 << 32

# The end of the last match in the caption, when the last word of the reference is not covered.
NOWHERE = -1

# An alignment of the reference's first words: its cost; the caption's words that it covers, one bit per word;
# the end of its last match in the reference, and in the caption; its matches. These are plain tuples because
# there are millions of them, and a named tuple takes three times as long to make.
_Partial = tuple[int, int, int, int, tuple[Match, ...]]


def align(caption: Text, reference: Text, texts: Texts) -> list[Match]:
    """The matches of the best alignment, in the order of the reference."""
    candidates: list[list[_Candidate]] = [[] for _ in reference.words]
    for match in matches(caption, reference, texts):
        candidates[match.start].append(_candidate(match))
    certain = _certain(candidates)
    partials: list[_Partial] = [(0, 0, 0, NOWHERE, ())]
    for index, starting_here in enumerate(candidates):
        if index in certain:
            partials = _with_certain(partials, certain[index])
        elif starting_here:
            partials = [branch for partial in partials for branch in _branches(partial, index, starting_here)]
        elif any(partial[3] != NOWHERE for partial in partials):
            partials = _without_match(partials, index)
        else:
            continue
        partials.sort(key=itemgetter(0))
        del partials[BEAM:]
    *_, best = min(partials, key=lambda partial: partial[0] + (CHUNK if partial[3] != NOWHERE else 0))
    return list(best)


def _with_certain(partials: Iterable[_Partial], candidate: _Candidate) -> list[_Partial]:
    """The partial alignments with a match that is in every alignment. No other one covers its words."""
    match, end, caption_start, caption_end, _, gain, distance = candidate
    change = distance - gain
    return [
        (
            cost + change + (0 if last_end in (NOWHERE, caption_start) else CHUNK),
            covered,
            end,
            caption_end,
            (*chosen, match),
        )
        for cost, covered, _, last_end, chosen in partials
    ]


def _without_match(partials: Iterable[_Partial], index: int) -> list[_Partial]:
    """The partial alignments after a word of the reference that they do not cover, which ends a chunk."""
    return [
        partial
        if index < partial[2] or partial[3] == NOWHERE
        else (partial[0] + CHUNK, partial[1], partial[2], NOWHERE, partial[4])
        for partial in partials
    ]


def _branches(partial: _Partial, index: int, candidates: Sequence[_Candidate]) -> list[_Partial]:
    """The partial alignment with each candidate that begins at this word, and without any."""
    cost, covered, end, last_end, chosen = partial
    if index < end:  # within a phrase that is covered
        return [partial]
    branches: list[_Partial] = []
    for match, match_end, caption_start, caption_end, caption_words, gain, distance in candidates:
        if not covered & caption_words:
            chunk = 0 if last_end in (NOWHERE, caption_start) else CHUNK
            branches.append(
                (cost - gain + chunk, covered | caption_words, match_end, caption_end, (*chosen, match))
            )
            cost += distance  # the third habit: it counts for the branches that follow
    branches.append((cost if last_end == NOWHERE else cost + CHUNK, covered, end, NOWHERE, chosen))
    return branches


def matches(caption: Text, reference: Text, texts: Texts) -> Iterator[Match]:
    """All matches. Those that begin at the same word of the reference come in the program's order."""
    for start, word in enumerate(reference.words):
        for matcher, index in matching_positions(caption, word, texts):
            yield Match(start, start + 1, index, index + 1, matcher)
    # Phrases of the reference that the caption paraphrases, then phrases of the caption.
    for start, length, caption_start, caption_length in _paraphrases(reference, caption):
        yield Match(start, start + length, caption_start, caption_start + caption_length, Matcher.PARAPHRASE)
    for caption_start, caption_length, start, length in _paraphrases(caption, reference):
        yield Match(start, start + length, caption_start, caption_start + caption_length, Matcher.PARAPHRASE)


@lru_cache(maxsize=256)  # the references of an image share many words
def matching_positions(caption: Text, word: int, texts: Texts) -> list[tuple[Matcher, int]]:
    """Where the caption has words that match this one, and how they match, in the program's order."""
    matching = texts.matching_words[word]
    return sorted(
        (matcher, index)
        for other in matching.keys() & caption.positions.keys()
        for matcher in matching[other]
        for index in caption.positions[other]
    )


def _paraphrases(first: Text, second: Text) -> Iterator[tuple[int, int, int, int]]:
    """Phrases of the first text, and phrases of the second text that paraphrase them: starts and lengths."""
    for source, rows_of in first.sources:
        if rows_of.keys().isdisjoint(second.targets):
            continue
        shared = rows_of.keys() & second.targets.keys()
        # The table repeats some rows, and each repetition counts.
        for _, target in sorted((row, other) for other in shared for row in rows_of[other]):
            for position in second.targets[target]:
                yield *source, *position


def _candidate(match: Match) -> _Candidate:
    start, end, caption_start, caption_end, matcher = match
    share = 1 if matcher is Matcher.EXACT else 2
    return _Candidate(
        match,
        end,
        caption_start,
        caption_end,
        (1 << caption_end) - (1 << caption_start),
        WORD * ((end - start) // share + (caption_end - caption_start) // share),
        abs(start - caption_start),
    )


def _certain(candidates: Sequence[Sequence[_Candidate]]) -> Mapping[int, _Candidate]:
    """By start: each match that is the only one for every word that it covers, in both texts."""
    covered = covered_twice = caption_covered = caption_covered_twice = 0
    for starting_here in candidates:
        for candidate in starting_here:
            words = (1 << candidate.end) - (1 << candidate.match.start)
            covered_twice |= covered & words
            covered |= words
            caption_covered_twice |= caption_covered & candidate.caption_words
            caption_covered |= candidate.caption_words
    return {
        index: starting_here[0]
        for index, starting_here in enumerate(candidates)
        if len(starting_here) == 1
        and not ((1 << starting_here[0].end) - (1 << index)) & covered_twice
        and not starting_here[0].caption_words & caption_covered_twice
    }
