"""What is wrong with a data set: duplicates, pictures that cannot be read, images that two splits share.

Exact duplicates have the same bytes. Near duplicates have perceptual hashes (pHash, 64 bits, of ImageHash)
that differ in at most NEAR_BITS bits, as after another size or compression. Drawings of much the same layout
can be as near, so a person should look at them.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import numpy as np

from evaluator.core import Dataset, Item, Splits
from evaluator.core.errors import DataError, ImageError, MissingPackage
from evaluator.files.images import decode_picture, format_of, read_file

NEAR_BITS = 4
AT_ONCE = 4
ROWS_AT_ONCE = 256  # of the table of all pairs
# Folders that are splits, in a folder of pictures.
SPLIT_FOLDERS = frozenset(["train", "training", "restval", "val", "valid", "validation", "dev", "test"])

Groups = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class ReadPicture:
    """What is known of a picture that was read; sizes in pixels."""

    digest: str
    perceptual_hash: int
    format: str
    width: int
    height: int


@dataclass(frozen=True)
class DatasetCheck:
    """The findings, by the ids of the images."""

    images: int
    pictures: int  # that could be read
    references: int
    without_references: tuple[str, ...]
    unreadable: Mapping[str, str]  # id -> what is wrong with its picture
    duplicates: Groups  # of the same bytes
    near_duplicates: Groups
    in_two_splits: Groups  # each as "split: id"
    formats: Mapping[str, int]
    sizes: Mapping[str, tuple[int, int]]  # smallest, median and largest: width, height

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found. A data set without any reference has none on purpose."""
        some_without = bool(self.references and self.without_references)
        found = (self.unreadable, self.duplicates, self.near_duplicates, self.in_two_splits)
        return not some_without and not any(found)


def check_dataset(
    dataset: Dataset, items: Sequence[Item], shown: Callable[[int], object] = lambda done: None
) -> DatasetCheck:
    """Read all pictures of these items, which are of the data set, and compare them.

    `shown` is called with the number of pictures read so far.
    """
    found: dict[str, ReadPicture] = {}
    unreadable: dict[str, str] = {}
    with_pictures = [item for item in items if item.image]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for number, (item, read) in enumerate(
            zip(with_pictures, pool.map(_read, with_pictures), strict=True), 1
        ):
            if isinstance(read, ReadPicture):
                found[item.id] = read
            else:
                unreadable[item.id] = read
            shown(number)
    exact = _grouped((picture.digest, item_id) for item_id, picture in found.items())
    near = near_duplicates({item_id: picture.perceptual_hash for item_id, picture in found.items()}, exact)
    return DatasetCheck(
        images=len(items),
        pictures=len(found),
        references=sum(len(item.references) for item in items),
        without_references=tuple(item.id for item in items if not item.references),
        unreadable=unreadable,
        duplicates=exact,
        near_duplicates=near,
        in_two_splits=(*across_folders((*exact, *near)), *across_splits(dataset, items, found)),
        formats=dict(Counter(picture.format for picture in found.values()).most_common()),
        sizes=_sizes(list(found.values())),
    )


def _read(item: Item) -> ReadPicture | str:
    try:
        from imagehash import phash
    except ImportError as error:
        raise MissingPackage("ImageHash", "data") from error
    assert item.image
    try:
        data = read_file(item.image)
        picture = decode_picture(data, str(item.image))
    except ImageError as error:
        return str(error)
    bits = np.packbits(phash(picture).hash.ravel())
    digest = hashlib.sha256(data).hexdigest()
    return ReadPicture(digest, int.from_bytes(bits.tobytes(), "big"), format_of(data), *picture.size)


def near_duplicates(hashes: Mapping[str, int], exact: Groups = ()) -> Groups:
    """Groups of images whose hashes are near; of exact duplicates, the first stands for all.

    >>> near_duplicates({"a": 0b0000, "b": 0b0011, "c": 0xFFFFFFFF})
    (('a', 'b'),)
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    others = {item_id for group in exact for item_id in group[1:]}
    ids = [item_id for item_id in hashes if item_id not in others]
    bits = np.array([hashes[item_id] for item_id in ids], dtype=np.uint64)
    pairs = np.concatenate([np.empty((0, 2), dtype=np.int64), *_near_pairs(bits)])
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(ids), len(ids)))
    labels = connected_components(graph, directed=False)[1] if ids else []
    return _grouped(zip(map(int, labels), ids, strict=True))


def _near_pairs(bits: np.ndarray[Any, np.dtype[np.uint64]]) -> Iterator[np.ndarray[Any, np.dtype[np.int64]]]:
    for start in range(0, len(bits), ROWS_AT_ONCE):
        rows = bits[start : start + ROWS_AT_ONCE, None]
        is_near = np.bitwise_count(rows ^ bits[None, start:]) <= NEAR_BITS
        yield np.argwhere(np.triu(is_near, 1)) + start


def across_folders(groups: Groups) -> Iterator[tuple[str, ...]]:
    """The groups of duplicates that lie in the folders of several splits, such as train/ and test/."""
    for group in groups:
        splits = {item_id: item_id.partition("/")[0] for item_id in group}
        named = {item_id: split for item_id, split in splits.items() if split.casefold() in SPLIT_FOLDERS}
        if len(set(named.values())) > 1:
            yield tuple(f"{split}: {item_id}" for item_id, split in named.items())


def across_splits(
    dataset: Dataset, items: Sequence[Item], found: Mapping[str, ReadPicture]
) -> Iterator[tuple[str, ...]]:
    """The images of this split that another split of the same file has: by id, or by the picture's bytes."""
    if not isinstance(dataset, Splits):
        return
    own = getattr(dataset, "split", "")
    ids = {item.id for item in items}
    by_size: dict[int, list[str]] = defaultdict(list)
    for item in items:
        if item.id in found and item.image:
            by_size[_bytes(item)].append(item.id)
    for name, others in dataset.splits().items():
        if name == own:
            continue
        for other in _with_pictures(dataset, name, others):
            if other.id in ids:
                yield f"{own}: {other.id}", f"{name}: {other.id}"
                continue
            same_size = by_size.get(_bytes(other), ()) if other.image else ()
            digest = hashlib.sha256(read_file(other.image)).hexdigest() if same_size and other.image else ""
            for item_id in same_size:
                if found[item_id].digest == digest:
                    yield f"{own}: {item_id}", f"{name}: {other.id}"


def _with_pictures(dataset: Any, split: str, items: Sequence[Item]) -> Sequence[Item]:
    """The items of another split with their pictures, where its pictures are there too."""
    try:
        loaded: Sequence[Item] = replace(dataset, split=split).load()
        return loaded
    except DataError:
        return items


def _bytes(item: Item) -> int:
    """The size of an item's file; -1 where there is none."""
    return item.image.stat().st_size if item.image and item.image.is_file() else -1


def _grouped(keyed: Iterable[tuple[Any, str]]) -> Groups:
    """The values that share a key, where there are several."""
    groups: defaultdict[Any, list[str]] = defaultdict(list)
    for key, value in keyed:
        groups[key].append(value)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def _sizes(pictures: Sequence[ReadPicture]) -> Mapping[str, tuple[int, int]]:
    if not pictures:
        return {}
    by_area = sorted(((one.width, one.height) for one in pictures), key=lambda size: size[0] * size[1])
    middle = (int(median(width for width, _ in by_area)), int(median(height for _, height in by_area)))
    return {"smallest": by_area[0], "median": middle, "largest": by_area[-1]}
