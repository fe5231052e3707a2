"""Which words of a caption stand for which of a reference: METEOR 1.5's alignment.

All matches of words and phrases are candidates, and each word is covered at most once. Of all choices the
program looks for the one that covers most words, then has the fewest chunks, then the least distance between
the places of what matches (Denkowski and Lavie 2014, https://aclanthology.org/W14-3348, section 2). It goes
along the words of the reference with a beam of partial alignments; this module does so with the same order of
candidates and the same ties.

Three habits of the program decide ties, and are kept: while alignments are compared, words that do not match
exactly count half, without fractions, so that a stem or a synonym counts for nothing; a match that is the
only one for each word it covers is taken beforehand; and the distance of a match that is added is added to
the alignment without it too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple

from evaluator.scorers.meteor15.parameters import BEAM, Matcher
from evaluator.scorers.meteor15.texts import Text, Texts


class Match(NamedTuple):
    """Words of the reference, from `start` to before `end`, and words of the caption that stand for them."""

    start: int
    end: int
    caption_start: int
    caption_end: int
    matcher: Matcher


# Alignments are compared by one number, the less the better: words covered, then chunks, then distance.
WORD, CHUNK = 1 << 52, 1 << 32

# Where the last match ends in the caption, after a word of the reference that has none.
NOWHERE = -1


class _Candidate(NamedTuple):
    match: Match
    words: int  # that it counts for while alignments are compared
    distance: int
    reference_words: int  # a bit each
    caption_words: int


class _Partial(NamedTuple):
    """An alignment of the reference's first words."""

    cost: int
    reference_words: int  # a bit for each that is covered
    caption_words: int
    next_word: int
    caption_end: int
    matches: tuple[Match, object] | None  # the last one, and those before it


def align(caption: Text, reference: Text, texts: Texts) -> list[Match]:
    """The best alignment's matches, in the order of the reference."""
    candidates: list[list[_Candidate]] = [[] for _ in reference.words]
    for match in matches(caption, reference, texts):
        candidates[match.start].append(_candidate(match))
    certain = _certain(candidates)
    start = _Partial(
        0,
        sum(candidate.reference_words for candidate in certain.values()),
        sum(candidate.caption_words for candidate in certain.values()),
        0,
        NOWHERE,
        None,
    )
    partials = [start]
    for place, of_place in enumerate(candidates):
        partials.sort(key=itemgetter(0))
        partials = list(_continued(partials[:BEAM], place, of_place, certain))
    partials.sort(key=itemgetter(0))
    best = min(partials[:BEAM], key=lambda one: one.cost + (CHUNK if one.caption_end != NOWHERE else 0))
    return _listed(best.matches)


def matches(caption: Text, reference: Text, texts: Texts) -> Iterator[Match]:
    """All matches. Those that begin at the same word of the reference come in the program's order."""
    for start, word in enumerate(reference.words):
        matching = texts.matching_words[word]
        found = [
            (matcher, place)
            for other in matching.keys() & caption.places.keys()
            for matcher in matching[other]
            for place in caption.places[other]
        ]
        for matcher, place in sorted(found):
            yield Match(start, start + 1, place, place + 1, matcher)
    # Each phrase that may stand for another, and then each that another may stand for.
    for start, length, caption_start, caption_length in _paraphrases(reference, caption, texts):
        yield Match(start, start + length, caption_start, caption_start + caption_length, Matcher.PARAPHRASE)
    for caption_start, caption_length, start, length in _paraphrases(caption, reference, texts):
        yield Match(start, start + length, caption_start, caption_start + caption_length, Matcher.PARAPHRASE)


def _paraphrases(first: Text, second: Text, texts: Texts) -> Iterator[tuple[int, int, int, int]]:
    """Phrases of the first text for which phrases of the second may stand."""
    for source, node in first.sources:
        rows_of = texts.paraphrases[node]
        if shared := rows_of.keys() & second.targets.keys():
            # Some rows of the table stand there twice, and each counts.
            for _, target in sorted((row, other) for other in shared for row in rows_of[other]):
                for place in second.targets[target]:
                    yield *source, *place


def _candidate(match: Match) -> _Candidate:
    start, end, caption_start, caption_end, matcher = match
    share = 1 if matcher is Matcher.EXACT else 2
    return _Candidate(
        match,
        (end - start) // share + (caption_end - caption_start) // share,
        abs(start - caption_start),
        (1 << end) - (1 << start),
        (1 << caption_end) - (1 << caption_start),
    )


def _certain(candidates: Sequence[Sequence[_Candidate]]) -> dict[int, _Candidate]:
    """The matches, by where they begin, that are alone at each word they cover, of caption and reference."""
    covered = [0, 0]
    twice = [0, 0]
    for of_place in candidates:
        for candidate in of_place:
            for side, words in enumerate((candidate.reference_words, candidate.caption_words)):
                twice[side] |= covered[side] & words
                covered[side] |= words
    return {
        place: of_place[0]
        for place, of_place in enumerate(candidates)
        if len(of_place) == 1
        and not of_place[0].reference_words & twice[0]
        and not of_place[0].caption_words & twice[1]
    }


def _continued(
    partials: Iterable[_Partial], place: int, candidates: Sequence[_Candidate], certain: dict[int, _Candidate]
) -> Iterator[_Partial]:
    """Each partial alignment with each match that begins here, and without one."""
    for partial in partials:
        cost, reference_words, caption_words, next_word, caption_end, before = partial
        if place < next_word:  # within a phrase that is covered
            yield partial
            continue
        if reference_words >> place & 1:
            match, words, distance, _, _ = certain[place]
            cost += distance - words * WORD
            if caption_end not in (NOWHERE, match.caption_start):
                cost += CHUNK
            yield _Partial(
                cost, reference_words, caption_words, match.end, match.caption_end, (match, before)
            )
            continue
        for match, words, distance, of_reference, of_caption in candidates:
            if not (reference_words & of_reference or caption_words & of_caption):
                chunk = CHUNK if caption_end not in (NOWHERE, match.caption_start) else 0
                yield _Partial(
                    cost - words * WORD + chunk,
                    reference_words | of_reference,
                    caption_words | of_caption,
                    match.end,
                    match.caption_end,
                    (match, before),
                )
                cost += distance
        if caption_end != NOWHERE:
            cost += CHUNK
        yield _Partial(cost, reference_words, caption_words, next_word + 1, NOWHERE, before)


def _listed(last: tuple[Match, object] | None) -> list[Match]:
    found = []
    while last is not None:
        match, last = last  # type: ignore[assignment]
        found.append(match)
    return found[::-1]
