"""Tables of document frequencies, with which captions of a few images are scored like those of all images.

CIDEr weighs an n-gram by the number of images whose references hold it. Counted in the references being
scored, these frequencies depend on which images are scored, and for one image they do not exist. A table that
is made once from a whole data set (`evaluator idf REFERENCES --name karpathy-test`) fixes them:

    >>> table = make_table((("a red cat",), ("a red bus", "the bus"), ("a dog",)), "three")
    >>> table.images, table.frequencies
    (3, ({'a': 3, 'red': 2}, {'a red': 2}, {}, {}))

The table leaves out n-grams of a single image, because an n-gram that no image holds counts as one as well.
A file is gzipped JSON. Files of version 0.1.0, which held NumPy arrays, can be read as well.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from evaluator.core.errors import ConfigError, DataError
from evaluator.files.atomic import replace_file
from evaluator.files.cache_folder import cache_folder
from evaluator.scorers.document_frequencies import document_frequencies
from evaluator.scorers.ngram_counts import LONGEST, Counts
from evaluator.scorers.packed_keys import Ids, pack, unpack

CORPUS = "corpus"  # not a table: the frequencies of the references being scored
SUFFIX, FIRST_SUFFIX = ".json.gz", ".npz"
FORMAT = 2


@dataclass(frozen=True, eq=False)
class Table:
    """How many images' references hold each n-gram that two or more of them hold."""

    name: str
    images: int
    frequencies: tuple[Mapping[str, int], ...]  # for n = 1, 2, ...; words are separated by a space

    @property
    def longest(self) -> int:
        """The number of words in the longest n-grams that were counted."""
        return len(self.frequencies)

    @property
    def ngrams(self) -> int:
        return sum(map(len, self.frequencies))

    def of_ngrams(self, n: int, texts: Counts) -> Ids:
        """For each n-gram of n words in the texts the number of images, 0 for one that the table lacks."""
        frequencies = self.frequencies[n - 1]
        return np.array([frequencies.get(ngram, 0) for ngram in texts.ngrams[n - 1]], np.int64)

    @property
    def label(self) -> str:
        """The table in signatures."""
        return f"{self.name}-{self.digest[:8]}"

    @cached_property
    def digest(self) -> str:
        """A hash of the content without the name, the same as in version 0.1.0 for the same content."""
        words = sorted(self.frequencies[0])
        id_of = {word: index for index, word in enumerate(words)}
        ids = dict(id_of)  # of the n-grams one word shorter
        pairs, counts = [], [[self.frequencies[0][word] for word in words]]
        for frequencies in self.frequencies[1:]:
            split = [(*ngram.rpartition(" ")[::2], ngram) for ngram in frequencies]
            keyed = sorted((ids[first], id_of[last], ngram) for first, last, ngram in split)
            ids = {ngram: index for index, (_, _, ngram) in enumerate(keyed)}
            pairs.append(pack(*np.array([key[:2] for key in keyed], np.int64).reshape(-1, 2).T))
            counts.append([frequencies[ngram] for ngram in ids])
        parts = [str(self.images).encode(), "\n".join(words).encode("utf-8", "surrogatepass")]
        parts += [np.array(numbers, "<i8").tobytes() for numbers in (*pairs, *counts)]
        return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def make_table(references: tuple[tuple[str, ...], ...], name: str, longest: int = LONGEST) -> Table:
    """Count the images of each n-gram; each image must have a reference. Raises DataError without any."""
    if not references:
        raise DataError("there are no references to make a table of document frequencies from")
    counted = document_frequencies(references, longest)
    frequencies = (
        dict(zip(ngrams, images.tolist(), strict=True))
        for ngrams, images in zip(counted.ngrams, counted.frequencies, strict=True)
    )
    return Table(name, len(references), tuple(frequencies))


def write_table(table: Table, path: Path) -> None:
    """Write a table as one small file, whole or not at all. Raises DataError where that is impossible."""
    content = {
        "format": FORMAT,
        "name": table.name,
        "images": table.images,
        "frequencies": [dict(sorted(frequencies.items())) for frequencies in table.frequencies],
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, gzip.compress(json.dumps(content).encode(), mtime=0))
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror or error}") from error


def table_path(name: str) -> Path:
    """Where a table of this name is kept for all projects."""
    return cache_folder("idf") / f"{name}{SUFFIX}"


def find_table(idf: str) -> Path:
    """The file that `scorer.cider.idf` names, by its path or its name. Raises ConfigError."""
    kept = is_kept_table(idf)  # before a file of the working folder, which may be somebody else's
    for folder in (cache_folder("idf"), Path()) if kept else (Path(),):
        for suffix in ("", SUFFIX, FIRST_SUFFIX):
            if (path := folder / f"{idf}{suffix}").is_file():
                return path
    raise ConfigError(
        f"scorer.cider.idf: {idf!r} is neither a file nor the name of a table in {cache_folder('idf')}. Type "
        f"{CORPUS!r} for the document frequencies of the references being scored, or make the table: "
        f"evaluator idf REFERENCES --name {Path(idf).stem or 'NAME'}"
    )


def is_kept_table(idf: object) -> bool:
    """Whether this is the name of a table in the cache, and not a path."""
    folder = cache_folder("idf")
    return (
        isinstance(idf, str)
        and re.fullmatch(r"[\w-][\w.-]{0,200}", idf) is not None
        and any((folder / f"{idf}{suffix}").is_file() for suffix in ("", SUFFIX, FIRST_SUFFIX))
    )


def read_table(path: Path) -> Table:
    """Raises ConfigError for a file that does not hold a table."""
    try:
        status = path.stat()
        return _read(path, status.st_mtime_ns, status.st_size)
    # gzip, json, zipfile and NumPy each raise errors of their own for a file that is damaged or not theirs.
    except Exception as error:
        raise ConfigError(
            f"scorer.cider.idf: {path} is not a table of document frequencies ({error}). "
            f"Make it again: evaluator idf REFERENCES --output {path}"
        ) from error


@lru_cache(maxsize=2)
def _read(path: Path, modified: int, size: int) -> Table:
    content = path.read_bytes()
    if content.startswith(b"PK"):  # a zip archive, as NumPy writes
        return _read_first_format(content)
    table = json.loads(gzip.decompress(content))
    if table["format"] != FORMAT:
        raise ValueError(f"format {table['format']}, not {FORMAT}")
    return Table(table["name"], table["images"], tuple(table["frequencies"]))


def _read_first_format(content: bytes) -> Table:
    """A table that version 0.1.0 wrote: words in order, and longer n-grams as pairs of indexes."""
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        joined, name, digest = (
            file[key].tobytes().decode("utf-8", "surrogatepass") for key in ("words", "name", "digest")
        )
        words = joined.split("\n") if joined else []
        ngrams = [words]
        for n in range(2, int(file["longest"]) + 1):
            pairs = zip(*map(np.ndarray.tolist, unpack(np.cumsum(file[f"pairs{n}"]))), strict=True)
            ngrams.append([f"{ngrams[-1][first]} {words[last]}" for first, last in pairs])
        frequencies = [
            dict(zip(of_order, file[f"frequencies{n}"].tolist(), strict=True))
            for n, of_order in enumerate(ngrams, start=1)
        ]
        table = Table(name, int(file["images"]), tuple(frequencies))
    if table.digest != digest:
        raise ValueError("its content is not what was written")
    return table
