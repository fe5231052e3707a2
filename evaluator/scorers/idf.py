"""Document frequencies kept in a file, so that captions of a few images are scored as beside all of them.

CIDEr weighs an n-gram by how many images' references hold it. Taken from the references being scored, these
frequencies make a part of a data set another measure than the whole, and one image none at all. A table made
once from the whole (`evaluator idf REFERENCES --name karpathy-test`) pins them:

    >>> table = make_table((("a red cat",), ("a red bus", "the bus"), ("a dog",)), "three")
    >>> table.images, table.words, [len(pairs) for pairs in table.pairs]
    (3, ('a', 'red'), [1, 0, 0])
    >>> [frequencies.tolist() for frequencies in table.frequencies]
    [[3, 2], [2], [], []]

N-grams of a single image are left out: what no image holds counts as one anyway.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from evaluator.core.errors import ConfigError, DataError
from evaluator.files.cache_folder import cache_folder
from evaluator.scorers.prepared import prepare
from evaluator.scorers.sorted_keys import Numbers, at, first_of, joined, places, second_of

CORPUS = "corpus"  # no table: the frequencies of the references being scored
SUFFIX = ".npz"
FORMAT = 1


@dataclass(frozen=True, eq=False)
class Table:
    """In how many images' references each n-gram of two images or more stands."""

    name: str
    images: int
    words: tuple[str, ...]  # in the order of their characters; a word's number is its place
    pairs: tuple[Numbers, ...]  # of bigrams, trigrams, ...: sorted; the place is the n-gram's number
    frequencies: tuple[Numbers, ...]  # for each order, by number

    @property
    def longest(self) -> int:
        """In words, of the n-grams."""
        return len(self.frequencies)

    @property
    def ngrams(self) -> int:
        return sum(map(len, self.frequencies))

    @cached_property
    def digest(self) -> str:
        """Of the content, whatever the name."""
        parts = [str(self.images).encode(), "\n".join(self.words).encode("utf-8", "surrogatepass")]
        parts += [array.astype("<i8").tobytes() for array in (*self.pairs, *self.frequencies)]
        return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()

    @property
    def label(self) -> str:
        """For signatures."""
        return f"{self.name}-{self.digest[:8]}"

    @cached_property
    def _number_of(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words)}

    def numbers(
        self, words: Sequence[str], pairs: Sequence[Numbers], known: Sequence[Numbers] = ()
    ) -> list[Numbers]:
        """For each order, the table's numbers of n-grams of another numbering, -1 where the table lacks one.

        `words` and `pairs` say what the n-grams are; they come after those whose numbers are `known`.
        """
        known = known or [np.empty(0, np.int64)] * (len(pairs) + 1)
        found = [np.fromiter((self._number_of.get(word, -1) for word in words), np.int64, len(words))]
        for before, new, table in zip(known, pairs, self.pairs, strict=False):
            first, second = at(first_of(new), before, found[-1]), at(second_of(new), known[0], found[0])
            there = (first >= 0) & (second >= 0)
            numbers = np.full(len(new), -1)
            numbers[there] = _numbers_in(table, joined(first[there], second[there]))
            found.append(numbers)
        return found

    def frequency(self, order: int, numbers: Numbers) -> Numbers:
        """Of n-grams of order + 1 words by the table's numbers."""
        found = np.ones(len(numbers), np.int64)
        found[numbers >= 0] = self.frequencies[order][numbers[numbers >= 0]]
        return found


def _numbers_in(table: Numbers, keys: Numbers) -> Numbers:
    distinct, inverse = np.unique(keys, return_inverse=True)
    place, found = places(distinct, table)
    return np.asarray(np.where(found, place, -1)[inverse])


def make_table(references: tuple[tuple[str, ...], ...], name: str, longest: int = 4) -> Table:
    """Count the images of each n-gram; each image must have a reference. Raises DataError without any."""
    if not references:
        raise DataError("there are no references to make a table of document frequencies from")
    prepared = prepare(references, longest)
    counts = prepared.frequencies[:longest]
    words = list(prepared.vocabulary)
    kept = sorted(np.flatnonzero(counts[0] > 1).tolist(), key=lambda number: words[number])
    order_of_words = np.array(kept, np.int64)
    numbers = [_ranks(order_of_words, len(words))]
    frequencies, pairs = [counts[0][order_of_words]], []
    for own_pairs, count in zip(prepared.pairs[: longest - 1], counts[1:], strict=True):
        common = np.flatnonzero(count > 1)
        # What two images hold, they hold with all of its parts: no number is missing.
        keys = joined(numbers[-1][first_of(own_pairs[common])], numbers[0][second_of(own_pairs[common])])
        order = np.argsort(keys)
        pairs.append(keys[order])
        frequencies.append(count[common[order]])
        numbers.append(_ranks(common[order], len(own_pairs)))
    return Table(
        name, len(references), tuple(words[place] for place in kept), tuple(pairs), tuple(frequencies)
    )


def _ranks(chosen: Numbers, total: int) -> Numbers:
    """For each of `total` things its place among the chosen ones."""
    ranks = np.full(total, -1)
    ranks[chosen] = np.arange(len(chosen))
    return ranks


def write_table(table: Table, path: Path) -> None:
    """Write a table as one small file, in one step. Raises DataError where that cannot be done."""
    # The differences of sorted numbers are small, and small numbers take little room.
    arrays: dict[str, Any] = {
        f"pairs{place}": np.diff(pairs, prepend=0) for place, pairs in enumerate(table.pairs, 2)
    }
    arrays |= {f"frequencies{place}": counts for place, counts in enumerate(table.frequencies, 1)}
    texts = {"words": "\n".join(table.words), "name": table.name, "digest": table.digest}
    arrays |= {
        key: np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8) for key, text in texts.items()
    }
    content = io.BytesIO()
    np.savez_compressed(content, images=table.images, format=FORMAT, longest=table.longest, **arrays)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(content.getvalue())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror or error}") from error


def table_path(name: str) -> Path:
    """Where a table of this name is kept for all projects."""
    return cache_folder("idf") / f"{name}{SUFFIX}"


def find_table(idf: str) -> Path:
    """The file that `scorer.cider.idf` means, a path or a name. Raises ConfigError where there is none."""
    for path in (Path(idf), Path(f"{idf}{SUFFIX}"), table_path(idf)):
        if path.is_file():
            return path
    raise ConfigError(
        f"scorer.cider.idf: {idf!r} is neither a file nor the name of a table in {cache_folder('idf')}. Type "
        f"{CORPUS!r} for the document frequencies of the references being scored, or make the table: "
        f"evaluator idf REFERENCES --name {Path(idf).stem or 'NAME'}"
    )


def read_table(path: Path) -> Table:
    """Raises ConfigError for a file that holds no table."""
    try:
        status = path.stat()
        return _read(path, status.st_mtime_ns, status.st_size)
    # NumPy and zipfile meet a file that is none of theirs in many ways.
    except Exception as error:
        raise ConfigError(
            f"scorer.cider.idf: {path} is not a table of document frequencies ({error}). "
            f"Make it again: evaluator idf REFERENCES --output {path}"
        ) from error


@lru_cache(maxsize=2)
def _read(path: Path, modified: int, size: int) -> Table:
    # Opened here, since np.load leaves a file open that turns out to be damaged.
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
        if file["format"] != FORMAT:
            raise ValueError(f"format {file['format']}, not {FORMAT}")
        longest = int(file["longest"])
        words, name, digest = (
            file[key].tobytes().decode("utf-8", "surrogatepass") for key in ("words", "name", "digest")
        )
        table = Table(
            name,
            int(file["images"]),
            tuple(words.split("\n")) if words else (),
            tuple(np.cumsum(file[f"pairs{order}"]) for order in range(2, longest + 1)),
            tuple(file[f"frequencies{order}"] for order in range(1, longest + 1)),
        )
    if table.digest != digest:
        raise ValueError("its content is not what was written")
    return table
