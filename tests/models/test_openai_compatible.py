"""Chat completions: what each server says in its own way, and what becomes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evaluator.core import Outcome, Reply
from evaluator.core.errors import CaptionError, ModelError, RetryableError
from tests.models.backends import ask, captioner, outcome_of
from tests.provider_server import ProviderServer
from tests.wire_formats import Answer, document, error, said


def openai(server: ProviderServer, photo: Path, answer: Answer) -> Any:
    return outcome_of("openai", server, photo, answer)


@pytest.mark.parametrize(
    ("answer", "outcome", "said_of_it"),
    [
        (said("openai", None, refusal="I cannot help with that"), Outcome.REFUSED, "I cannot help"),
        (said("openai", None, "content_filter"), Outcome.BLOCKED, "content_filter"),
        (
            said(
                "openai",
                None,
                "content_filter",
                content_filter_results={"violence": {"filtered": True}, "hate": {"filtered": False}},
            ),
            Outcome.BLOCKED,
            "(violence)",
        ),
        (said("openai", "a dog on a", "length"), Outcome.TRUNCATED, "cut off"),
        (said("openai", "", "length"), Outcome.EMPTY, "5 of them for reasoning"),
        (said("openai", ""), Outcome.EMPTY, "empty"),
        (said("openai", None), Outcome.EMPTY, "empty"),
        (Answer(body=document("openai", "a") | {"choices": []}), Outcome.EMPTY, "empty"),
        (said("openai", None, "tool_calls"), Outcome.ERROR, "tool_calls"),
        (said("openai", "a dog", "brand_new"), Outcome.ERROR, "brand_new"),
        (error("openai", 400, "content_policy_violation", "our safety system"), Outcome.BLOCKED, "policy"),
        (error("openai", 400, "invalid_prompt", "your prompt was flagged"), Outcome.BLOCKED, "flagged"),
        (
            error("openai", 400, "content_filter", "Azure's content management policy"),
            Outcome.BLOCKED,
            "Azure",
        ),
        (
            error("openai", 403, message="input was flagged", metadata={"reasons": ["violence"]}),
            Outcome.BLOCKED,
            "flagged",
        ),
        (error("openai", 400, "invalid_image_format", "no image"), Outcome.ERROR, "no image"),
        (error("openai", 400, "x", "too small", param="messages[0].content[0]"), Outcome.ERROR, "too small"),
        (error("openai", 413, message="too large"), Outcome.ERROR, "too large"),
    ],
)
def test_what_is_final_for_its_image(
    answer: Answer, outcome: Outcome, said_of_it: str, server: ProviderServer, photo: Path
) -> None:
    found = openai(server, photo, answer)
    assert isinstance(found, CaptionError), found
    assert found.outcome is outcome
    assert said_of_it in str(found)
    if answer.status == 200:
        assert found.reply is not None
        assert found.reply.output_tokens == 12  # it was paid for


@pytest.mark.parametrize(
    ("answer", "said_of_it"),
    [
        (error("openai", 401, "invalid_api_key"), "OPENAI_API_KEY"),
        (error("openai", 403, "unsupported_country"), "rejects the key"),
        (error("openai", 402, message="Insufficient credits"), "no credit"),
        (error("openai", 429, "insufficient_quota"), "no credit"),
        (error("openai", 429, "billing_hard_limit_reached"), "no credit"),
        (
            error("openai", 429, "rate_limit_exceeded", "Rate limit reached on requests per day (RPD): 200"),
            "daily quota",
        ),
        (error("openai", 429, message="Rate limit exceeded: free-models-per-day"), "daily quota"),
        (error("openai", 404, "model_not_found"), "The model does not exist"),
        (Answer(404, "404 page not found", content_type="text/plain"), "model.base_url is wrong"),
        (Answer(404, {"error": "model 'llava' not found"}), "model 'llava' not found"),
        (
            Answer(404, {"object": "error", "message": "The model does not exist", "code": 404}),
            "does not exist",
        ),
        (error("openai", 400, "unsupported_parameter", "use another", param="max_tokens"), "this option"),
    ],
)
def test_what_ends_the_run(answer: Answer, said_of_it: str, server: ProviderServer, photo: Path) -> None:
    found = openai(server, photo, answer)
    assert isinstance(found, ModelError), found
    assert said_of_it in str(found)


@pytest.mark.parametrize(
    ("failed", "kind"),
    [
        ({"code": 502, "message": "the provider is down"}, RetryableError),
        ({"message": "something else"}, RetryableError),
        ({"code": 429, "message": "slower"}, RetryableError),
        ({"code": 402, "message": "Insufficient credits"}, ModelError),
        ({"code": 403, "message": "your input was flagged"}, CaptionError),
    ],
)
@pytest.mark.parametrize("place", ["answer", "choice"])
def test_an_error_within_an_answer_that_is_200(
    failed: dict[str, Any], kind: type[Exception], place: str, server: ProviderServer, photo: Path
) -> None:
    body = {"error": failed}
    if place == "choice":
        body = document("openai", None, "error", error=failed)
    assert isinstance(openai(server, photo, Answer(body=body)), kind)


@pytest.mark.parametrize(
    "body",
    [
        {"choices": [{"message": {"content": "a dog"}, "finish_reason": "stop"}]},
        {"choices": [{"message": {"content": [{"type": "text", "text": "a dog"}]}, "finish_reason": None}]},
        {"choices": [{"message": {"content": "a dog"}, "finish_reason": "eos_token"}], "usage": None},
    ],
)
def test_servers_that_say_less_or_otherwise(body: Any, server: ProviderServer, photo: Path) -> None:
    found = openai(server, photo, Answer(body=body))
    assert isinstance(found, Reply), found
    assert (found.text, found.input_tokens) == ("a dog", None)


def test_what_is_set_is_sent_and_no_more(server: ProviderServer, photo: Path) -> None:
    ask(captioner("openai", server), photo)
    assert server.requests[0].document.keys() == {"model", "messages", "max_tokens"}
    assert server.requests[0].document["messages"][1]["content"][0]["image_url"].keys() == {"url"}
    options = {
        "temperature": 0.0,
        "seed": 0,
        "detail": "low",
        "max_tokens_name": "max_completion_tokens",
        "reasoning_effort": "none",
        "extra_body": {"top_k": 1},
    }
    ask(captioner("openai", server, **options), photo)
    asked = server.requests[1].document
    assert {name: asked[name] for name in asked.keys() - {"model", "messages"}} == {
        "temperature": 0.0,
        "seed": 0,
        "max_completion_tokens": 100,
        "reasoning_effort": "none",
        "top_k": 1,
    }
    assert asked["messages"][1]["content"][0]["image_url"]["detail"] == "low"
