"""Failures that are alike are counted together, and others are not."""

from __future__ import annotations

import doctest
from collections.abc import Sequence

import pytest

from evaluator.core import Caption, Outcome, reasons
from evaluator.core.reasons import failure_reasons


def failed(*messages: str, outcome: Outcome = Outcome.ERROR, ids: Sequence[str] = ()) -> list[Caption]:
    names = ids or [str(number) for number in range(len(messages))]
    return [Caption(name, outcome, error=message) for name, message in zip(names, messages, strict=True)]


def test_its_examples() -> None:
    assert doctest.testmod(reasons).failed == 0


@pytest.mark.parametrize(
    "messages",
    [
        ("pictures/kitchen cat.jpg: the file is empty", "pictures/dog.png: the file is empty"),
        ("C:\\pictures\\a.jpg: there is no such file", "C:\\pictures\\b.jpg: there is no such file"),
        ("timeout (8 attempts): no answer within 120 s", "timeout (3 attempts): no answer within 5 s"),
        ("400: requested 3120 tokens (request req_01Ab)", "400: requested 2999 tokens (request req_9xYz)"),
        ("cut off after 8192 tokens", "cut off after 12 tokens"),
    ],
)
def test_numbers_and_names_make_no_difference(messages: tuple[str, ...]) -> None:
    (reason,) = failure_reasons(failed(*messages))
    assert (reason.count, reason.message) == (2, messages[0])


def test_an_id_within_a_message_makes_no_difference() -> None:
    ids = ["kitchen", "81", "garden"]
    messages = [f"image {name} has no picture: 8192 bytes" for name in ids]
    (reason,) = failure_reasons(failed(*messages, ids=ids))
    assert reason.examples == ("kitchen", "81", "garden")


def test_other_words_and_other_outcomes_are_other_reasons_the_most_frequent_first() -> None:
    captions = [
        *failed("HTTP 500: bad gateway"),
        *failed("HTTP 400: bad picture", "HTTP 400: bad picture"),
        *failed("HTTP 400: bad picture", outcome=Outcome.BLOCKED),
        Caption("ok", Outcome.OK),
    ]
    assert [(reason.outcome, reason.count) for reason in failure_reasons(captions)] == [
        (Outcome.ERROR, 2),
        (Outcome.ERROR, 1),
        (Outcome.BLOCKED, 1),
    ]


@pytest.mark.parametrize(
    ("outcome", "message", "said"),
    [
        (Outcome.ERROR, "400: This model's maximum context length is 2048 tokens", "model.longest_side"),
        (Outcome.ERROR, "400: prompt is too long: 210000 tokens > 200000 maximum", "model.longest_side"),
        (Outcome.ERROR, "400: At most 0 image(s) may be provided", "takes no pictures"),
        (Outcome.ERROR, "404: No endpoints found that support image input", "takes no pictures"),
        (Outcome.ERROR, "500: model does not support images", "takes no pictures"),
        (Outcome.ERROR, "413: a web page instead of an answer", "model.longest_side"),
        (Outcome.ERROR, "400: image exceeds 5 MB maximum", "model.longest_side"),
        (Outcome.ERROR, "400 INVALID_ARGUMENT: Unable to process input image.", "convert it to JPEG"),
        (Outcome.ERROR, "400: Could not process image", "convert it to JPEG"),
        (Outcome.ERROR, "val/1.jpg: there is no such file", "data.images=DIR"),
        (Outcome.ERROR, "timeout (8 attempts): no answer within 120 s", "attempt_seconds"),
        (Outcome.ERROR, "rate limit (8 attempts): 429: slow down", "per_minute"),
        (Outcome.SKIPPED, "the budget is used up", "budget_usd"),
        (Outcome.TRUNCATED, "cut off after 64 tokens (length)", "max_output_tokens"),
        (Outcome.EMPTY, "it is empty. Type model.max_output_tokens=2048", ""),
        (Outcome.ERROR, "something nobody has seen", ""),
    ],
)
def test_advice_fits_the_reason(outcome: Outcome, message: str, said: str) -> None:
    (reason,) = failure_reasons(failed(message, outcome=outcome))
    assert said in reason.advice
    assert bool(reason.advice) == bool(said)


@pytest.mark.parametrize(
    ("outcome", "message", "may_pass"),
    [
        (Outcome.ERROR, "rate limit (8 attempts): 429", True),
        (Outcome.ERROR, "connection (2 attempts): it broke", True),
        (Outcome.ERROR, "400: bad picture", False),
        (Outcome.ERROR, "a.jpg: there is no such file", False),
        (Outcome.SKIPPED, "the budget is used up", False),
        (Outcome.REFUSED, "no", False),
    ],
)
def test_what_the_same_command_can_still_get(outcome: Outcome, message: str, may_pass: bool) -> None:
    (reason,) = failure_reasons(failed(message, outcome=outcome))
    assert reason.may_pass == may_pass
