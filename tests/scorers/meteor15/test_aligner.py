"""Alignments: what each must be, whatever the texts."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from evaluator.scorers.meteor15.aligner import Match, align, matches
from evaluator.scorers.meteor15.language import Language
from evaluator.scorers.meteor15.parameters import Matcher
from evaluator.scorers.meteor15.texts import Texts, read

WORDS = [
    "a",
    "the",
    "man",
    "person",
    "men",
    "sitting",
    "sits",
    "in front of",
    "next to",
    "dog",
    "xyzzy",
    "on",
]
texts = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)


def aligned(caption: str, reference: str, language: Language) -> tuple[Texts, list[Match]]:
    both = read([caption, reference], language)
    return both, align(*both.texts, both)


def covered(found: list[Match]) -> tuple[list[int], list[int]]:
    return (
        [place for match in found for place in range(match.start, match.end)],
        [place for match in found for place in range(match.caption_start, match.caption_end)],
    )


@settings(max_examples=200, deadline=None)
@given(texts, texts)
def test_each_word_is_covered_once_and_each_match_is_one(language: Language, first: str, second: str) -> None:
    both, found = aligned(first, second, language)
    possible = set(matches(*both.texts, both))
    assert set(found) <= possible
    assert [match.start for match in found] == sorted(match.start for match in found)
    for places in covered(found):
        assert len(places) == len(set(places))


@settings(max_examples=100, deadline=None)
@given(texts)
def test_a_text_is_aligned_with_itself_in_one_chunk(language: Language, text: str) -> None:
    _, found = aligned(text, text, language)
    assert [(match.start, match.matcher) for match in found] == [
        (match.caption_start, Matcher.EXACT) for match in found
    ]
    assert len(covered(found)[0]) == len(text.split())


def test_each_matcher_finds_what_it_is_for(language: Language) -> None:
    for caption, reference, matcher in (
        ("cat", "cat", Matcher.EXACT),
        ("nationalize", "national", Matcher.STEM),
        ("sofa", "couch", Matcher.SYNONYM),
        ("in front of", "before", Matcher.PARAPHRASE),
    ):
        _, found = aligned(caption, reference, language)
        assert [match.matcher for match in found] == [matcher], (caption, reference)


def test_a_word_with_two_weak_matches_is_left_alone(language: Language) -> None:
    """As in the program: neither counts as a word covered, and either would be a chunk more."""
    both, found = aligned("surfer", "surfers", language)
    assert [match.matcher for match in matches(*both.texts, both)] == [Matcher.STEM, Matcher.SYNONYM]
    assert found == []


def test_fewer_chunks_win_among_as_many_words(language: Language) -> None:
    """The first `the` of the caption is nearer to the reference's, the second one keeps the phrase whole."""
    _, found = aligned("the xyzzy qwerty the dog", "the dog", language)
    assert [(match.caption_start, match.caption_end) for match in found] == [(3, 4), (4, 5)]


def test_texts_without_words(language: Language) -> None:
    assert aligned("", "", language)[1] == []
    assert aligned("a dog", "", language)[1] == []
    assert aligned("", "a dog", language)[1] == []


def test_a_caption_that_repeats_itself_two_hundred_times(language: Language) -> None:
    _, found = aligned("a dog on a mat " * 200, "a dog on a mat", language)
    assert len(found) == 5
