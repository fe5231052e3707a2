"""A key is found however it is written, and ordinary text is left alone."""

from __future__ import annotations

import base64
import io
import json
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluator.core import secrets
from evaluator.core.errors import StoreError
from evaluator.core.secrets import MASK, Secrets, known_secrets, refuse_known_keys_in, remember

KEY = "test-key-31415/926+535897"
SECRETS = Secrets((KEY,))
WAYS = {
    "as it is": lambda key: key,
    "in capitals": str.upper,
    "JSON escapes": lambda key: "".join(f"\\u{ord(each):04x}" for each in key),
    "an escaped slash": lambda key: key.replace("/", "\\/"),
    "some JSON escapes": lambda key: f"\\u{ord(key[0]):04X}{key[1:]}",
    "JSON within JSON": lambda key: json.dumps(json.dumps("".join(f"\\u{ord(each):04x}" for each in key))),
    "hexadecimal escapes": lambda key: "".join(f"\\x{ord(each):02x}" for each in key),
    "an address": lambda key: quote(key, safe=""),
    "all of it in an address": lambda key: "".join(f"%{ord(each):02X}" for each in key),
    "an address within an address": lambda key: quote(quote(key, safe=""), safe=""),
    "HTML": lambda key: "".join(f"&#{ord(each)};" for each in key),
    "hexadecimal HTML": lambda key: "".join(f"&#x{ord(each):X};" for each in key),
    "hexadecimal digits": lambda key: key.encode().hex().upper(),
    "base64": lambda key: base64.b64encode(key.encode()).decode(),
    "base64 of a header": lambda key: base64.b64encode(f"Bearer {key}".encode()).decode(),
    "base64 of a pair": lambda key: base64.urlsafe_b64encode(f"ada:{key}:".encode()).decode(),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_known_key_is_found_however_it_is_written(way: str) -> None:
    written = WAYS[way](KEY)
    scrubbed = SECRETS.scrubbed(f"before {written} after")
    assert scrubbed.startswith("before ")
    assert scrubbed.endswith(" after")
    assert MASK in scrubbed
    for start in range(len(written) - 15):  # nor most of it
        assert written[start : start + 16] not in scrubbed
    assert SECRETS.kind_of_secret(f"before {written} after").startswith("an API key")


@settings(max_examples=30)
@given(st.text("abcXYZ019-_/+=.", min_size=8, max_size=60), st.text(max_size=20), st.text(max_size=20))
def test_no_key_survives(key: str, before: str, after: str) -> None:
    secrets = Secrets((key,))
    assert key not in secrets.scrubbed(before + key + after)
    for way in WAYS.values():
        assert secrets.kind_of_secret(way(key))


@pytest.mark.parametrize(
    "text",
    [
        "sk-proj-abcdefgh12345678",
        "sk-" + "a" * 40,
        "sk-ant-api03-abcdefgh1234",
        "AIzaSyA0123456789abcdefghijklmnopqrstuvw",
        "AKIA2X7EXAMPLE9TEST0",
        "ghp_0123456789abcdefghijABCDEFGHIJ",
        "hf_abcdefghijKLMNOPQRST0123",
        "Authorization: Bearer abc123def456ghi",
        "authorization=bearer%20abc123def456ghi",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlLTEyMw",
        "-----BEGIN RSA PRIVATE KEY-----",
        "https://ada:password@example.com/v1",
        "https://token@example.com/v1",
        "https://example.com/v1?key=abc",
        "https://example.com/v1?x=1&api_key=abc",
        "https://example.com/v1#key=abc",
        "https://example.com/v1?access_token=abc",
        "https%3A%2F%2Fada%3Apassword%40example.com",
        r"\u0073k-proj-abcdefgh12345678",
    ],
)
def test_what_is_shaped_like_a_secret_is_one(text: str) -> None:
    assert Secrets().kind_of_secret(f"a text with {text} in it")
    plain = "\\" not in text and "%" not in text
    assert not plain or not Secrets().kind_of_secret(Secrets().scrubbed(text))


@pytest.mark.parametrize(
    "text",
    [
        "a task-oriented, disk-based, risk-free thing",
        "sk-learn-based-segmentation",
        "the bearer of a torch, and bearer responsibilities",
        "a man with a key, a token and a secret password",
        "basic shapes: 3 circles",
        "https://example.com/v1/models?page=2#usage",
        "model.base_url=http://localhost:11434/v1",
        "mail ada@example.com or see https://example.com",
        "openai/gpt-5-mini-2026-01-01",
        "sha256:0123456789abcdef0123456789abcdef",
        "gemini-2.5-flash, hf_hub, xai-labs",
        "50% of a&b\\c",
        "",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert SECRETS.kind_of_secret(text) == ""
    assert SECRETS.scrubbed(text) == text


def test_a_document_is_searched_in_all_its_places() -> None:
    assert SECRETS.found_in({"model": {"stop": ["a", {"b": f"x{KEY}"}]}}).startswith(
        "model.stop.b: an API key"
    )
    assert SECRETS.found_in({"a": {KEY: 1}}).startswith("a: an API key")
    assert "environment variable" in SECRETS.found_in({"model": {"extra_body": {"api_key": "anything"}}})
    assert "environment variable" in SECRETS.found_in({"headers": {"X-Access-Token": "anything"}})
    assert "environment variable" in SECRETS.found_in({"token": "abcdefgh12345678"})
    fields = {"caption_key": "caption", "key": "images.id", "stop_token": "</s>", "tokenizer": "coco"}
    assert SECRETS.found_in(fields) == ""
    document = {"max_tokens": 7, "key_variable": "A_KEY", "key_page": "https://a.org/keys", "api_key": None}
    assert SECRETS.found_in(document) == ""


def test_a_short_key_is_not_looked_for() -> None:
    assert Secrets(("none", "", "dog")).scrubbed("none of the dogs") == "none of the dogs"


def test_keys_of_the_environment_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_PROVIDER_API_KEY", "abcdefgh-123456789")
    monkeypatch.setenv("OTHER_TOKEN", "production")
    monkeypatch.setenv("SIGNING_KEY_FILE", "/etc/keys/signing-key-1.pem")
    monkeypatch.setenv("COLOUR", "abcdefgh-987654321")
    remember("given-12345")
    secrets = known_secrets()
    assert secrets.scrubbed("abcdefgh-123456789 given-12345") == f"{MASK} {MASK}"
    ordinary = "production /etc/keys/signing-key-1.pem abcdefgh-987654321"
    assert secrets.scrubbed(ordinary) == ordinary


@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_a_key_in_a_large_file_is_found_wherever_it_is_read_apart(
    monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(secrets, "BYTES_AT_ONCE", at_once)
    monkeypatch.setenv("SOME_API_KEY", "correct-horse-1234-battery")
    refuse_known_keys_in(io.BytesIO(b"a dog " * 20), "the file")
    for before in range(12):
        with pytest.raises(StoreError, match="the file was not written"):
            refuse_known_keys_in(io.BytesIO(b"x" * before + b"Correct-Horse-1234-battery, a dog"), "the file")
