"""Which image of a data set is meant by an id in somebody's file, however it is spelled.

COCO's image 391895 is "391895", 391895.0, "000000391895", "COCO_val2014_000000391895.jpg" and
"val2014/COCO_val2014_000000391895.jpg" in published files. Ids that are equal come first. Only where most
are unknown does the first spelling count that fits most of them, and only where it is unique on both sides.

>>> named = NamedImage("391895", "COCO_val2014_000000391895.jpg")
>>> match_ids(["000000391895.jpg"], [named])
Match(of_item={'391895': '000000391895.jpg'}, spelling='digits')
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class NamedImage(NamedTuple):
    """An image of a data set: its id, and the name of its picture where that is known."""

    id: str
    file_name: str = ""


@dataclass(frozen=True)
class Match:
    """The id of the file for each image that it has, and how the ids had to be read."""

    of_item: Mapping[str, str] = field(default_factory=dict)
    spelling: str = ""  # the name of one of SPELLINGS; empty where the ids are equal


def path(name: str) -> str:
    r"""A path with / between its parts, without what stands for the working folder.

    >>> path(r"file://.\val2014\a.jpg")
    'val2014/a.jpg'
    """
    name = re.sub(r"^file:(//)?", "", name).replace("\\", "/")
    return re.sub(r"^(\./+)+", "", name)


def file_name(name: str) -> str:
    """The last part of a path or an address.

    >>> file_name("https://example.org/val2014/a.jpg?size=full")
    'a.jpg'
    """
    name = path(name)
    return (name.partition("?")[0] if "://" in name else name).rpartition("/")[2]


def stem(name: str) -> str:
    """The file's name without its ending.

    >>> stem("val2014/a.b.jpg"), stem("101.0")
    ('a.b', '101.0')
    """
    return re.sub(r"\.[A-Za-z][A-Za-z0-9]{1,4}$", "", file_name(name))


def number(name: str) -> str:
    """A whole number without leading zeros or `.0`; empty for anything else.

    >>> number("000101"), number("101.0"), number("a101")
    ('101', '101', '')
    """
    return match[1] if (match := re.fullmatch(r"\s*0*(\d+?)(?:\.0+)?\s*", name)) else ""


def digits(name: str) -> str:
    """The last digits of the file's name without leading zeros; empty where there are none.

    >>> digits("COCO_val2014_000000391895.jpg"), digits("coco_101"), digits("a.jpg")
    ('391895', '101', '')
    """
    groups = re.findall(r"\d+", re.sub(r"\.0+$", "", stem(name)))
    return (groups[-1].lstrip("0") or "0") if groups else ""


def pure_digits(name: str) -> str:
    """The number that a file's name is, without folders and ending; empty for any other name.

    >>> pure_digits("val2017/000000391895.jpg"), pure_digits("val_7.jpg")
    ('391895', '')
    """
    return number(stem(name))


class Spelling(NamedTuple):
    """How ids are read: those of the file, and those of the data set."""

    name: str
    of_file: Callable[[str], str]
    of_data: Callable[[str], str]


# In the order of trust. By digits, one of the two must be nothing else: val_7 is not test_7.
SPELLINGS = (
    Spelling("number", number, number),
    Spelling("file name", path, path),
    Spelling("file name without folders", file_name, file_name),
    Spelling("file name without its ending", stem, stem),
    Spelling("digits", digits, pure_digits),
    Spelling("digits", pure_digits, digits),
)


def match_ids(ids: Sequence[str], images: Sequence[NamedImage]) -> Match:
    """The images that these ids mean. Images of the data set that the file lacks are left out."""
    known = {image.id for image in images}
    exact = {item_id: item_id for item_id in ids if item_id in known}
    best = Match(exact)
    if 2 * len(exact) >= len(ids):
        return best
    for name, of_file, of_data in SPELLINGS:
        in_file = _unique((of_file(item_id).casefold(), item_id) for item_id in ids)
        in_data = _unique((of_data(each).casefold(), image.id) for image in images for each in image if each)
        found = {in_data[key]: item_id for key, item_id in in_file.items() if key in in_data}
        if len(found) > len(best.of_item):
            best = Match(found, name)
    return best


def match_references(of_file: Mapping[str, Sequence[str]], of_data: Mapping[str, Sequence[str]]) -> Match:
    """The images with the same references, whatever their ids are; of those that several images have, none.

    >>> match_references({"0": ["a dog", "a pet"]}, {"42": ["a pet", "a  dog"], "43": ["a cat"]}).of_item
    {'42': '0'}
    """
    in_file = _unique((_reference_key(texts), item_id) for item_id, texts in of_file.items())
    in_data = _unique((_reference_key(texts), item_id) for item_id, texts in of_data.items())
    return Match({in_data[key]: item_id for key, item_id in in_file.items() if key in in_data}, "references")


def same_references(
    match: Match, of_file: Mapping[str, Sequence[str]], of_data: Mapping[str, Sequence[str]]
) -> int:
    """How many matched images have the same references on both sides."""
    return sum(
        bool(key := _reference_key(of_data[item_id])) and key == _reference_key(of_file.get(spelled, ()))
        for item_id, spelled in match.of_item.items()
    )


def _reference_key(texts: Sequence[str]) -> str:
    return "\n".join(sorted(" ".join(text.split()) for text in texts))


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Each key that stands for one value only."""
    distinct = dict.fromkeys(pair for pair in pairs if pair[0])
    times = Counter(key for key, _ in distinct)
    return {key: value for key, value in distinct if times[key] == 1}
