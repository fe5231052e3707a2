"""How the files of a run folder are read. What is wrong is a StoreError that says where and what to type."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from json import JSONDecodeError
from typing import Any, TypeVar

from evaluator.config.identity import IDENTITY_GROUPS
from evaluator.core import Item
from evaluator.core.errors import StoreError
from evaluator.files.json_bytes import decode_json
from evaluator.store.formats import bounded, checked, item_from_line, understanding
from evaluator.store.manifest import FORMAT_VERSION, Manifest, manifest_from_json
from evaluator.store.run_files import MANIFEST, RunFiles

Line = TypeVar("Line")

MOST_LINES = 5_000_000
RERUN = "Delete it and run again"
NO_MANIFEST = "Restore the file, or start a new run with name=...; cached answers will be reused"


def read_document(files: RunFiles, name: str, advice: str = RERUN) -> dict[str, Any]:
    """A JSON object. Raises StoreError for anything else."""
    content = files.read(name)
    with understanding(files.where(name), advice):
        try:
            document = decode_json(content)
        except ValueError as error:
            raise StoreError(f"{files.where(name)} is not JSON ({str(error)[:200]}). {advice}") from error
        if not isinstance(document, dict):
            raise ValueError("it is not an object")
        return dict(bounded(document))


def read_lines(
    content: bytes, where: str, read: Callable[[bytes], Line], may_be_torn: bool = False, first: int = 1
) -> Iterator[Line]:
    """What each line says; where lines may be torn, as a killed process leaves them, such are skipped.

    `first` is the number of the first line in its file, for messages.
    """
    if content.count(b"\n") > MOST_LINES:
        raise StoreError(f"{where} has more than the {MOST_LINES:,} lines that are read")
    for number, line in enumerate(io.BytesIO(content), first):
        if line.isspace():
            continue
        try:
            value = read(line)
        except Exception as error:
            if may_be_torn and isinstance(error, JSONDecodeError | UnicodeDecodeError):
                continue
            with understanding(f"{where}, line {number}", "Correct or delete that line"):
                raise
        yield value


def read_appended(files: RunFiles, name: str, read: Callable[[bytes], Line]) -> Iterator[Line]:
    """The lines of a file that may not be there yet, and whose lines a killed process may have torn."""
    if not files.has(name):
        return iter(())
    return read_lines(files.read(name), files.where(name), read, may_be_torn=True)


def items_from(content: bytes, where: str) -> Sequence[Item]:
    items = list(read_lines(content, where, item_from_line))
    if len({item.id for item in items}) != len(items):
        raise StoreError(f"{where} lists an image twice. Delete one of the two lines")
    return items


def read_manifest(files: RunFiles) -> Manifest:
    document, where = read_document(files, MANIFEST, NO_MANIFEST), files.where(MANIFEST)
    if document.get("format_version") != FORMAT_VERSION:
        raise StoreError(
            f"{where} has format version {str(document.get('format_version'))[:20]}, this program reads "
            f"{FORMAT_VERSION}. Use the program version that wrote it, or run it again"
        )
    with understanding(where, NO_MANIFEST):
        manifest = checked(Manifest, manifest_from_json(document))
        if missing := [group for group in IDENTITY_GROUPS if group not in manifest.choices]:
            raise ValueError(f"choices lacks {', '.join(missing)}")
        return manifest
