"""Claude's stop reasons and errors, and what becomes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from evaluator.core import Outcome, Prompt, Reply
from evaluator.core.errors import CaptionError, ModelError
from tests.models.backends import ask, captioner, outcome_of
from tests.provider_server import ProviderServer
from tests.wire_formats import Answer, document, error, said


def claude(server: ProviderServer, photo: Path, answer: Answer) -> Any:
    return outcome_of("anthropic", server, photo, answer)


REFUSAL = {"type": "refusal", "category": "bio", "explanation": "not this"}


@pytest.mark.parametrize(
    ("answer", "outcome", "said_of_it"),
    [
        (said("anthropic", None, "refusal", stop_details=REFUSAL), Outcome.REFUSED, "refused: bio not this"),
        (said("anthropic", None, "refusal"), Outcome.REFUSED, "no category named"),
        (said("anthropic", "a dog on a", "max_tokens"), Outcome.TRUNCATED, "cut off after 12 tokens"),
        (said("anthropic", "a dog", "model_context_window_exceeded"), Outcome.TRUNCATED, "context_window"),
        (said("anthropic", None, "max_tokens"), Outcome.EMPTY, "5 of them for reasoning"),
        (said("anthropic", None), Outcome.EMPTY, "empty"),
        (said("anthropic", "a dog", "pause_turn"), Outcome.ERROR, "pause_turn"),
        (said("anthropic", "a dog", "brand_new"), Outcome.ERROR, "brand_new"),
        (
            error("anthropic", 400, "invalid_request_error", "Output blocked by content filtering policy"),
            Outcome.BLOCKED,
            "content filtering policy",
        ),
        (
            error("anthropic", 400, "invalid_request_error", "messages.0.content.0.image: exceeds 5 MB"),
            Outcome.ERROR,
            "exceeds 5 MB",
        ),
        (error("anthropic", 413, "request_too_large"), Outcome.ERROR, "request_too_large"),
    ],
)
def test_what_is_final_for_its_image(
    answer: Answer, outcome: Outcome, said_of_it: str, server: ProviderServer, photo: Path
) -> None:
    found = claude(server, photo, answer)
    assert isinstance(found, CaptionError), found
    assert found.outcome is outcome
    assert said_of_it in str(found)
    if answer.status == 200:
        assert found.reply is not None
        assert found.reply.output_tokens == 12  # it was paid for


@pytest.mark.parametrize(
    ("answer", "said_of_it"),
    [
        (error("anthropic", 401, "authentication_error"), "ANTHROPIC_API_KEY"),
        (error("anthropic", 403, "permission_error"), "rejects the key"),
        (error("anthropic", 402, "billing_error"), "no credit"),
        (
            error(
                "anthropic", 400, "invalid_request_error", "Your credit balance is too low to access the API"
            ),
            "no credit",
        ),
        (
            error(
                "anthropic", 400, "invalid_request_error", "You have reached your specified API usage limits"
            ),
            "no credit",
        ),
        (
            error(
                "anthropic", 429, "rate_limit_error", details={"error_code": "enforced_spend_limit_reached"}
            ),
            "no credit",
        ),
        (error("anthropic", 429, "rate_limit_error", "your daily rate limit"), "daily quota"),
        (error("anthropic", 404, "not_found_error", "model: claude-0"), "The model does not exist"),
        (
            error("anthropic", 400, "invalid_request_error", "temperature: not supported by this model"),
            "rejects this option",
        ),
    ],
)
def test_what_ends_the_run(answer: Answer, said_of_it: str, server: ProviderServer, photo: Path) -> None:
    found = claude(server, photo, answer)
    assert isinstance(found, ModelError), found
    assert said_of_it in str(found)


def test_thoughts_are_no_part_of_the_caption(server: ProviderServer, photo: Path) -> None:
    body = document("anthropic", "a dog")
    body["content"].insert(0, {"type": "thinking", "thinking": "I see fur.", "signature": "x"})
    found = claude(server, photo, Answer(body=body))
    assert isinstance(found, Reply)
    assert found.text == "a dog"


def test_what_was_written_to_the_cache_is_input_too(server: ProviderServer, photo: Path) -> None:
    body = document("anthropic", "a dog")
    body["usage"]["cache_creation_input_tokens"] = 50
    found = claude(server, photo, Answer(body=body))
    assert (found.input_tokens, found.cached_input_tokens) == (1050, 200)


def test_what_is_set_is_sent_and_no_more(server: ProviderServer, photo: Path) -> None:
    ask(captioner("anthropic", server), photo)
    assert server.requests[0].document.keys() == {"model", "messages", "max_tokens", "system"}
    assert [block["type"] for block in server.requests[0].document["messages"][0]["content"]] == [
        "image",
        "text",
    ]
    options = {"temperature": 0.0, "thinking": "adaptive", "effort": "low", "extra_body": {"top_k": 1}}
    ask(captioner("anthropic", server, **options), photo)
    asked = server.requests[1].document
    assert asked["thinking"] == {"type": "adaptive"}
    assert asked["output_config"] == {"effort": "low"}
    assert (asked["temperature"], asked["top_k"]) == (0.0, 1)


def test_a_picture_above_the_limit_is_made_smaller(server: ProviderServer, tmp_path: Path) -> None:
    Image.fromarray(np.zeros((30, 2000, 3), dtype=np.uint8)).save(tmp_path / "wide.png")
    server.keep_requests = True
    (found,) = ask(captioner("anthropic", server, longest_side=1568), tmp_path / "wide.png")
    assert isinstance(found, Reply)
    source = server.requests[0].document["messages"][0]["content"][0]["source"]
    assert source["media_type"] == "image/jpeg"


@pytest.mark.parametrize(
    ("options", "warns"),
    [({}, True), ({"max_output_tokens": 2048}, False), ({"thinking": "disabled"}, False)],
)
def test_a_small_limit_with_thinking_is_warned_of(
    options: dict[str, Any], warns: bool, server: ProviderServer
) -> None:
    warnings = captioner("anthropic", server, **options).check(Prompt("p", "Describe it."), [])
    assert len(warnings) == warns
