"""The table of failures holds for whatever a server sends."""

from __future__ import annotations

import json
import time
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.core import Outcome
from evaluator.core.errors import CaptionError, ModelError, RetryableError
from evaluator.models.failures import (
    LONGEST_MESSAGE,
    failure_from_body,
    failure_from_document,
    meaning,
    retry_after,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "error",
                    "message",
                    "code",
                    "type",
                    "status",
                    "details",
                    "metadata",
                    "param",
                    "retryDelay",
                    "violations",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(status=st.integers(400, 599), document=JSON)
def test_any_document_means_something(status: int, document: object) -> None:
    failure = failure_from_body(status, {}, json.dumps(document))
    error = meaning(failure, "hint")
    assert isinstance(error, CaptionError | ModelError | RetryableError)
    assert len(failure.text) <= LONGEST_MESSAGE
    if isinstance(error, CaptionError):
        assert error.outcome in (Outcome.ERROR, Outcome.BLOCKED)


@given(status=st.integers(400, 599), body=st.text())
def test_any_text_means_something(status: int, body: str) -> None:
    error = meaning(failure_from_body(status, {}, body), "hint")
    assert isinstance(error, CaptionError | ModelError | RetryableError)
    assert (
        isinstance(error, RetryableError) == (status >= 500 or status in (408, 409, 425, 429)) or body.strip()
    )


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-3", None),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("", None),
    ],
)
def test_seconds_to_wait(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}) == seconds


def test_a_wait_said_in_milliseconds_or_as_a_date() -> None:
    assert retry_after({"retry-after-ms": "250", "retry-after": "1"}) == 0.25
    seconds = retry_after({"retry-after": formatdate(time.time() + 100, usegmt=True)})
    assert seconds is not None
    assert 90 < seconds <= 100
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0
    assert retry_after({}) is None


def test_the_longest_of_several_waits_counts() -> None:
    details = [{"retryDelay": "58.8s"}, {"retryDelay": "never"}]
    for header, seconds in (("3", 58.8), ("70", 70.0)):
        failure = failure_from_document(429, {"retry-after": header}, {"error": {"details": details}})
        assert failure.retry_after_seconds == seconds


def test_a_very_long_message_is_shortened() -> None:
    said = failure_from_body(500, {}, "x" * 10_000).text
    assert len(said) == LONGEST_MESSAGE
    assert said.endswith("...")


def test_google_s_list_around_an_error() -> None:
    body = '[{"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}]'
    assert failure_from_body(503, {}, body).text == "503 UNAVAILABLE: overloaded"


ODD = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.just("\ud83d")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["error", "message", "details", "violations", "retryDelay", "metadata", "reasons"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=10,
)


@given(
    status=st.integers(300, 999),
    body=st.binary() | ODD.map(lambda document: json.dumps(document).encode()),
    header=st.text(max_size=30),
)
def test_any_error_has_a_meaning(status: int, body: bytes, header: str) -> None:
    failure = failure_from_body(status, {"retry-after": header, "location": header}, body)
    assert len(failure.text) <= 400
    assert str(meaning(failure, "hint"))
