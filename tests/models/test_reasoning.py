"""Reasoning and chat markers in the answers of servers: taken off the caption, kept with the reply."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluator.core import Caption, Item, Outcome
from evaluator.runner.default import DefaultRunner
from tests.models.backends import BACKENDS, PROMPT, captioner
from tests.provider_server import ProviderServer
from tests.wire_formats import said

THOUGHT = "<think>A sofa, and on it a cat.</think>\n\na cat on a sofa<|im_end|>"


def asked(backend: str, server: ProviderServer, photo: Path) -> Caption:
    captions: list[Caption] = []
    model = captioner(backend, server)
    DefaultRunner().run(model, PROMPT, [Item("1", photo)], captions.append)
    return captions[-1]


@pytest.mark.parametrize("backend", ["openai", "anthropic", "gemini"])
def test_the_caption_is_what_follows(backend: str, server: ProviderServer, photo: Path) -> None:
    """The second time, the answer comes from the cache."""
    server.script(said(BACKENDS[backend][0], THOUGHT))
    for source in ("model", "cache"):
        caption = asked(backend, server, photo)
        assert (caption.source, caption.outcome, caption.text) == (source, Outcome.OK, "a cat on a sofa")
        assert caption.reply
        assert caption.reply.whole_text == THOUGHT


def test_unfinished_reasoning_is_truncated(server: ProviderServer, photo: Path) -> None:
    server.script(said("openai", "<think>A sofa, and on it"))
    caption = asked("openai", server, photo)
    assert (caption.outcome, caption.text) == (Outcome.TRUNCATED, None)
