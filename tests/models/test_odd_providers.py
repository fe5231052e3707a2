"""Whole runs against odd servers, by the real SDKs: each billed answer is recorded and counted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from evaluator.core import Item, Outcome
from evaluator.runner import limits
from evaluator.runner.default import DefaultRunner
from evaluator.runner.request_options import Requests
from evaluator.store.run_folder import RunFolder
from tests.models.backends import BACKENDS, PROMPT, captioner
from tests.provider_server import ProviderServer
from tests.wire_formats import KEY, Answer, document

IMAGES = 3
# What a request takes at most and what an answer of the tests takes: 1,000 tokens in, 12 out.
PRICES = "some-model: {input: 1, output: 1}\ngemini-2.5-flash: {input: 1, output: 1}\n"
ANSWER_USD = 1012e-6


def content(value: Any) -> Callable[[str], dict[str, Any]]:
    """An answer with this value where its text belongs."""

    def answer(provider: str) -> dict[str, Any]:
        odd = document(provider, "")
        match provider:
            case "openai":
                odd["choices"][0]["message"]["content"] = value
            case "anthropic":
                odd["content"] = [{"type": "text", "text": value}]
            case _:
                odd["candidates"][0]["content"]["parts"] = [{"text": value}]
        return odd

    return answer


def usage(value: Any) -> Callable[[str], dict[str, Any]]:
    def answer(provider: str) -> dict[str, Any]:
        return document(provider, "a dog") | {"usageMetadata" if provider == "gemini" else "usage": value}

    return answer


def constant_id(provider: str) -> dict[str, Any]:
    return document(provider, "a dog") | {"responseId" if provider == "gemini" else "id": "same"}


def counts(tokens: Any) -> Callable[[str], dict[str, Any]]:
    """An answer whose numbers of tokens are all this."""

    def put(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: put(each) for name, each in value.items()}
        return tokens

    def answer(provider: str) -> dict[str, Any]:
        name = "usageMetadata" if provider == "gemini" else "usage"
        odd = document(provider, "a dog")
        return odd | {name: put(odd[name])}

    return answer


# The answer, the outcome of each image, and how often each is asked about.
CASES: dict[str, tuple[Callable[[str], Any], Outcome, int]] = {
    "an error as content": (content({"error": "overloaded"}), Outcome.ERROR, 2),
    "a number as content": (content(503), Outcome.ERROR, 2),
    "truth as content": (content(True), Outcome.ERROR, 2),
    "half a surrogate pair": (content("a \ud83d dog"), Outcome.OK, 1),
    "the key, escaped": (content(f"it is {KEY}"), Outcome.OK, 1),
    "usage as text": (usage("much"), Outcome.OK, 1),
    "usage as a list": (usage([1, 2]), Outcome.OK, 1),
    "negative counts": (counts(-1000), Outcome.OK, 1),
    "NaN": (counts(float("nan")), Outcome.OK, 1),
    "400 digits": (counts(10**400), Outcome.OK, 1),
    "one id": (constant_id, Outcome.OK, 0),  # one of them is asked about twice
    "deep nesting": (lambda provider: "[" * 200_000, Outcome.ERROR, 2),
    "no JSON": (lambda provider: json.dumps(document(provider, "a dog"))[:-9], Outcome.ERROR, 2),
}


@pytest.fixture
def pictures(tmp_path: Path) -> list[Item]:
    paths = [tmp_path / f"{value}.png" for value in range(IMAGES)]
    for value, path in enumerate(paths):
        Image.fromarray(np.full((8, 8, 3), 40 * value, dtype=np.uint8)).save(path)
    return [Item(path.name, path) for path in paths]


@pytest.mark.parametrize("backend", BACKENDS)
def test_each_billed_answer_is_recorded(
    backend: str,
    server: ProviderServer,
    pictures: list[Item],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(limits, "LONGEST_WAIT_SECONDS", 0.02)
    (tmp_path / "prices.yaml").write_text(PRICES)
    provider, _ = BACKENDS[backend]
    runner = DefaultRunner(
        requests=Requests(in_flight=2, deadline_seconds=60),
        cache="off",
        prices=tmp_path / "prices.yaml",
        stop_after_failures=None,
    )
    asked = captioner(backend, server, image_tokens=(1000, 1000))
    for name, (answer, outcome, times) in CASES.items():
        server.behave(script=[Answer(body=answer(provider)) for _ in range(8 * IMAGES)])
        server.requests.clear()
        folder = RunFolder(tmp_path / name)
        with folder.ledger() as ledger:
            runner.run(asked, PROMPT, pictures, ledger.record, book=ledger)
        run = folder.load()
        captions = run.attempts.captions
        assert {caption.outcome for caption in captions.values()} == {outcome}, (name, captions)
        assert len(server.requests) == (times * IMAGES or IMAGES + 1), name
        assert sum(caption.attempts for caption in captions.values()) == len(server.requests), name
        # Every answer counts, at its usage where that is true, else at the most that it can cost.
        cost_usd = run.attempts.cost_usd
        assert cost_usd is not None, name
        assert cost_usd >= 0.9 * ANSWER_USD * len(server.requests), name
        written = "".join(path.read_text() for path in folder.path.glob("*.jsonl"))
        assert KEY not in written, name
