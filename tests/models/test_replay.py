"""Captions made elsewhere: what the file says is what the run says, whatever it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluator.core import Caption, Item, Outcome, Prompt
from evaluator.core.errors import DataError
from evaluator.models.replay import Replay
from evaluator.runner.default import DefaultRunner

ODD = {
    "1": "",
    "2": "two\nlines\r\nand a\u2028third",
    "3": "a cat \N{CAT FACE} and a NUL \0",
    "4": "word " * 10_000,
    "5": "a lone \ud800 surrogate",
}


def captions_file(path: Path, captions: dict[str, str]) -> Path:
    path.write_text(json.dumps([{"image_id": int(k), "caption": v} for k, v in captions.items()]))
    return path


def replayed(path: Path, items: list[Item]) -> dict[str, Caption]:
    captions: list[Caption] = []
    DefaultRunner(batch_size=2).run(Replay(path), Prompt("none"), items, captions.append)
    return {caption.item_id: caption for caption in captions}


def test_captions_arrive_unchanged(tmp_path: Path) -> None:
    captions = replayed(captions_file(tmp_path / "c.json", ODD), [Item(key, None) for key in ODD])
    assert {key: caption.text for key, caption in captions.items()} == ODD
    assert {caption.outcome for caption in captions.values()} == {Outcome.OK}
    assert all(
        (caption.source, caption.seconds) == ("file", 0.0) and caption.reply for caption in captions.values()
    )


def test_an_image_that_the_file_lacks_is_missing(tmp_path: Path) -> None:
    captions = replayed(
        captions_file(tmp_path / "c.json", {"1": "a dog"}), [Item("1", None), Item("2", None)]
    )
    assert (captions["1"].outcome, captions["2"].outcome) == (Outcome.OK, Outcome.MISSING)
    assert captions["2"].text is None
    assert "no caption for this image" in captions["2"].error


def test_captions_for_unknown_images(tmp_path: Path) -> None:
    replay = Replay(captions_file(tmp_path / "c.json", {"1": "a dog", "99": "a cat"}))
    (warning,) = replay.check(Prompt("none"), [Item("1", None)])
    assert "1 of 2 captions are for images outside the data set, such as '99'" in warning
    assert not replay.check(Prompt("none"), [Item("1", None), Item("99", None)])
    with pytest.raises(DataError, match="for an image of the data set"):
        replay.check(Prompt("none"), [Item("5", None)])
