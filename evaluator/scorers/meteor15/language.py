"""METEOR 1.5's word lists and tables for English, read once from the installed program and kept.

    language = load_language()          # the first time about 10 seconds, later a tenth of a second
    language.synonyms.of("dog")

The five million paraphrases become a few arrays in the cache folder. They are mapped into memory: parts that
no caption needs stay on the disk, and several processes share the rest.
"""

from __future__ import annotations

import contextlib
import gzip
import logging
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from evaluator.files.cache_folder import cache_folder
from evaluator.scorers.meteor15.installed_files import (
    ABBREVIATIONS,
    EXCEPTIONS,
    FUNCTION_WORDS,
    SYNSETS,
    InstalledFiles,
)
from evaluator.scorers.meteor15.normalizer import ANYWHERE, BEFORE_NUMBERS
from evaluator.scorers.meteor15.phrases import PhraseTable, tree
from evaluator.scorers.meteor15.synonyms import SynonymSets

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = 1  # of the arrays
NAMES = (
    "synonym_words",
    "synonym_starts",
    "synonym_sets",
    "exceptions",
    "words",
    "sources",
    "starts",
    "targets",
)
ONLY_BEFORE_NUMBERS = "#NUMERIC_ONLY#"

Arrays = dict[str, NDArray[Any]]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Language:
    """What the matchers look up."""

    function_words: frozenset[str]
    abbreviations: Mapping[str, int]
    synonyms: SynonymSets
    words: Mapping[str, int]  # the id of each word in a paraphrase
    phrases: PhraseTable


@lru_cache(maxsize=1)
def load_language() -> Language:
    """Raises MetricError where the package that holds the files is missing."""
    files = InstalledFiles.find()
    folder = cache_folder("meteor") / files.digest(VERSION)
    arrays = _read(folder)
    if arrays is None:
        logger.info("preparing METEOR's paraphrases; this happens once and takes about 10 seconds")
        _write(folder, prepared(files))
        arrays = _read(folder) or prepared(files)
    return from_arrays(files, arrays)


def prepared(files: InstalledFiles) -> Arrays:
    """The synonyms and paraphrases as arrays."""
    exceptions, synsets = files.lines(EXCEPTIONS), files.lines(SYNSETS)
    sets = [list(map(int, line.split())) for line in synsets[1::2]]
    words, table = paraphrases(files.paraphrases)
    return {
        "synonym_words": _text(synsets[: 2 * len(sets) : 2]),
        "synonym_starts": np.cumsum([0, *map(len, sets)]),
        "synonym_sets": np.array([number for some in sets for number in some], np.int64),
        "exceptions": _text(exceptions),
        "words": _text(words),
        "sources": table.sources,
        "starts": table.starts,
        "targets": table.targets,
    } | {f"level_{length}": level for length, level in enumerate(table.levels, 2)}


def paraphrases(path: Path) -> tuple[list[str], PhraseTable]:
    """The words and the table of a file with three lines per row: a probability, a phrase, another phrase."""
    import pyarrow.compute as pc

    phrases = phrases_in(path).dictionary_encode()
    split = pc.ascii_split_whitespace(pc.ascii_trim_whitespace(phrases.dictionary))
    words = split.flatten().dictionary_encode()
    lengths, vocabulary = np.diff(split.offsets.to_numpy()), words.dictionary.to_pylist()
    nodes, levels = tree(words.indices.to_numpy().astype(np.int64), lengths, len(vocabulary))
    sources, targets = nodes[phrases.indices.to_numpy().reshape(-1, 2)].T
    # The rows of a phrase together, in the file's order.
    order = np.argsort(sources, kind="stable")
    return vocabulary, PhraseTable.from_nodes(sources[order], targets[order], levels, len(vocabulary))


def phrases_in(path: Path) -> pa.Array:
    """The two phrases of each row, one after the other, as an array of texts that end in a line break."""
    import pyarrow as pa

    with gzip.open(path) as file:
        content = file.read()
    ends = np.flatnonzero(np.frombuffer(content, np.uint8) == ord("\n")) + 1
    offsets = np.concatenate([[0], ends], dtype=np.int64)
    lines = pa.LargeStringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(content))
    return lines.take(pa.array(np.arange(len(ends)).reshape(-1, 3)[:, 1:].ravel()))


def from_arrays(files: InstalledFiles, arrays: Arrays) -> Language:
    words = _lines(arrays["words"])
    exceptions = _lines(arrays["exceptions"])
    levels = [name for name in arrays if name.startswith("level_")]
    return Language(
        frozenset(files.lines(FUNCTION_WORDS)) - {""},
        abbreviations(files.lines(ABBREVIATIONS)),
        SynonymSets(
            _index(_lines(arrays["synonym_words"])),
            np.asarray(arrays["synonym_starts"]),  # a memmap takes longer for a single element
            np.asarray(arrays["synonym_sets"]),
            irregular_forms(exceptions),
        ),
        _index(words),
        PhraseTable(
            tuple(arrays[name] for name in sorted(levels, key=lambda name: int(name[6:]))),
            len(words),
            arrays["sources"],
            arrays["starts"],
            arrays["targets"],
        ),
    )


def abbreviations(lines: Sequence[str]) -> dict[str, int]:
    """Abbreviations without their full stop, and where the full stop belongs to them.

    >>> abbreviations(["# comment", "Mr", "No #NUMERIC_ONLY# ", ""])
    {'Mr': 1, 'No': 2}
    """
    result = {}
    for line in lines:
        if line and not line.startswith("#"):
            word, numeric, _ = line.partition(ONLY_BEFORE_NUMBERS)
            result[word.strip()] = BEFORE_NUMBERS if numeric else ANYWHERE
    return result


def irregular_forms(lines: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The words that each irregular form comes from. One line holds a word, the next line its forms.

    >>> irregular_forms(["ax", "axes", "axis", "axes", ""])
    {'axes': ('ax', 'axis')}
    """
    bases: dict[str, tuple[str, ...]] = {}
    for base, forms in zip(lines[::2], lines[1::2], strict=False):
        for form in forms.split():
            bases[form] = (*bases.get(form, ()), base)
    return bases


def _index(words: Iterable[str]) -> dict[str, int]:
    return {word: index for index, word in enumerate(words)}


def _text(lines: Iterable[str]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(lines).encode(), np.uint8)


def _lines(text: NDArray[Any]) -> list[str]:
    return text.tobytes().decode().split("\n")


def _read(folder: Path) -> Arrays | None:
    """None where there is no folder, or one that is damaged."""
    try:
        arrays = {path.stem: np.load(path, mmap_mode="r") for path in folder.iterdir()}
    except (OSError, ValueError, EOFError):
        return None
    return arrays if arrays.keys() >= set(NAMES) else None


def _write(folder: Path, arrays: Arrays) -> None:
    """Write a temporary folder and rename it: all or nothing. On a full disk nothing is kept."""
    with contextlib.suppress(OSError), tempfile.TemporaryDirectory(dir=folder.parent) as name:
        for array_name, array in arrays.items():
            np.save(Path(name) / f"{array_name}.npy", array)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(name, folder)
        os.mkdir(name)  # for the context manager to remove
