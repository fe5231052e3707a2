"""All cloud captioners by the real SDKs: one request for one question, whatever comes back."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import pickle
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from evaluator.core import Closing, Item, Priced, Prompt, Reply, Shot
from evaluator.core.errors import ConfigError, MissingPackage, RetryableError
from evaluator.models.openai_compatible import OpenAICompatible
from tests.models.backends import BACKENDS, PROMPT, ask, captioner, outcome_of
from tests.provider_server import ProviderServer
from tests.wire_formats import (
    CUT,
    DRIP,
    DROP,
    HTML,
    KEY,
    MALFORMED,
    TWICE,
    WRONG_TYPE,
    Answer,
    caption_of,
    error,
    rate_limited,
)

backends = pytest.mark.parametrize("backend", BACKENDS)


@backends
def test_a_caption_and_what_it_took(backend: str, server: ProviderServer, photo: Path) -> None:
    (reply,) = ask(captioner(backend, server), photo)
    assert isinstance(reply, Reply)
    assert reply.text == caption_of(photo.read_bytes())
    assert (reply.input_tokens, reply.cached_input_tokens) == (1000, 200)
    assert (reply.output_tokens, reply.reasoning_tokens) == (12, 5)
    assert reply.model_version.endswith(("-test-2026-01-01", "-test-20260101", "-test-001"))


@backends
def test_prompt_and_system_text_arrive(backend: str, server: ProviderServer, photo: Path) -> None:
    ask(captioner(backend, server), photo)
    (request,) = server.requests
    assert request.document is not None
    said = str(request.document)
    assert "Be brief." in said
    assert "Describe it." in said
    assert "- a dog" in said
    ask(captioner(backend, server), photo, prompt=Prompt("none"))
    assert "text" not in str(server.requests[-1].document)


@backends
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (CUT, "connection"),
        (DROP, "connection"),
        (MALFORMED, "malformed answer"),
        (HTML, "not an API"),
        (Answer(body="[1, 2]"), "malformed answer"),
        (Answer(body="{}"), "malformed answer"),
        (Answer(body={"choices": [1], "content": [1], "candidates": [1]}), "malformed answer"),
        (Answer(body={"choices": 1, "content": 1, "candidates": 1}), "malformed answer"),
        (Answer(502, "<html>bad gateway</html>", content_type="text/html"), "server error"),
        (Answer(503, ""), "overloaded"),
    ],
    ids=[
        "cut",
        "drop",
        "malformed",
        "html",
        "list",
        "empty object",
        "odd parts",
        "odd whole",
        "502 html",
        "503 empty",
    ],
)
def test_what_is_no_answer_is_asked_again(
    backend: str, answer: Answer, kind: str, server: ProviderServer, photo: Path
) -> None:
    found = outcome_of(backend, server, photo, answer)
    assert isinstance(found, RetryableError), found
    assert found.kind == kind
    assert found.affects_all_requests == (kind == "overloaded")
    assert found.retry_after_seconds is None


@backends
@pytest.mark.parametrize("answer", [DRIP, WRONG_TYPE], ids=["slow", "wrong content type"])
def test_an_answer_that_was_paid_for_counts(
    backend: str, answer: Answer, server: ProviderServer, photo: Path
) -> None:
    found = outcome_of(backend, server, photo, answer)
    assert isinstance(found, Reply), found
    assert found.text == caption_of(photo.read_bytes())


@backends
def test_an_answer_that_comes_twice_is_given_to_one_picture_only(
    backend: str, server: ProviderServer, tmp_path: Path
) -> None:
    async def until_answered(session: Any, path: Path) -> Reply:
        for _ in range(3):
            with contextlib.suppress(RetryableError):
                reply: Reply = await session.ask(session.prepare(Item(path.name, path)))
                return reply
        raise AssertionError("never answered")

    async def run() -> list[Reply]:
        with captioner(backend, server).open(PROMPT) as session:
            try:
                return [await until_answered(session, path) for path in paths]
            finally:
                await session.close()

    paths = [tmp_path / f"{value}.png" for value in range(6)]
    for value, path in enumerate(paths):
        Image.fromarray(np.full((8, 8, 3), 40 * value, dtype=np.uint8)).save(path)
    server.script(*[TWICE, Answer()] * 3)
    assert [reply.text for reply in asyncio.run(run())] == [caption_of(path.read_bytes()) for path in paths]


@backends
def test_a_silent_server_is_given_up(backend: str, server: ProviderServer, photo: Path) -> None:
    found = outcome_of(backend, server, photo, Answer(seconds=3.0), timeout_seconds=0.2)
    assert isinstance(found, RetryableError), found
    assert found.kind == "timeout"


@backends
def test_nobody_there(backend: str, server: ProviderServer, photo: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    (found,) = ask(captioner(backend, server, base_url=address), photo)
    assert isinstance(found, RetryableError)
    assert found.kind == "no connection"


@backends
@pytest.mark.parametrize("status", [408, 409, 500, 502, 504, 520])
def test_what_passes_is_asked_again(backend: str, status: int, server: ProviderServer, photo: Path) -> None:
    found = outcome_of(backend, server, photo, error(BACKENDS[backend][0], status))
    assert isinstance(found, RetryableError), found
    assert (found.kind, found.affects_all_requests) == ("server error", False)


@backends
@pytest.mark.parametrize("status", [503, 529])
def test_an_overload_holds_everyone(backend: str, status: int, server: ProviderServer, photo: Path) -> None:
    answer = error(BACKENDS[backend][0], status, "overloaded_error", headers={"retry-after": "7"})
    found = outcome_of(backend, server, photo, answer)
    assert isinstance(found, RetryableError), found
    assert (found.kind, found.affects_all_requests, found.retry_after_seconds) == ("overloaded", True, 7.0)


@backends
@pytest.mark.parametrize("seconds", [None, 2.5])
def test_a_limit_holds_everyone_for_as_long_as_is_said(
    backend: str, seconds: float | None, server: ProviderServer, photo: Path
) -> None:
    found = outcome_of(backend, server, photo, rate_limited(BACKENDS[backend][0], seconds))
    assert isinstance(found, RetryableError), found
    assert (found.kind, found.affects_all_requests, found.retry_after_seconds) == (
        "rate limit",
        True,
        seconds,
    )


@backends
def test_the_key_is_repeated_nowhere(
    backend: str, server: ProviderServer, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = outcome_of(backend, server, photo, error(BACKENDS[backend][0], 401, "", f"wrong key {KEY}"))
    assert KEY not in repr(found) + str(found) + str(vars(found))
    assert found.__cause__ is None
    assert f"{BACKENDS[backend][0].upper()}_API_KEY" in str(found)
    monkeypatch.setenv("OPENAI_API_KEY", "another")
    session_options = repr(captioner(backend, server)) + str(dataclasses.asdict(captioner(backend, server)))
    assert KEY not in session_options


@backends
def test_two_hundred_at_once_by_one_client(backend: str, server: ProviderServer, photo: Path) -> None:
    async def run() -> list[Reply]:
        with captioner(backend, server).open(PROMPT) as session:
            prepared = session.prepare(Item("1", photo))
            try:
                return list(await asyncio.gather(*(session.ask(prepared) for _ in range(200))))
            finally:
                await session.close()

    server.together = 200
    assert len(asyncio.run(run())) == 200


@backends
def test_a_session_serves_one_event_loop_after_the_other(
    backend: str, server: ProviderServer, photo: Path
) -> None:
    async def run(session: Any) -> Reply:
        try:
            reply: Reply = await session.ask(session.prepare(Item("1", photo)))
            return reply
        finally:
            await session.close()

    with captioner(backend, server).open(PROMPT) as session:
        assert isinstance(session, Closing)
        assert asyncio.run(run(session)) == asyncio.run(run(session))


# --- before the first request -----------------------------------------------------------------------------


@backends
def test_options_pickle_and_tell_what_they_may_cost(backend: str, server: ProviderServer) -> None:
    asked = captioner(backend, server, image_tokens=(258, 1120))
    assert pickle.loads(pickle.dumps(asked)) == asked
    assert isinstance(asked, Priced)
    usage = asked.usage(PROMPT)
    assert usage.model == asked.model
    assert 258 < usage.input_tokens[0] < usage.input_tokens[1] < 1120 + 200
    assert usage.output_tokens == (5, 100)


@pytest.mark.parametrize(
    ("base_url", "provider"),
    [
        ("https://api.openai.com/v1", "openai"),
        ("https://api.anthropic.com", "anthropic"),
        ("https://generativelanguage.googleapis.com", "gemini"),
        ("https://openrouter.ai/api/v1", "openrouter"),
        ("http://localhost:11434/v1", "localhost"),
    ],
)
def test_a_limit_is_an_account_s_at_the_server_that_is_asked(base_url: str, provider: str) -> None:
    asked = OpenAICompatible(model="m", base_url=base_url, max_output_tokens=3, longest_side=64)
    assert asked.usage(PROMPT).provider == provider


def test_examples_with_pictures_are_for_local_models(server: ProviderServer, photo: Path) -> None:
    prompt = Prompt("p", "Describe it.", shots=(Shot(photo, "a dog"),))
    with pytest.raises(ConfigError, match=r"prompt\.shots: examples with pictures are for local chat models"):
        captioner("gemini", server).check(prompt, [])


@given(text=st.text(), shots=st.lists(st.text(), max_size=3))
def test_bounds_of_text_hold_for_any_tokenizer_of_bytes(text: str, shots: list[str]) -> None:
    prompt = Prompt("any", text, shots=tuple(shots))
    asked = OpenAICompatible(model="m", base_url="http://h", max_output_tokens=3, longest_side=64)
    fewest, most = asked.usage(prompt).input_tokens
    assert fewest <= len(prompt.request) <= len(prompt.request.encode("utf-8", "replace")) <= most
    assert asked.usage(prompt).output_tokens == (3, 3)


@backends
def test_a_missing_key_is_said_before_anything_is_asked(
    backend: str, server: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = f"{BACKENDS[backend][0].upper()}_API_KEY"
    monkeypatch.delenv(variable)
    asked = captioner(backend, server, key_page="https://example.com/keys")
    with pytest.raises(ConfigError, match=rf"{variable} is not set.*https://example.com/keys"):
        asked.check(PROMPT, [])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"base_url": "localhost:8000"}, "is not an address such as"),
        ({"base_url": "http://user:secret@host/v1"}, "must not contain"),
        ({"base_url": "http://host/v1?key=secret"}, "must not contain"),
        ({"key_variable": "sk-secret"}, "never the key itself"),
    ],
)
def test_what_cannot_work_or_would_tell_a_secret(
    options: dict[str, str], said: str, server: ProviderServer
) -> None:
    with pytest.raises(ConfigError, match=said) as raised:
        captioner("openai", server, **options).check(PROMPT, [])
    assert "secret" not in str(raised.value)


def test_a_local_server_needs_no_key_and_an_empty_prompt_is_worth_a_warning(
    server: ProviderServer, photo: Path
) -> None:
    server.key = None
    asked = captioner("openai", server, key_variable=None)
    assert asked.check(PROMPT, []) == ()
    assert "prompt=one-sentence" in asked.check(Prompt("none"), [])[0]
    assert isinstance(ask(asked, photo)[0], Reply)


def test_a_package_that_is_missing(server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OpenAICompatible, "package", "no_such_package.at_all")
    with pytest.raises(MissingPackage, match="pip install 'openai"):
        captioner("openai", server).check(PROMPT, [])


# --- the key of a cached answer ---------------------------------------------------------------------------


def keys(asked: Any, photo: Path, prompt: Prompt = PROMPT) -> Any:
    with asked.open(prompt) as session:
        return session.cache_key(session.prepare(Item("1", photo)))


@backends
def test_all_that_decides_an_answer_is_in_its_key(
    backend: str, server: ProviderServer, photo: Path, tmp_path: Path
) -> None:
    first = keys(captioner(backend, server), photo)
    assert first["model"] == captioner(backend, server).model
    moved = tmp_path / "moved.jpg"
    moved.write_bytes(photo.read_bytes())
    same = {"timeout_seconds": 3.0, "image_tokens": (1, 2), "key_page": "", "env_file": tmp_path}
    for name, value in same.items():
        assert keys(captioner(backend, server, **{name: value}), moved) == first
    other = {
        "model": "x",
        "max_output_tokens": 7,
        "temperature": 0.5,
        "longest_side": 512,
        "jpeg_quality": 50,
    }
    for name, value in other.items():
        assert keys(captioner(backend, server, **{name: value}), photo) != first
    assert keys(captioner(backend, server), photo, Prompt("test", "Describe it!")) != first
    assert keys(captioner(backend, server), photo, dataclasses.replace(PROMPT, name="renamed")) == first
    Image.new("RGB", (8, 8)).save(moved)
    assert keys(captioner(backend, server), moved) != first
    assert KEY not in str(first)


def test_no_two_backends_share_a_key(server: ProviderServer, photo: Path) -> None:
    found = [str(keys(captioner(backend, server, model="m"), photo)) for backend in BACKENDS]
    assert len(set(found)) == len(BACKENDS)
