"""What many captions of a run begin or end with, and the references do not: most often the prompt.

    >>> captions = ["a photo of a cat", "a photo of a photo of a dog", "a photo of a bus", "a photo of men"]
    >>> shared_start(captions, [("a cat", "a tabby"), ("two dogs",), ("a red bus",), ("some men",)])
    'a photo of'
    >>> without_start("A photo of a photo of two dogs", "a photo of")
    'two dogs'

Nothing here knows a language: what is shared is found letter by letter, and then cut back to whole words, and
to what the references do not begin with themselves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import chain

from evaluator.audit.texts import HAN_AND_KANA, SOUTH_EAST_ASIAN, Texts
from evaluator.core import Finding

SHARE = 0.3  # of the captions, at least
FEWEST = 4  # captions
ONE_WORD = 0.9  # of the captions, at least, where a single word is shared: "man" is a style, no echo
RATIO = 10.0  # how many times more often than in the references
COMMON = 0.04  # what this share of the references begins with is an ordinary beginning
LONGEST = 400  # characters
MOST_REFERENCES = 200_000  # all of 40,000 images with five each
_UNSPACED = re.compile(f"[{HAN_AND_KANA}{SOUTH_EAST_ASIAN}]")
_LETTER = re.compile(r"[^\W\d_]")


def shared_starts(texts: Texts) -> Finding | None:
    start = shared_start(texts.without_markers, texts.references)
    return _finding(texts, "shared_start", start, without_start)


def shared_endings(texts: Texts) -> Finding | None:
    end = shared_end(texts.without_markers, texts.references)
    return _finding(texts, "shared_end", end, without_end)


def _finding(texts: Texts, kind: str, shared: str, without: Callable[[str, str], str]) -> Finding | None:
    """None where most captions are nothing else: then few are different, which is another finding."""
    if not shared:
        return None
    changed = [index for index, text in enumerate(texts.without_markers) if without(text, shared) != text]
    return texts.finding(kind, changed, shared) if len(changed) >= SHARE * len(texts) / 2 else None


def shared_start(captions: Sequence[str], references: Sequence[Sequence[str]]) -> str:
    """The shared beginning in lower case, its white space made even; empty for none."""
    return _shared([plain(text) for text in captions], [plain(text) for text in some_of(references)])


def shared_end(captions: Sequence[str], references: Sequence[Sequence[str]]) -> str:
    """The same of endings; a full stop alone is none."""
    mirrored = _shared(
        [plain(text)[::-1].lstrip(" .") for text in captions],
        [plain(text)[::-1].lstrip(" .") for text in some_of(references)],
    )
    return mirrored[::-1].strip()


def some_of(references: Sequence[Sequence[str]]) -> Iterator[str]:
    """The references of evenly spread images, some MOST_REFERENCES: only shares of them are looked at."""
    step = max(1, -(-sum(map(len, references)) // MOST_REFERENCES))
    return chain.from_iterable(references[::step])


@lru_cache(maxsize=1 << 16)
def plain(text: str) -> str:
    """The beginning and the end of a text in lower case, with single spaces."""
    if len(text) > 2 * LONGEST:
        text = f"{text[:LONGEST]} {text[-LONGEST:]}"
    return " ".join(text.lower().split())


def _shared(captions: Sequence[str], references: Sequence[str]) -> str:
    """Of all beginnings that are shared and not ordinary, that of the most captions."""
    texts = [text for text in captions if text]
    found: dict[str, int] = {}
    for longest in _longest_starts(texts, max(FEWEST, SHARE * len(texts))):
        start = _whole_words(longest, texts, references)
        count = sum(text.startswith(start) for text in texts)
        theirs = sum(text.startswith(start) for text in references) / max(1, len(references))
        is_frequent = count >= ONE_WORD * len(texts) or not is_word(start)
        if start and is_frequent and count / len(texts) >= RATIO * theirs:
            found[start] = count
    return max(found, key=lambda start: found[start], default="")


def _longest_starts(texts: Sequence[str], needed: float) -> list[str]:
    """Each beginning of that many texts that no longer one continues, followed letter by letter."""
    found: list[str] = []
    growing = [("", texts)]
    while growing:
        start, having = growing.pop()
        following: dict[str, list[str]] = {}
        for text in having if len(start) < LONGEST else ():
            if len(text) > len(start):
                following.setdefault(text[len(start)], []).append(text)
        longer = [(start + letter, some) for letter, some in following.items() if len(some) >= needed]
        growing += longer
        if start and not longer:
            found.append(start)
    return found


def _whole_words(start: str, texts: Sequence[str], references: Sequence[str]) -> str:
    """A beginning without the word that it breaks off in, and without an ordinary beginning at its end."""
    having = [text for text in texts if text.startswith(start)]
    for end in range(len(start), 0, -1):
        if not _LETTER.search(start, 0, end):
            return ""
        if _is_boundary(having, start[:end]) and not _ends_as_references_begin(start[:end], references):
            return _once(start[:end].rstrip())
    return ""


def is_word(start: str) -> bool:
    """Whether this is a single word, as "caption", and not "caption:" or "a photo"."""
    return start.isalnum() and not (_UNSPACED.match(start) and len(start) > 1)


def _is_boundary(texts: Sequence[str], start: str) -> bool:
    """Whether a word ends where the beginning ends, in nearly all of the texts, which all have it."""
    if _UNSPACED.match(start[-1]) or not start[-1].isalnum():
        return True
    following = [text[len(start) : len(start) + 1] for text in texts]
    return sum(letter.isalnum() for letter in following) <= 0.02 * len(following)


def _ends_as_references_begin(start: str, references: Sequence[str]) -> bool:
    """Whether the last words are an ordinary beginning of a caption, such as the "a" of "a photo of a"."""
    words = start.rstrip()
    for index in range(len(words) - 1, max(0, len(words) - 40), -1):
        if _UNSPACED.search(words[index - 1 : index + 1]) or not words[index - 1].isalnum():
            tail = words[index:]
            if tail[0].isalnum() and _share(tail, references) >= COMMON:
                return True
    return False


def _share(start: str, texts: Sequence[str]) -> float:
    """Of the texts that begin with these whole words."""
    following = [text[len(start) : len(start) + 1] for text in texts if text.startswith(start)]
    if not _UNSPACED.match(start[-1]):
        following = [letter for letter in following if not letter.isalnum()]
    return len(following) / max(1, len(texts))


def _once(start: str) -> str:
    """`a photo of a photo of` is `a photo of` twice."""
    words = start.split(" ")
    for length in range(1, len(words) // 2 + 1):
        if len(words) % length == 0 and words == words[:length] * (len(words) // length):
            return " ".join(words[:length])
    return start


@lru_cache(maxsize=64)
def _starting_with(start: str) -> re.Pattern[str]:
    words = r"\s+".join(map(re.escape, start.split()))
    end = "" if _UNSPACED.match(start[-1]) or not start[-1].isalnum() else r"(?!\w)"
    return re.compile(rf"\s*(?:{words}{end}\s*)+", re.IGNORECASE)


def without_start(text: str, start: str) -> str:
    """The text behind the beginning, however often it is repeated; the text itself if no word is left."""
    found = _starting_with(start).match(text) if start else None
    return text[found.end() :] if found and _LETTER.search(text, found.end()) else text


def without_end(text: str, end: str) -> str:
    """The text before the ending, however often it is repeated; the text itself if no word is left."""
    if not end:
        return text
    mirrored = text[::-1]
    skipped = len(mirrored) - len(mirrored.lstrip(" .\t\r\n"))
    found = _starting_with(end[::-1]).match(mirrored, skipped)
    return text[: -found.end()].rstrip() if found and _LETTER.search(mirrored, found.end()) else text
