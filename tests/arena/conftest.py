"""Runs to vote on, and a chat model behind the server of the tests that votes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from PIL import Image

from evaluator.core import Item
from tests.judging_commands import JudgingCommands
from tests.models.conftest import server  # noqa: F401  (a fixture)
from tests.provider_server import ProviderServer
from tests.scored_runs import scored_run

MODELS = {"openai": "gpt-mini", "anthropic": "claude-haiku", "gemini": "gemini"}
NAMES = ("git", "blip", "llava")
IMAGES = 6


def captions_of(name: str, images: int = IMAGES) -> dict[str, str]:
    """A system's captions; that of `llava` is the longest."""
    more = {"git": "", "blip": " in a park", "llava": " in a park on a sunny day"}[name]
    return {str(n): f"a dog number {n}{more}" for n in range(images)}


def longer(pair: str) -> str:
    """What a judge answers that prefers the longer of two captions, told as `first | second`."""
    first, second = pair.split(" | ")
    return json.dumps({"reason": "it says more", "better": "A" if len(first) > len(second) else "B"})


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    """Three systems on six pictures, in the folder runs."""
    items = []
    for n in range(IMAGES):
        path = tmp_path / f"{n}.png"
        Image.new("RGB", (24, 16), (40 * n, 90, 120)).save(path)
        items.append(Item(str(n), path, (f"a dog {n}",)))
    return [
        scored_run(tmp_path / "runs" / name, captions_of(name), {"CIDEr": [0.5] * IMAGES}, items)
        for name in NAMES
    ]


class VotingJudge(JudgingCommands):
    """Commands of the arena with a judge that prefers the longer caption."""

    def __init__(
        self, folder: Path, command: Callable[..., CompletedProcess[str]], judge: ProviderServer
    ) -> None:
        super().__init__(folder, command, judge)
        judge.judge = longer

    def arguments(self, provider: str = "openai") -> list[str]:
        address = f"judge.base_url={self.server.base_url(provider)}"
        return [
            "--judge",
            MODELS[provider],
            address,
            *(["prices=prices.yaml"] if provider == "openai" else []),
        ]

    def __call__(self, *arguments: object, provider: str = "openai") -> CompletedProcess[str]:
        return self.command("arena", *arguments, *self.arguments(provider))


@pytest.fixture
def voter(
    tmp_path: Path,
    command: Callable[..., CompletedProcess[str]],
    server: ProviderServer,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> VotingJudge:
    monkeypatch.setenv("EVALUATOR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return VotingJudge(tmp_path, command, server)
