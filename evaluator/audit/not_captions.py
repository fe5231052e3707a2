"""Captions that say nothing, and captions in the wrapping of a program.

>>> is_no_caption("COCO_val2014_000000391895.jpg"), is_no_caption("[101, 1037, 4937, 102]")
(True, True)
>>> is_no_caption("cat"), unwrapped("['a cat', 'a tabby']"), unwrapped('{"caption": "a cat"}')
(False, 'a cat', 'a cat')
"""

from __future__ import annotations

import re

from evaluator.audit.texts import Texts
from evaluator.core import Finding

# Of a text without white space around it.
_NO_CAPTION = re.compile(
    r"""
        (?:image|img|picture|photo|id|no|number|caption|tensor|array)? [\W\d_]+   # a number, token ids, signs
      | \S+ \. (?:jpe?g|png|gif|webp|bmp|tiff?|heic|avif|npy|pt|json|txt)   # a file name
      | (?: https?:// | data:image/ | file:// ) \S+
      | (?=[^\W_]*\d) [0-9a-f]{8,} (?: - [0-9a-f]{4,} ){0,4}    # a digest, a UUID
      | (?=\S{0,80}\d) [^\W_]{1,40} (?: [_/\\:-]{1,3} [^\W_]{1,40} ){1,12}   # coco_val_391895
    """,
    re.IGNORECASE | re.VERBOSE,
)
_QUOTE = r"(?P<quote>['\"])(?P<text>(?:[^'\"\\]|\\.|(?!(?P=quote))['\"])*)(?P=quote)"
_LABEL = r"(?:['\"]?(?:caption|text|answer|description|response|output|content)['\"]?\s*:\s*)"
_PRINTED = re.compile(
    rf"\s*(?:```(?:json|python)?\s*)?[\[({{]\s*(?:[{{\[]\s*)?{_LABEL}?{_QUOTE}\s*[,\])}}]",
    re.DOTALL | re.IGNORECASE,
)
_CLOSED = re.compile(r"[\])}](?:\s*```)?\s*\Z")


def empty(texts: Texts) -> Finding | None:
    return texts.where("empty", lambda text: not text.strip())


def not_captions(texts: Texts) -> Finding | None:
    """Numbers, ids and file names; also a caption that is its image's own id."""
    found = [
        index
        for index, (item_id, text) in enumerate(zip(texts.ids, texts.captions, strict=True))
        if is_no_caption(text) or (text.strip() == item_id and " " not in item_id)
    ]
    return texts.finding("not_a_caption", found)


def printed_lists(texts: Texts) -> Finding | None:
    """`['a cat']` and `{"caption": "a cat"}`: what a program printed that should have taken the text out."""
    return texts.where("printed_list", lambda text: unwrapped(text) != text)


def is_no_caption(text: str) -> bool:
    stripped = text.strip()
    return bool(stripped) and _NO_CAPTION.fullmatch(stripped) is not None


def unwrapped(text: str) -> str:
    """The first text within a printed list or object; the text itself where it is neither."""
    found = _PRINTED.match(text)
    if not found or not _CLOSED.search(text, max(0, len(text) - 40)):
        return text
    return re.sub(r"\\(['\"\\])", r"\1", found["text"]).strip()
