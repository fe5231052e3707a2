"""A caption of the demo models does not depend on how it was made: batches, workers, processes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evaluator.config.run_config import run_configs
from evaluator.core import Caption, Outcome
from evaluator.runner.default import DefaultRunner
from evaluator.runner.picture_workers import CAN_FORK

pytest.importorskip("torch")

IMAGES = 14


def captions(model: str, **options: object) -> tuple[dict[str, str], set[Outcome]]:
    """The texts by item; the outcome of each item that has none."""
    (config,) = run_configs([f"model={model}", "data=demo"])
    items = list(config.data.load())[:IMAGES]
    items.insert(7, replace(items[0], id="missing", image=items[0].image.with_name("none.png")))  # type: ignore[union-attr]
    found: list[Caption] = []
    DefaultRunner(**options).run(config.model, config.prompt, items, found.append)  # type: ignore[arg-type]
    assert sorted(caption.item_id for caption in found) == sorted(item.id for item in items)
    return {each.item_id: each.text for each in found if each.text}, {
        each.outcome for each in found if not each.text
    }


@pytest.mark.parametrize("model", ["tiny-git", "tiny-blip", "tiny-blip2"])
def test_captions_are_the_same_however_they_are_made(model: str) -> None:
    texts, failures = expected = captions(model, batch_size=1, decode_in="threads", decode_workers=1)
    assert len(texts) == IMAGES
    assert failures == {Outcome.ERROR}
    assert captions(model, batch_size=7, decode_in="threads", decode_workers=3) == expected
    assert captions(model, batch_size=32) == expected
    if CAN_FORK:
        assert captions(model, batch_size=5, decode_in="processes", decode_workers=2) == expected


def test_captions_of_two_processes_are_those_of_one() -> None:
    expected = captions("tiny-git")
    assert captions("tiny-git", batch_size=4, devices="cpu*2") == expected
