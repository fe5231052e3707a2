"""What fails ten times alike before the first caption ends the run."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from evaluator.core import Caption, Outcome
from evaluator.core.errors import ModelError
from evaluator.runner.first_failures import FirstFailures

BAD = [Caption(str(number), Outcome.ERROR, error=f"400: bad picture {number}") for number in range(60)]
EMPTY = [Caption(str(number), Outcome.EMPTY, error="the answer is empty") for number in range(60)]


def recorded(captions: Sequence[Caption], most: int | None = 10) -> int:
    """How many are recorded before the run stops."""
    failures = FirstFailures(most)
    for number, caption in enumerate(captions, 1):
        try:
            failures.count(caption)
        except ModelError:
            return number
    return len(captions)


def test_the_tenth_of_a_kind_ends_it() -> None:
    assert recorded(BAD) == 10
    assert recorded([each for pair in zip(BAD, EMPTY, strict=True) for each in pair]) == 19
    assert recorded(BAD, most=3) == 3


@pytest.mark.parametrize("position", [0, 8])
def test_one_caption_is_enough_to_go_on(position: int) -> None:
    assert recorded([*BAD[:position], Caption("ok", Outcome.OK), *BAD]) == position + 61


def test_a_setting_goes_on() -> None:
    assert recorded(BAD, most=None) == 60


@pytest.mark.parametrize(
    "caption",
    [
        Caption("1", Outcome.SKIPPED, error="the budget is used up"),
        Caption("1", Outcome.MISSING, source="file"),
        Caption("1", Outcome.REFUSED, error="no", source="cache"),
    ],
)
def test_what_says_nothing_of_the_model_does_not_count(caption: Caption) -> None:
    assert recorded([caption] * 60) == 60


def test_it_says_why_and_what_to_type() -> None:
    failures = FirstFailures(1)
    with pytest.raises(ModelError) as raised:
        failures.count(Caption("1", Outcome.ERROR, error="413: Request Entity Too Large"))
    assert str(raised.value) == (
        "the first 1 images have failed in the same way, so the run was stopped. error: 413: Request Entity "
        "Too Large. Type a smaller model.longest_side=... or a smaller model.jpeg_quality=... If the other "
        "images should be tried nevertheless, type runner.stop_after_failures=null"
    )
