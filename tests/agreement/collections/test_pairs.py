"""Pascal-50S and FOIL, whose people chose between two captions: files of exactly their form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from evaluator.agreement.collections.foil import foil
from evaluator.agreement.collections.pascal50s import VOTES, pascal50s
from evaluator.agreement.trust import trust
from evaluator.core.errors import DataError


def cell(value: str | int) -> Any:
    return np.array([[value]], object) if isinstance(value, str) else np.array([[value]])


def records(rows: list[tuple[Any, ...]], names: str) -> Any:
    """A MATLAB struct array with these fields."""
    array = np.empty((1, len(rows)), dtype=[(name, object) for name in names.split()])
    for index, row in enumerate(rows):
        array[0, index] = row
    return array


@pytest.fixture
def pascal(tmp_path: Path) -> Path:
    """Two pairs of one image: 40 of 48 people prefer the first caption, then all of them the second."""
    folder = tmp_path / "pyCIDErConsensus"
    folder.mkdir()
    pairs = [("1.jpg", "a dog runs", "a bus "), ("1.jpg", "a cat", "a brown dog")]
    votes = [1] * 40 + [-1] * 8 + [-1] * VOTES
    triplets = [
        (
            cell(f"a dog number {index % VOTES}"),
            *(cell(text) for text in pairs[index // VOTES][1:]),
            cell(vote),
        )
        for index, vote in enumerate(votes)
    ]
    savemat(
        folder / "pair_pascal.mat",
        {
            "new_input": records(pairs, "image first second"),
            "category": np.array([[1, 4]]),
        },
    )
    savemat(folder / "consensus_pascal.mat", {"triplets": records(triplets, "a b c winner")})
    return tmp_path


def test_pascal_50s(pascal: Path) -> None:
    collection = pascal50s(pascal)
    assert [(one.caption, one.rating, one.pair, one.tag) for one in collection.judged] == [
        ("a dog runs", 40, "0", "HC"),
        ("a bus", 8, "0", "HC"),
        ("a cat", 0, "1", "MM"),
        ("a brown dog", 48, "1", "MM"),
    ]
    assert collection.judged[0].references == tuple(f"a dog number {number}" for number in range(5))
    [found] = trust("BLEU", collection, resamples=2)
    assert {one.metric: one.value for one in found.agreements}["BLEU-1"] == 1.0


def test_the_kinds_of_pairs_have_figures_of_their_own(pascal: Path) -> None:
    [found] = trust("BLEU", pascal50s(pascal), resamples=2)
    assert {one.collection for one in found.agreements} == {"pascal50s", "pascal50s:HC", "pascal50s:MM"}


def test_other_matlab_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"not a folder with pair_pascal.mat"):
        pascal50s(tmp_path)
    for name in ("pair_pascal.mat", "consensus_pascal.mat"):
        savemat(tmp_path / name, {"other": np.zeros(3)})
    with pytest.raises(DataError, match="not those of pyCIDErConsensus"):
        pascal50s(tmp_path)
    (tmp_path / "pair_pascal.mat").write_bytes(b"no matrix at all")
    with pytest.raises(DataError, match="cannot be read as a MATLAB file"):
        pascal50s(tmp_path)


def test_foil(tmp_path: Path) -> None:
    captions = ["a dog on a bed", "a puppy on a bed", "a dog sleeps"]
    foils = [
        {"id": 7, "image_id": 1, "caption": "a dog on a bed", "foil": False, "target_word": "ORIG"},
        {"id": 7, "image_id": 1, "caption": "a cat on a bed", "foil": True, "target_word": "dog"},
    ]
    (tmp_path / "foilv1.0_test_2017.json").write_text(json.dumps({"annotations": foils}))
    (tmp_path / "captions_val2014.json").write_text(
        json.dumps(
            {"annotations": [{"image_id": 1, "id": n, "caption": text} for n, text in enumerate(captions)]}
        )
    )
    collection = foil(tmp_path)
    assert [(one.caption, one.rating, one.references) for one in collection.judged] == [
        ("a dog on a bed", 1.0, ("a puppy on a bed", "a dog sleeps")),
        ("a cat on a bed", 0.0, ("a puppy on a bed", "a dog sleeps")),
    ]
    [found] = trust("BLEU", collection, resamples=2)
    assert {one.metric: one.value for one in found.agreements}["BLEU-1"] == 1.0
