"""Every reason for which Gemini gives no caption, by both of Google's packages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from evaluator.core import Outcome, Prompt, Reply
from evaluator.core.errors import CaptionError, ConfigError, ModelError, RetryableError
from evaluator.models.gemini import WITHHELD, Gemini
from tests.models.backends import ask, captioner, outcome_of
from tests.provider_server import ProviderServer
from tests.wire_formats import Answer, caption_of, document, error, quota_failure, retry_info, said, wrong_key

packages = pytest.mark.parametrize("backend", ["gemini", "generativeai"])
# What ai.google.dev/api/generate-content lists.
BLOCK_REASONS = ["SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY"]
RATINGS = [
    {"category": "HARM_CATEGORY_HARASSMENT", "probability": "NEGLIGIBLE"},
    {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True},
]


def blocked_prompt(reason: str, **more: Any) -> Answer:
    feedback = {"blockReason": reason, "safetyRatings": RATINGS} | more
    return Answer(body={"promptFeedback": feedback, "usageMetadata": {"promptTokenCount": 1000}})


@packages
@pytest.mark.parametrize("reason", BLOCK_REASONS)
def test_a_blocked_prompt_names_its_reason(
    backend: str, reason: str, server: ProviderServer, photo: Path
) -> None:
    found = outcome_of(backend, server, photo, blocked_prompt(reason))
    assert isinstance(found, CaptionError), found
    assert found.outcome is Outcome.BLOCKED
    assert f"{reason} (dangerous_content)" in str(found)
    assert found.reply is not None
    assert (found.reply.input_tokens, found.reply.output_tokens, found.reply.finish_reason) == (
        1000,
        0,
        reason,
    )


@packages
@pytest.mark.parametrize("reason", WITHHELD)
def test_a_blocked_candidate_names_its_reason(
    backend: str, reason: str, server: ProviderServer, photo: Path
) -> None:
    found = outcome_of(backend, server, photo, said("gemini", None, reason, safetyRatings=RATINGS))
    assert isinstance(found, CaptionError), found
    assert found.outcome is Outcome.BLOCKED
    assert f"{reason} (dangerous_content)" in str(found)
    assert found.reply is not None
    assert found.reply.output_tokens == 12


@packages
@pytest.mark.parametrize("reason", ["OTHER", "MALFORMED_FUNCTION_CALL"])
def test_a_reason_of_its_own_is_an_error(
    backend: str, reason: str, server: ProviderServer, photo: Path
) -> None:
    found = outcome_of(backend, server, photo, said("gemini", "half a capt", reason))
    assert isinstance(found, CaptionError), found
    assert found.outcome is Outcome.ERROR
    assert reason in str(found)


@packages
@pytest.mark.parametrize("place", ["finish", "block"])
def test_a_word_that_nobody_knows_is_no_caption(
    backend: str, place: str, server: ProviderServer, photo: Path
) -> None:
    answer = said("gemini", "a dog", "BRAND_NEW") if place == "finish" else blocked_prompt("BRAND_NEW")
    found = outcome_of(backend, server, photo, answer)
    assert isinstance(found, CaptionError), found
    if backend == "gemini":
        assert "BRAND_NEW" in str(found)
        assert found.outcome is (Outcome.ERROR if place == "finish" else Outcome.BLOCKED)
    else:
        assert found.outcome in (Outcome.ERROR, Outcome.BLOCKED, Outcome.EMPTY)


@packages
def test_thinking_that_took_all_the_tokens(backend: str, server: ProviderServer, photo: Path) -> None:
    body = document("gemini", None, "MAX_TOKENS")
    body["usageMetadata"] = {"promptTokenCount": 1000, "thoughtsTokenCount": 97, "totalTokenCount": 1097}
    found = outcome_of(backend, server, photo, Answer(body=body))
    assert isinstance(found, CaptionError), found
    assert found.outcome is Outcome.EMPTY
    assert "97 of them for reasoning" in str(found)
    assert "model.max_output_tokens=2048" in str(found)
    assert found.reply is not None
    assert (found.reply.output_tokens, found.reply.reasoning_tokens) == (97, 97)


@packages
@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (said("gemini", "a dog on a", "MAX_TOKENS"), Outcome.TRUNCATED),
        (said("gemini", None), Outcome.EMPTY),
        (said("gemini", " \n"), Outcome.EMPTY),
        (Answer(body={"candidates": [], "usageMetadata": {"promptTokenCount": 9}}), Outcome.EMPTY),
    ],
    ids=["cut off", "nothing", "blank", "no candidates"],
)
def test_what_is_no_whole_caption(
    backend: str, answer: Answer, outcome: Outcome, server: ProviderServer, photo: Path
) -> None:
    found = outcome_of(backend, server, photo, answer)
    assert isinstance(found, CaptionError), found
    assert found.outcome is outcome


def test_thoughts_are_no_part_of_the_caption(server: ProviderServer, photo: Path) -> None:
    body = document("gemini", "a dog")
    body["candidates"][0]["content"]["parts"].insert(0, {"text": "I see fur.", "thought": True})
    found = outcome_of("gemini", server, photo, Answer(body=body))
    assert isinstance(found, Reply)
    assert found.text == "a dog"


def test_an_answer_that_could_go_on_is_not_continued(server: ProviderServer, photo: Path) -> None:
    """The SDK would by default ask again, and be billed again, as long as there is a token for it."""
    answer = said("gemini", "a dog and", "CONTINUATION", continuationToken="bW9yZQ==")
    found = outcome_of("gemini", server, photo, answer)  # checks that it asks once
    assert isinstance(found, CaptionError)
    assert found.outcome is Outcome.ERROR


@packages
@pytest.mark.parametrize(
    ("answer", "said_of_it"),
    [
        (wrong_key("gemini"), "rejects the key"),
        (error("gemini", 403, "PERMISSION_DENIED", "Your API key was reported as leaked."), "the key"),
        (error("gemini", 404, "NOT_FOUND", "models/gemini-0 is not found"), "The model does not exist"),
        (error("gemini", 400, "FAILED_PRECONDITION", "Prepayment credits are depleted."), "no credit"),
        (error("gemini", 429, "RESOURCE_EXHAUSTED", "Your credits are depleted."), "no credit left"),
        (
            error(
                "gemini",
                429,
                "RESOURCE_EXHAUSTED",
                "You exceeded your current quota, please check your plan and billing details.",
                [quota_failure("GenerateRequestsPerDayPerProjectPerModel-FreeTier"), retry_info(58.8)],
            ),
            "daily quota",
        ),
        (
            error(
                "gemini",
                400,
                "INVALID_ARGUMENT",
                "Invalid value",
                [
                    {
                        "@type": "type.googleapis.com/google.rpc.BadRequest",
                        "fieldViolations": [{"field": "generation_config.thinking_config"}],
                    }
                ],
            ),
            "rejects this option",
        ),
    ],
    ids=["revoked key", "leaked key", "unknown model", "credit", "credit 429", "quota a day", "option"],
)
def test_what_ends_the_run(
    backend: str, answer: Answer, said_of_it: str, server: ProviderServer, photo: Path
) -> None:
    found = outcome_of(backend, server, photo, answer)
    assert isinstance(found, ModelError), found
    assert said_of_it in str(found)


@packages
def test_a_minute_s_quota_does_not(backend: str, server: ProviderServer, photo: Path) -> None:
    details = [quota_failure("GenerateContentInputTokensPerModelPerMinute-FreeTier"), retry_info(20.04)]
    message = "You exceeded your current quota, please check your plan and billing details."
    found = outcome_of(backend, server, photo, error("gemini", 429, "RESOURCE_EXHAUSTED", message, details))
    assert isinstance(found, RetryableError), found
    assert (found.kind, found.affects_all_requests, found.retry_after_seconds) == ("rate limit", True, 20.04)


@packages
def test_a_picture_that_gemini_cannot_read(backend: str, server: ProviderServer, photo: Path) -> None:
    found = outcome_of(
        backend, server, photo, error("gemini", 400, "INVALID_ARGUMENT", "Unable to process input image")
    )
    assert isinstance(found, CaptionError), found
    assert found.outcome is Outcome.ERROR


# --- what is asked ----------------------------------------------------------------------------------------


def test_every_option_arrives(server: ProviderServer, photo: Path) -> None:
    options = {
        "temperature": 0.5,
        "seed": 7,
        "media_resolution": "low",
        "thinking_budget": 0,
        "safety": "block_none",
    }
    ask(captioner("gemini", server, **options), photo)
    asked = server.requests[0].document
    assert asked["generationConfig"] == {
        "temperature": 0.5,
        "seed": 7,
        "maxOutputTokens": 100,
        "mediaResolution": "MEDIA_RESOLUTION_LOW",
        "thinkingConfig": {"thinking_budget": 0},  # Google's JSON takes both spellings
    }
    assert {each["threshold"] for each in asked["safetySettings"]} == {"BLOCK_NONE"}
    assert len(asked["safetySettings"]) == 4
    ask(captioner("gemini", server, model="gemini-3.8-flash", thinking_level="low"), photo)
    thinking = server.requests[1].document["generationConfig"]["thinkingConfig"]
    assert next(iter(thinking.values())) == "LOW"


@pytest.mark.parametrize("variable", ["GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_API_KEY"])
def test_the_environment_changes_neither_address_nor_key(
    variable: str, server: ProviderServer, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "true")
    (found,) = ask(captioner("gemini", server), photo)
    assert isinstance(found, Reply)


def test_a_large_picture_goes_through_the_files_api(server: ProviderServer, photo: Path) -> None:
    (found,) = ask(captioner("gemini", server, files_api_above_bytes=100), photo)
    assert isinstance(found, Reply), found
    assert found.text == caption_of(photo.read_bytes())
    assert [request.method for request in server.requests] == ["POST", "POST", "GET", "POST", "DELETE"]
    assert "inlineData" not in str(server.requests[3].document)
    assert server.files == {}


def test_an_uploaded_picture_is_deleted_whatever_comes_of_it(server: ProviderServer, photo: Path) -> None:
    server.script(said("gemini", None, "SAFETY"))
    (found,) = ask(captioner("gemini", server, files_api_above_bytes=100), photo)
    assert isinstance(found, CaptionError)
    assert server.files == {}


def test_a_gif_is_sent_as_a_jpeg(server: ProviderServer, tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 8, 3), dtype=np.uint8)).save(tmp_path / "a.gif")
    (found,) = ask(captioner("gemini", server), tmp_path / "a.gif")
    assert isinstance(found, Reply), found


# --- the check before the first call ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "warns"),
    [
        ({}, True),
        ({"max_output_tokens": 2048}, False),
        ({"thinking_budget": 0}, False),
        ({"thinking_budget": -1}, True),
        ({"thinking_budget": 512, "max_output_tokens": 540}, True),
        ({"thinking_budget": 512, "max_output_tokens": 600}, False),
        ({"model": "gemini-2.5-flash-lite"}, False),
        ({"model": "gemini-2.5-flash-lite", "thinking_budget": -1}, True),
        ({"model": "gemini-3.8-flash"}, True),
        ({"model": "gemini-3.8-flash", "thinking_level": "minimal"}, False),
        ({"model": "gemini-3.8-flash", "thinking_level": "high"}, True),
    ],
)
def test_a_small_limit_with_thinking_is_warned_of(
    options: dict[str, Any], warns: bool, server: ProviderServer
) -> None:
    warnings = captioner("gemini", server, **options).check(Prompt("p", "Describe it."), [])
    assert [("captions may be empty" in warning) for warning in warnings] == [True] * warns
    assert server.requests == []


@pytest.mark.parametrize(
    ("options", "said_of_it"),
    [
        ({"thinking_budget": 0, "thinking_level": "low"}, "cannot both be set"),
        ({"thinking_level": "low"}, "takes model.thinking_budget"),
        ({"model": "gemini-3.8-flash", "thinking_budget": 100}, "take model.thinking_level"),
    ],
)
def test_thinking_is_said_in_the_model_s_own_way(
    options: dict[str, Any], said_of_it: str, server: ProviderServer
) -> None:
    with pytest.raises(ConfigError, match=said_of_it):
        captioner("gemini", server, **options).check(Prompt("p", "Describe it."), [])


def test_the_older_package_says_that_it_ends(server: ProviderServer) -> None:
    warnings = captioner("generativeai", server).check(Prompt("p", "Describe it."), [])
    assert "Type model=gemini" in warnings[-1]


def test_the_generation_is_read_from_the_name() -> None:
    def generation(model: str) -> int | None:
        return Gemini(model=model, max_output_tokens=1, longest_side=64).generation

    assert [generation(name) for name in ("gemini-2.5-pro", "gemini-3.8-flash", "my-tuned-model")] == [
        2,
        3,
        None,
    ]
