"""From the text of an answer to a reply: nothing that a server sends can break it, or pass for a caption."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluator.core import Outcome, Reply
from evaluator.core.errors import CaptionError, EvaluatorError, RetryableError
from evaluator.models.answers import NUMBER_LIMIT
from evaluator.models.anthropic_claude import AnthropicClaude
from evaluator.models.cloud import CloudSession
from evaluator.models.gemini import Gemini
from evaluator.models.openai_compatible import OpenAICompatible
from evaluator.models.wire import text_of
from tests.models.backends import PROMPT
from tests.wire_formats import KEY, document

CAPTIONERS = {"openai": OpenAICompatible, "anthropic": AnthropicClaude, "gemini": Gemini}
providers = pytest.mark.parametrize("provider", CAPTIONERS)

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from([10**9, 10**400, -1, 1e308, "\ud83d", KEY, "stop", "length", "refusal", "SAFETY"]),
    st.text(),
    st.lists(st.one_of(st.none(), st.text(), st.integers()), max_size=2),
    st.dictionaries(st.sampled_from(["text", "error", "type", "id", "blocked"]), st.text(), max_size=2),
)
JSON = st.recursive(
    ODD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=10,
)


def session_of(provider: str) -> CloudSession[Any]:
    captioner = CAPTIONERS[provider](
        model="m", base_url="http://localhost", max_output_tokens=9, longest_side=64, key_variable="A_KEY"
    )
    return captioner.session(captioner, PROMPT, KEY)


def read(provider: str, body: str | Mapping[str, Any]) -> Reply | EvaluatorError:
    """What the boundary makes of a body; anything but one of our errors fails the test."""
    try:
        return session_of(provider).reply_in(body if isinstance(body, str) else json.dumps(body))
    except EvaluatorError as error:
        return error


def check(found: Reply | EvaluatorError) -> None:
    """What holds for a reply or an error, whatever was sent."""
    reply = found if isinstance(found, Reply) else getattr(found, "reply", None)
    said = "" if isinstance(found, Reply) else str(found)
    if reply is not None:
        texts = (reply.text, reply.model_version, reply.finish_reason)
        assert all(type(each) is str for each in texts)
        said += "".join(texts)
        numbers = (reply.input_tokens, reply.output_tokens, reply.reasoning_tokens, reply.cached_input_tokens)
        assert all(each is None or (type(each) is int and 0 <= each < NUMBER_LIMIT) for each in numbers)
        assert reply.cached_input_tokens is None or reply.cached_input_tokens <= (reply.input_tokens or 0)
        assert reply.reasoning_tokens is None or reply.reasoning_tokens <= (reply.output_tokens or 0)
    said.encode()  # no lone surrogates
    assert KEY.lower() not in said.lower()
    assert not isinstance(found, Reply) or found.text


@providers
@given(body=st.binary())
def test_arbitrary_bytes(provider: str, body: bytes) -> None:
    found = read(provider, text_of(body))
    check(found)
    assert not isinstance(found, Reply)


@providers
@given(body=JSON)
def test_arbitrary_json(provider: str, body: Any) -> None:
    found = read(provider, json.dumps(body))
    check(found)
    assert not isinstance(found, Reply)


@providers
@settings(max_examples=100)
@given(data=st.data())
def test_an_answer_with_any_value_in_any_place(provider: str, data: st.DataObject) -> None:
    answer = document(provider, "a dog")
    for _ in range(data.draw(st.integers(1, 3))):
        data.draw(st.sampled_from(places(answer)))(data.draw(ODD))
    found = read(provider, json.dumps(answer))
    check(found)
    if isinstance(found, Reply):  # what is a caption stood as a text in the answer
        assert found.text in texts_of(answer)


def places(value: Any) -> list[Any]:
    """A function for each place in a document, which puts another value there."""
    found = []
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            found += [lambda new, key=key: value.__setitem__(key, new), *places(value[key])]
    return found or [lambda new: None]


def texts_of(value: Any) -> set[str]:
    """Each text in a document as a caption shows it."""
    if isinstance(value, str):
        return {re.sub("[\ud800-\udfff]", "�", value).strip().replace(KEY, "***")}
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return set().union(*map(texts_of, parts))


@providers
@pytest.mark.parametrize("opening", ["[", '{"a":', '{"choices":[{"message":{"content":'])
def test_deep_nesting_is_one_image_s_error(provider: str, opening: str) -> None:
    found = read(provider, opening * 200_000)
    assert isinstance(found, RetryableError)
    assert (found.kind, found.most_attempts) == ("malformed answer", 2)
    assert found.reply is not None
    assert found.reply.text == (opening * 200_000)[:2000]


@providers
@pytest.mark.parametrize("content", [{"error": "overloaded"}, 503, True, 0.5, [5], [{"text": 5}], [[]]])
def test_what_is_no_text_is_no_caption(provider: str, content: Any) -> None:
    """The usage is kept, since the answer was billed."""
    found = read(provider, with_content(provider, content))
    assert isinstance(found, RetryableError), found
    assert (found.kind, found.most_attempts) == ("malformed answer", 2)
    assert found.reply is not None
    assert (found.reply.input_tokens, found.reply.output_tokens) == (1000, 12)


def with_content(provider: str, content: Any) -> dict[str, Any]:
    if provider != "openai":
        return with_parts(provider, [{"type": "text", "text": content}])
    return with_parts(provider, content)


def with_parts(provider: str, parts: Any) -> dict[str, Any]:
    answer = document(provider, "")
    match provider:
        case "openai":
            answer["choices"][0]["message"]["content"] = parts
        case "anthropic":
            answer["content"] = parts
        case _:
            answer["candidates"][0]["content"]["parts"] = parts
    return answer


@providers
@pytest.mark.parametrize("usage", [None, "much", [1], {}, 7])
def test_a_caption_with_an_odd_usage_is_a_caption(provider: str, usage: Any) -> None:
    name = "usageMetadata" if provider == "gemini" else "usage"
    found = read(provider, document(provider, "a dog") | {name: usage})
    assert isinstance(found, Reply), found
    assert (found.text, found.input_tokens, found.output_tokens) == ("a dog", None, None)


INPUT = {"openai": "prompt_tokens", "anthropic": "input_tokens", "gemini": "promptTokenCount"}


@providers
@pytest.mark.parametrize("tokens", [-5, float("nan"), float("inf"), 10**9, 10**400, True, "12", 1.5, [1]])
def test_a_number_that_cannot_be_true_is_none(provider: str, tokens: Any) -> None:
    answer = document(provider, "a dog")
    answer["usageMetadata" if provider == "gemini" else "usage"][INPUT[provider]] = tokens
    found = read(provider, answer)
    assert isinstance(found, Reply), found
    assert (found.input_tokens, found.cached_input_tokens) == (None, None)


@providers
def test_more_cached_than_sent_is_none(provider: str) -> None:
    answer = document(provider, "a dog")
    if provider == "anthropic":  # which counts them apart
        answer["usage"]["input_tokens"] = None
    else:
        answer["usageMetadata" if provider == "gemini" else "usage"][INPUT[provider]] = 100
    found = read(provider, answer)
    assert isinstance(found, Reply)
    assert found.cached_input_tokens is None


@providers
def test_half_a_surrogate_pair_is_replaced_and_a_split_pair_is_joined(provider: str) -> None:
    found = read(provider, document(provider, "a \ud83d dog"))
    assert isinstance(found, Reply)
    assert found.text == "a � dog"
    parts = [{"type": "text", "text": "a \ud83d"}, {"type": "text", "text": "\udc36"}]
    answer = with_parts(provider, parts)
    found = read(provider, answer)
    assert isinstance(found, Reply)
    assert found.text == "a 🐶"


def test_half_a_surrogate_pair_in_a_refusal() -> None:
    found = read("openai", document("openai", None, refusal="no \udc00"))
    assert isinstance(found, CaptionError)
    assert (found.outcome, str(found)) == (Outcome.REFUSED, "refused: no �")


@providers
def test_a_key_is_masked_after_its_parts_are_joined(provider: str) -> None:
    halves = [{"type": "text", "text": f"the key {KEY[:9]}"}, {"type": "text", "text": KEY[9:]}]
    answer = with_parts(provider, halves)
    found = read(provider, answer)
    assert isinstance(found, Reply)
    assert found.text == "the key ***"
    escaped = json.dumps(document(provider, KEY)).replace(KEY, "".join(f"\\u{ord(c):04x}" for c in KEY))
    found = read(provider, escaped)
    assert isinstance(found, Reply)
    assert found.text == "***"
    found = read(provider, f'{{"{"x" * 190}": "{escaped}"')  # where the message is cut
    assert isinstance(found, RetryableError)
    assert "\\u00" not in str(found)


def test_an_id_that_all_answers_share_is_used_no_more() -> None:
    session = session_of("openai")
    answers = [json.dumps(document("openai", text) | {"id": "same"}) for text in ("a dog", "a cat", "a dog")]
    assert [session.reply_in(answer).text for answer in answers[:2]] == ["a dog", "a cat"]
    with pytest.raises(RetryableError, match="delivered twice") as raised:
        session.reply_in(answers[2])
    assert raised.value.reply is not None
    assert raised.value.reply.output_tokens == 12
    assert [session.reply_in(answers[2]).text for _ in range(3)] == ["a dog"] * 3
