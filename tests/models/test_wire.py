"""Odd bytes, other addresses and headers of other accounts, by the real SDKs: each is one image's outcome."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.core import Reply
from evaluator.core.errors import CaptionError, EvaluatorError, ModelError, RetryableError
from evaluator.models.httpx_client import client_options
from evaluator.models.wire import MAX_BODY_BYTES, BoundedBody, ErrorResponse, OtherAddress
from tests.models.backends import BACKENDS, ask, captioner, outcome_of
from tests.provider_server import ProviderServer
from tests.wire_formats import KEY, Answer, document

backends = pytest.mark.parametrize("backend", BACKENDS)
DEEP = "[" * 200_000
# Rather a lot of memory, in a few kilobytes.
BOMB = zlib.compress(b" " * 20_000_000, 9)


def odd_answers(provider: str) -> Iterator[tuple[str, Answer, str]]:
    """What a server may send, and the caption or the kind of error that it becomes."""

    def whole() -> bytes:
        return json.dumps(document(provider, "a dog")).encode()

    def encoded(body: bytes, encoding: str) -> Answer:
        return Answer(body=body, headers={"content-encoding": encoding})

    yield "gzip", encoded(gzip.compress(whole()), "gzip"), "a dog"
    yield "deflate", encoded(zlib.compress(whole()), "deflate"), "a dog"
    yield "broken gzip", encoded(gzip.compress(whole())[:30] + b"xxxx", "gzip"), "malformed answer"
    yield "no gzip", encoded(whole(), "gzip"), "malformed answer"
    yield "unknown encoding", encoded(b"\x28\xb5\x2f\xfd", "zstd"), "malformed answer"
    yield "bomb", encoded(BOMB, "deflate"), "malformed answer"
    yield "bomb as an error", Answer(500, BOMB, {"content-encoding": "deflate"}), "server error"
    yield "flood", Answer(body=b" " * (MAX_BODY_BYTES + 100_000)), "malformed answer"
    for charset in ("rot13", "zip", "utf-16", "nonsense", "utf-7"):
        answer = Answer(body=whole(), content_type=f"application/json; charset={charset}")
        yield f"charset {charset}", answer, "a dog"
    yield "not UTF-8", Answer(body=whole().replace(b"a dog", b"a d\xffg")), "a d�g"
    yield "deep", Answer(body=DEEP), "malformed answer"
    yield "deep as a limit", Answer(429, DEEP), "rate limit"
    yield "deep as an error", Answer(500, DEEP), "server error"
    yield "odd error", Answer(500, {"error": {"message": [1], "details": 7, "metadata": []}}), "server error"
    yield "surrogate in an error", Answer(500, {"error": {"message": "\ud83d"}}), "server error"
    yield "bytes as an error", Answer(500, b"\xff\x00"), "server error"
    yield "empty", Answer(body=b""), "malformed answer"
    yield "null", Answer(body="null"), "malformed answer"
    yield "no content", Answer(204, ""), "malformed answer"
    yield "accepted", Answer(202, whole()), "a dog"
    yield "number", Answer(body="1e999"), "malformed answer"


def summary_of(found: Reply | EvaluatorError) -> str:
    if isinstance(found, Reply):
        return found.text
    assert isinstance(found, RetryableError), found
    str(found).encode()
    assert len(str(found)) < 1000
    return found.kind


@backends
def test_odd_bytes(backend: str, server: ProviderServer, photo: Path) -> None:
    provider, _ = BACKENDS[backend]
    cases = list(odd_answers(provider))
    server.script(*(answer for _, answer, _ in cases))
    found = ask(captioner(backend, server), photo, len(cases))
    names = [name for name, _, _ in cases]
    expected = dict(zip(names, (outcome for _, _, outcome in cases), strict=True))
    assert dict(zip(names, map(summary_of, found), strict=True)) == expected


@given(pieces=st.lists(st.binary(max_size=50)), encoding=st.sampled_from(["", "gzip", "deflate", "br"]))
def test_no_body_is_longer_than_the_limit(pieces: list[bytes], encoding: str) -> None:
    body = BoundedBody(encoding)
    taken = [body.take(piece) for piece in [*pieces, *[BOMB] * 2]]
    assert sum(map(len, taken)) <= MAX_BODY_BYTES
    if encoding == "br":  # what cannot be decompressed is no JSON, and stays as it is
        assert b"".join(taken) == b"".join(pieces) + BOMB * 2


# --- other addresses ---------------------------------------------------------------------------------------


@backends
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(backend: str, status: int, server: ProviderServer, photo: Path) -> None:
    with ProviderServer() as elsewhere:
        location = f"{elsewhere.base_url('plain')}/v1/elsewhere?key={KEY}"
        found = outcome_of(backend, server, photo, Answer(status, "", {"location": location}))
        assert not elsewhere.requests
    assert isinstance(found, ModelError), found
    assert "Redirects are not followed" in str(found)
    assert KEY not in str(found)


def hooks(base_url: str, own_domain: str = "openai.com") -> Any:
    return client_options(base_url, own_domain, KEY, 1.0)["event_hooks"]


@pytest.mark.parametrize(
    "url", ["https://other.org/v1", "http://api.openai.com/v1", "https://api.openai.com:444/v1"]
)
def test_no_request_goes_to_another_address(url: str) -> None:
    (check_request,) = hooks("https://api.openai.com/v1")["request"]
    asyncio.run(check_request(httpx2.Request("POST", "https://api.openai.com/v1/x")))
    with pytest.raises(OtherAddress):
        asyncio.run(check_request(httpx2.Request("POST", url)))


@pytest.mark.parametrize("status", [100, 199, 300, 304, 400, 999])
def test_only_a_success_reaches_the_sdk(status: int) -> None:
    (check_response,) = hooks("https://api.openai.com/v1")["response"]
    response = httpx2.Response(status, stream=httpx2.ByteStream(b"body"))
    with pytest.raises(ErrorResponse) as raised:
        asyncio.run(check_response(response))
    assert (raised.value.status, raised.value.body, str(raised.value)) == (
        status,
        b"body",
        f"status {status}",
    )


# --- headers of other accounts -----------------------------------------------------------------------------

OTHERS = {
    "OPENAI_ORG_ID": "other-account-1",
    "OPENAI_PROJECT_ID": "other-account-2",
    "OPENAI_CUSTOM_HEADERS": "X-Gateway: other-account-3\nAuthorization: Bearer other-account-4",
    "ANTHROPIC_CUSTOM_HEADERS": "X-Gateway: other-account-5",
    "ANTHROPIC_AUTH_TOKEN": "other-account-6",
    "GOOGLE_API_KEY": "other-account-7",
    "GOOGLE_CLOUD_PROJECT": "other-account-8",
}


@backends
def test_a_server_gets_the_key_that_was_configured_for_it_and_nothing_else(
    backend: str, server: ProviderServer, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in OTHERS.items():
        monkeypatch.setenv(variable, value)
    ask(captioner(backend, server), photo)
    (request,) = server.requests
    assert "other-account" not in str(request.headers)
    if backend == "openai":  # whose own headers were overwritten
        assert "authorization" not in request.headers
    else:
        assert KEY in str(request.headers)


def test_the_provider_s_own_server_gets_what_the_sdk_sends() -> None:
    sent = httpx2.Request("POST", "https://eu.api.openai.com/v1", headers={"openai-organization": "mine"})
    (check_request,) = hooks("https://eu.api.openai.com/v1")["request"]
    asyncio.run(check_request(sent))
    assert sent.headers["openai-organization"] == "mine"
    sent = httpx2.Request("POST", "https://openai.com.evil.org/v1", headers={"openai-organization": "mine"})
    (check_request,) = hooks("https://openai.com.evil.org/v1")["request"]
    asyncio.run(check_request(sent))
    assert "openai-organization" not in sent.headers


@backends
def test_a_log_for_debugging_holds_neither_key_nor_picture(
    backend: str, server: ProviderServer, photo: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("openai", "anthropic", "google_genai", "google"):
        caplog.set_level(logging.DEBUG, logger=name)
    outcome_of(backend, server, photo, Answer())
    assert KEY not in caplog.text
    assert max(map(len, caplog.messages), default=0) < 2000


# --- what the program itself does wrong --------------------------------------------------------------------


@backends
def test_a_mistake_in_a_request_is_one_image_s_error(
    backend: str, server: ProviderServer, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = captioner(backend, server)

    async def mistaken(*_: Any) -> str:
        raise KeyError(f"no {KEY}")

    monkeypatch.setattr(asked.session, "request", mistaken)
    (found,) = ask(asked, photo)
    assert isinstance(found, RetryableError)
    assert not isinstance(found, CaptionError)
    assert (str(found), found.most_attempts) == ("KeyError: 'no ***'", 2)
