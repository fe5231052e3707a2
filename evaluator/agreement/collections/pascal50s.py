"""Pascal-50S (Vedantam, Zitnick and Parikh 2015, https://arxiv.org/abs/1411.5726): which of two captions?

48 people each chose, for a pair of captions of one image, the one that is closer to another person's caption
of this image. The four kinds of pair: HC, two correct captions by people; HI, both by people, one of them of
another image; HM, one by a person and one by a machine; MM, both by machines. Files: pair_pascal.mat and
consensus_pascal.mat of the authors' pyCIDErConsensus.

The caption with more votes is the better one; pairs with equal votes are left out. The references are the
first five of the 48. Published figures draw five at random, so that they move by some tenths of a point.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evaluator.agreement.collections.files import in_folder
from evaluator.agreement.judgements import Collection, Judged
from evaluator.core.errors import DataError

KINDS = {1: "HC", 2: "HI", 3: "HM", 4: "MM"}
VOTES = 48
REFERENCES = 5


def pascal50s(path: Path) -> Collection:
    """From the folder with both files, or a folder above it."""
    pairs, votes = (_matrices(path, name) for name in ("pair_pascal.mat", "consensus_pascal.mat"))
    try:
        judged = tuple(_judged(pairs, votes))
    except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: the files are not those of pyCIDErConsensus: {error!r}") from error
    return Collection(
        name="pascal50s",
        judged=judged,
        statistics=("pairwise_accuracy",),
        protocol="the caption with more votes is better, equal votes are left out; the first 5 references",
        recipe="refs:first-5|equal-votes:left-out",
    )


def _judged(pairs: dict[str, Any], votes: dict[str, Any]) -> list[Judged]:
    judged: list[Judged] = []
    rows = zip(pairs["new_input"].ravel(), pairs["category"].ravel(), strict=True)
    for index, (pair, kind) in enumerate(rows):
        image, *captions = (_text(cell) for cell in _cells(pair)[:3])
        triplets = votes["triplets"].ravel()[index * VOTES : (index + 1) * VOTES]
        references, firsts, seconds, choices = zip(*(_cells(triplet) for triplet in triplets), strict=True)
        chosen = [
            _text(first if int(choice.ravel()[0]) == 1 else second)
            for first, second, choice in zip(firsts, seconds, choices, strict=True)
        ]
        judged += [
            Judged(
                image,
                caption,
                tuple(_text(reference) for reference in references[:REFERENCES]),
                (float(chosen.count(caption)),),
                pair=str(index),
                tag=KINDS[int(kind)],
            )
            for caption in captions
        ]
    return judged


def _cells(row: Any) -> list[Any]:
    """The cells of a row: a cell array, or a struct, whose fields scipy gives as one record."""
    cells = row.ravel()
    return list(cells[0]) if cells.dtype.names else list(cells)


def _text(cell: Any) -> str:
    """The text in a MATLAB cell, which scipy wraps in arrays."""
    while hasattr(cell, "ravel"):
        cell = cell.ravel()[0] if cell.shape else cell.item()
    return str(cell).strip()


def _matrices(folder: Path, name: str) -> dict[str, Any]:
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    path = in_folder(folder, name)
    try:
        return dict(loadmat(path))
    except (OSError, ValueError, NotImplementedError, TypeError, MatReadError) as error:
        raise DataError(f"{path}: cannot be read as a MATLAB file: {error}") from error
