"""The wire formats of OpenAI, Anthropic and Gemini, and a plain one: what each sends, and what it refuses.

OpenAI's image API has one of its own.

The formats follow developers.openai.com/api/reference, platform.claude.com/docs/en/api/messages and
ai.google.dev/api/generate-content; a request that these would refuse is refused here too. The plain format is
that of tests/own/own_remote.py: POST /caption {item, image, prompt} gives {text, input_tokens, ...}.
"""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from PIL import Image

KEY = "test-key-3141592653589793"
PROVIDERS = ("openai", "anthropic", "gemini")
MEDIA_TYPES = {
    "openai": ("image/jpeg", "image/png", "image/webp", "image/gif"),
    "anthropic": ("image/jpeg", "image/png", "image/webp", "image/gif"),
    "gemini": ("image/jpeg", "image/png", "image/webp", "image/heic", "image/heif"),
}


@dataclass(frozen=True)
class Answer:
    """What goes back. `manner` is how: whole, cut off, nothing at all, twice or bit by bit."""

    status: int = 200
    body: Any = None  # JSON, or text or bytes as they are; None: the answer that the request deserves
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    manner: Literal["whole", "cut", "drop", "twice", "drip"] = "whole"
    seconds: float = 0.0  # before it begins


NUMBERS = itertools.count()  # each answer has an id of its own, as the providers' have
CUT, DROP = Answer(manner="cut"), Answer(manner="drop")
TWICE, DRIP = Answer(manner="twice"), Answer(manner="drip")
HTML = Answer(body="<!doctype html><title>Sign in</title>", content_type="text/html")
MALFORMED = Answer(body='{"choices": [{"mess')
WRONG_TYPE = Answer(content_type="text/plain")


def said(provider: str, text: str | None, finish: str | None = None, **more: Any) -> Answer:
    """An answer with this text; `more` is added to the choice, message or candidate."""
    return Answer(body=document(provider, text, finish, **more))


def document(provider: str, text: str | None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """The body of an answer: 1,000 input tokens (200 cached) and 12 output tokens (5 of reasoning)."""
    match provider:
        case "openai":
            message = {"role": "assistant", "content": text, "refusal": more.pop("refusal", None)}
            return {
                "id": f"chatcmpl-{next(NUMBERS)}",
                "object": "chat.completion",
                "created": 1,
                "model": "gpt-test-2026-01-01",
                "choices": [{"index": 0, "message": message, "finish_reason": finish or "stop", **more}],
                "usage": {
                    "prompt_tokens": 1000,
                    "completion_tokens": 12,
                    "total_tokens": 1012,
                    "prompt_tokens_details": {"cached_tokens": 200},
                    "completion_tokens_details": {"reasoning_tokens": 5},
                },
            }
        case "anthropic":
            return {
                "id": f"msg_{next(NUMBERS)}",
                "type": "message",
                "role": "assistant",
                "model": "claude-test-20260101",
                "content": [] if text is None else [{"type": "text", "text": text}],
                "stop_reason": finish or "end_turn",
                "stop_sequence": None,
                "usage": {
                    "input_tokens": 800,
                    "cache_read_input_tokens": 200,
                    "cache_creation_input_tokens": 0,
                    "output_tokens": 12,
                    "output_tokens_details": {"thinking_tokens": 5},
                },
                **more,
            }
        case "plain":
            return {"text": text, "input_tokens": 90, "output_tokens": 10, "finish_reason": finish or "stop"}
        case _:
            content = {"role": "model"} | ({} if text is None else {"parts": [{"text": text}]})
            return {
                "candidates": [{"content": content, "finishReason": finish or "STOP", "index": 0, **more}],
                "modelVersion": "gemini-test-001",
                "responseId": f"response-{next(NUMBERS)}",
                "usageMetadata": {
                    "promptTokenCount": 1000,
                    "cachedContentTokenCount": 200,
                    "candidatesTokenCount": 7,
                    "thoughtsTokenCount": 5,
                    "totalTokenCount": 1012,
                },
            }


def drawn(picture: bytes) -> dict[str, Any]:
    """The body of an image API's answer: 10 input tokens, and 272 of the picture."""
    return {
        "created": 1,
        "data": [{"b64_json": base64.b64encode(picture).decode()}],
        "usage": {"total_tokens": 282, "input_tokens": 10, "output_tokens": 272},
    }


def colored(prompt: str) -> bytes:
    """What the image generator of the tests draws: one colour, the same for the same prompt."""
    stream = io.BytesIO()
    red, green, blue = hashlib.sha256(prompt.encode()).digest()[:3]
    Image.new("RGB", (300, 200), (red, green, blue)).save(stream, "PNG")
    return stream.getvalue()


def error(
    provider: str,
    status: int,
    code: str = "",
    message: str = "it did not work",
    details: Any = None,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Answer:
    """An error as the provider writes it; `code` is its type, status or code."""
    if provider in ("openai", "images"):
        body: Any = {
            "error": {"message": message, "type": code or "server_error", "param": None, "code": code or None}
        }
    elif provider == "anthropic":
        body = {
            "type": "error",
            "error": {"type": code or "api_error", "message": message},
            "request_id": "req_1",
        }
    else:
        body = {"error": {"code": status, "message": message, "status": code or "UNKNOWN"}}
    body["error"] |= more | ({} if details is None else {"details": details})
    return Answer(status, body, headers or {})


def retry_info(seconds: float) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{seconds}s"}


def quota_failure(*quota_ids: str) -> dict[str, Any]:
    violations = [{"quotaMetric": "requests", "quotaId": quota_id} for quota_id in quota_ids]
    return {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": violations}


def rate_limited(provider: str, seconds: float | None = None) -> Answer:
    """429, with the wait in the provider's own way."""
    code = {"openai": "rate_limit_exceeded", "anthropic": "rate_limit_error", "gemini": "RESOURCE_EXHAUSTED"}[
        provider
    ]
    if seconds is None:
        return error(provider, 429, code)
    if provider == "gemini":
        details = [quota_failure("GenerateRequestsPerMinutePerProjectPerModel"), retry_info(seconds)]
        return error(provider, 429, code, details=details)
    return error(provider, 429, code, headers={"retry-after": f"{seconds:g}"})


def provider_of(path: str) -> str | None:
    """The wire format of a request, told from its path."""
    if path == "/caption":
        return "plain"
    if path.endswith("/images/generations"):
        return "images"
    if path.endswith("/chat/completions"):
        return "openai"
    if path.endswith("/messages"):
        return "anthropic"
    return "gemini" if re.fullmatch(r"/v1(beta)?/models/[^/]+:generateContent", path) else None


def keys_of(headers: Mapping[str, str]) -> list[str]:
    bearer = headers.get("authorization", "").removeprefix("Bearer ")
    return [bearer, headers.get("x-api-key", ""), headers.get("x-goog-api-key", "")]


def caption_of(picture: bytes) -> str:
    """A caption made of the picture's bytes, so that a caption that reaches the wrong image shows."""
    return f"picture {hashlib.sha256(picture).hexdigest()[:16]}"


def wrong_key(provider: str) -> Answer:
    """How each provider refuses a key."""
    if provider in ("openai", "images"):
        return error(provider, 401, "invalid_api_key", "Incorrect API key provided")
    if provider == "anthropic":
        return error(provider, 401, "authentication_error", "invalid x-api-key")
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
    return error(provider, 400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", [info])


def complaint_of(provider: str, asked: Any, headers: Mapping[str, str]) -> str:
    """What the provider's documentation forbids in this request; empty where it is valid."""
    if provider == "plain":
        return ""
    if provider == "images":
        known = {"model", "prompt", "n", "size", "quality", "output_format", "response_format"}
        valid = asked.keys() <= known and asked.get("model") and asked.get("prompt") and asked.get("n") == 1
        return "" if valid else f"invalid value: {asked}"
    try:
        if provider == "gemini":
            parts = asked["contents"][-1]["parts"]
            held = [part.get("inlineData") or part.get("fileData") for part in parts if "text" not in part]
            types = [each.get("mimeType") or each["mime_type"] for each in held]  # Google takes both
            texts = [part["text"] for part in parts if "text" in part]
        else:
            content = asked["messages"][-1]["content"]
            if isinstance(content, str):
                content = [{"type": "text", "text": content}]
            texts = [part["text"] for part in content if part["type"] == "text"]
            if not asked["model"]:
                return "model: required"
            if provider == "openai":
                urls = [part["image_url"]["url"] for part in content if part["type"] == "image_url"]
                types = [url.removeprefix("data:").partition(";")[0] for url in urls]
            else:
                types = [part["source"]["media_type"] for part in content if part["type"] == "image"]
                if "anthropic-version" not in headers or not isinstance(asked["max_tokens"], int):
                    return "max_tokens: required, and the header anthropic-version"
        if judged_caption(asked) is not None and not types:
            return ""  # a judge need not see the picture
        if len(types) != 1 or types[0] not in MEDIA_TYPES[provider]:
            return f"messages: one image of a known type is expected, found {types}"
        if any(not text.strip() for text in texts):
            return "messages: text content blocks must be non-empty"
    except (KeyError, TypeError, IndexError) as problem:
        return f"messages: {problem!r}"
    return ""


def strings_in(document: Any) -> list[str]:
    """Every text of a request."""
    if isinstance(document, str):
        return [document]
    values = document.values() if isinstance(document, dict) else document
    return [text for value in values for text in strings_in(value)] if isinstance(values, Iterable) else []


def judged_caption(asked: Any) -> str | None:
    """What a judge is asked about, two captions as `first | second`; None for a request for a caption."""
    pattern = re.compile(r"<(caption(?:-[ab])?-[0-9a-f]{12})>\n(.*?)\n</\1>", re.DOTALL)
    found = (pattern.findall(text) for text in strings_in(asked))
    return next((" | ".join(caption for _, caption in each) for each in found if each), None)


def verdict_on(caption: str) -> str:
    """What the judge of the tests answers: the same score for the same caption."""
    score = hashlib.sha256(caption.encode()).digest()[0] % 101
    return json.dumps({"score": score, "reason": f"it says {caption[:40]}"})


def picture_in(provider: str, asked: Any, files: Mapping[str, tuple[str, bytes]]) -> bytes:
    """The bytes of the picture in a request; `files` are those that the Files API holds."""
    match provider:
        case "openai":
            content = asked["messages"][-1]["content"]
            url = next(part["image_url"]["url"] for part in content if part["type"] == "image_url")
            return base64.b64decode(url.partition(",")[2])
        case "anthropic":
            content = asked["messages"][-1]["content"]
            data = next(part["source"]["data"] for part in content if part["type"] == "image")
            return base64.b64decode(data)
    for part in asked["contents"][-1]["parts"]:
        if inline := part.get("inlineData"):
            # Google's JSON takes both alphabets of base64.
            return base64.b64decode(inline["data"].replace("-", "+").replace("_", "/"))
        if file := part.get("fileData"):
            uri = file.get("fileUri") or file["file_uri"]
            return files[uri.rpartition("/")[2]][1]
    raise AssertionError("the request holds no picture")


def answer_named(provider: str, word: str) -> Answer:
    """The answer that a word names: a status, one with a wait ("429 0.5"), "drop", "torn", "malformed"."""
    word, _, wait = word.partition(" ")
    if word == "200":
        return Answer()
    if word.isdigit():
        headers = {"retry-after": wait} if wait else {}
        return error(provider, int(word), headers=headers)
    return {"drop": DROP, "torn": CUT, "malformed": HTML}[word]
