"""Captions made elsewhere: what the file says is what the run says, whatever it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from evaluator.core import Caption, Item, Outcome, Prompt
from evaluator.core.errors import DataError
from evaluator.models.replay import Replay
from evaluator.runner.default import DefaultRunner
from evaluator.scorers.bleu import BLEU

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


def replayed(path: Path, items: list[Item], batch_size: int = 2) -> dict[str, Caption]:
    captions: list[Caption] = []
    DefaultRunner(batch_size=batch_size).run(Replay(path), Prompt("none"), items, captions.append)
    return {caption.item_id: caption for caption in captions}


def test_captions_arrive_unchanged(tmp_path: Path) -> None:
    captions = replayed(captions_file(tmp_path / "c.json", ODD), [Item(key, None) for key in ODD])
    assert {key: caption.text for key, caption in captions.items()} == ODD
    assert {caption.outcome for caption in captions.values()} == {Outcome.OK}
    assert all(
        (caption.source, caption.seconds) == ("file", 0.0) and caption.reply for caption in captions.values()
    )


# Reasoning as models write it: short, of several paragraphs, none at all, and with the caption itself in it.
REASONING = [
    "<think>I see it.</think>{}",
    "<think>\nFirst, the picture.\n\nThen: {0}\n</think>\n\n{0}",
    "<think></think>\n{}",
    "  <think>It could be '{0}' <b>or</b> 1 < 2.</think> {0}",
]


def test_reasoning_before_5000_real_captions_changes_no_score(
    published: Callable[[str], tuple[list[Item], list[str]]], tmp_path: Path
) -> None:
    """Every caption is the same text with and without reasoning before it: BLEU is looked at for 500."""
    items, captions = published("minigpt4_vicuna7b_zeroshot")
    plain = {item.id: text for item, text in zip(items, captions, strict=True)}
    thought = {
        item_id: REASONING[number % len(REASONING)].format(text)
        for number, (item_id, text) in enumerate(plain.items())
    }
    before = replayed(captions_file(tmp_path / "plain.json", plain), items, 500)
    after = replayed(captions_file(tmp_path / "thought.json", thought), items, 500)
    assert len(after) == 5000
    assert {caption.outcome for caption in after.values()} == {Outcome.OK}
    shown = {item_id: caption.text for item_id, caption in after.items()}
    assert shown == {item_id: (caption.text or "").strip() for item_id, caption in before.items()}
    assert all(caption.reply and caption.reply.whole_text == thought[key] for key, caption in after.items())
    scores = [
        BLEU().score(items[:500], [run[item.id].text or "" for item in items[:500]])[3].statistics
        for run in (before, after)
    ]
    assert np.array_equal(*scores)


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
