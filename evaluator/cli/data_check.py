"""What `evaluator data check` prints: the findings as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain

from evaluator.data.check import DatasetCheck
from evaluator.report.text.table import Cell, TextTable

EXAMPLES = 3


def check_table(found: DatasetCheck) -> TextTable:
    """One row per kind of finding, with how many images it concerns."""
    findings: dict[str, tuple[int, list[str]]] = {
        "unreadable pictures": (len(found.unreadable), list(found.unreadable)),
        "images without references": (len(found.without_references), list(found.without_references)),
    }
    groups = {
        "duplicates": found.duplicates,
        "near duplicates": found.near_duplicates,
        "in two splits": found.in_two_splits,
    }
    for name, of_name in groups.items():
        images = len(set(chain.from_iterable(of_name)))
        findings[name] = (images, [" = ".join(group[:EXAMPLES]) for group in of_name])
    rows = [
        [Cell(name), Cell(f"{number:,}"), Cell("; ".join(examples[:EXAMPLES]))]
        for name, (number, examples) in findings.items()
    ]
    return TextTable(["finding", "images", "for example"], rows)


def check_lines(found: DatasetCheck) -> Iterator[str]:
    """What the data set holds, and why pictures cannot be read."""
    yield f"{found.images:,} images, {found.pictures:,} pictures read, {found.references:,} references"
    if found.formats:
        yield "formats: " + ", ".join(f"{name} {number:,}" for name, number in found.formats.items())
        sizes = (f"{name} {width} x {height}" for name, (width, height) in found.sizes.items())
        yield f"sizes in pixels: {', '.join(sizes)}"
    yield from (f"unreadable: {reason}" for reason in list(found.unreadable.values())[:EXAMPLES])


def check_json(found: DatasetCheck) -> str:
    document = {"is_clean": found.is_clean, **asdict(found)}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
