"""THumB 1.0 (Kasai et al. 2022, https://aclanthology.org/2022.naacl-main.254): 500 COCO images, five systems.

People gave precision and recall from 1 to 5, and took points off for fluency, conciseness and language that
is not inclusive. The rating is the total. One of the systems is a person: one of each image's five captions,
so that four references are left. Files: mscoco_THumB-1.0.jsonl and mscoco_references.json.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from typing_extensions import TypedDict

from evaluator.agreement.judgements import Collection, Judged
from evaluator.core.errors import DataError
from evaluator.files.json_input import checked, parse_json, read_text

Line = TypeVar("Line")

JUDGEMENTS = "mscoco_THumB-1.0.jsonl"
REFERENCES = "mscoco_references.json"


class JudgedLine(TypedDict):
    SYS: str
    seg_id: str
    hyp: str
    human_score: float


class ReferencesLine(TypedDict):
    seg_id: str
    refs: list[str]


def thumb(path: Path) -> Collection:
    """From the folder with both files."""
    references = {
        line["seg_id"]: tuple(line["refs"]) for line in json_lines(path / REFERENCES, ReferencesLine)
    }
    judged = []
    for line in json_lines(path / JUDGEMENTS, JudgedLine):
        if line["seg_id"] not in references:
            raise DataError(f"{path / REFERENCES}: there are no references of image {line['seg_id']!r}")
        judged.append(
            Judged(
                line["seg_id"],
                line["hyp"],
                references[line["seg_id"]],
                (line["human_score"],),
                system=line["SYS"],
            )
        )
    return Collection(
        name="thumb",
        judged=tuple(judged),
        statistics=("kendall_tau_c", "pearson", "pairwise_accuracy", "system_pearson"),
        protocol="the rating is the total; all five systems, one of which is a person",
        recipe="ratings:total|systems:5",
    )


def json_lines(path: Path, shape: type[Line]) -> list[Line]:
    """The lines of a file, each checked against this shape."""
    return [
        checked(parse_json(line, path, number), shape, path, f"line {number}")
        for number, line in enumerate(read_text(path).splitlines(), 1)
        if line.strip()
    ]
