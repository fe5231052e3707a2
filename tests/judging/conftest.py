"""A small run to judge: captions in a file, their references, and a server that plays the judge."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from evaluator.config.run_config import run_configs
from evaluator.evaluate import evaluate
from evaluator.store.run import Run
from evaluator.store.run_folder import RunFolder
from tests.judging_commands import JudgingCommands
from tests.models.conftest import server  # noqa: F401  (a fixture)
from tests.provider_server import ProviderServer

CAPTIONS = {
    "1": "a dog runs",
    "2": "two cats sleep",
    "3": "a red bus",
    "4": "people at a table",
    "5": "a plate of food",
    "6": "a man surfs",
}


class Judging(JudgingCommands):
    """`evaluator run` over the captions, with a judge behind the server of the tests."""

    def __init__(
        self, folder: Path, command: Callable[..., CompletedProcess[str]], judge: ProviderServer
    ) -> None:
        super().__init__(folder, command, judge)
        self.path = folder / "runs" / "one"
        self.write(CAPTIONS)

    def write(self, captions: Mapping[str, str]) -> None:
        images = [{"id": int(item), "file_name": f"{item}.png"} for item in CAPTIONS]
        notes = [
            {"image_id": int(item), "caption": f"{text} {n}"} for item, text in CAPTIONS.items() for n in "ab"
        ]
        (self.folder / "refs.json").write_text(json.dumps({"images": images, "annotations": notes}))
        found = [{"image_id": int(item), "caption": text} for item, text in captions.items()]
        (self.folder / "captions.json").write_text(json.dumps(found))

    @property
    def arguments(self) -> list[str]:
        return [
            *("model=replay", "model.captions=captions.json", "data=karpathy", "data.annotations=refs.json"),
            *("resamples=50", "prices=prices.yaml", *self.judge),
        ]

    @property
    def judge(self) -> list[str]:
        address = self.server.base_url("openai")
        return [
            "scorer=[rouge,judge]",
            "scorer.judge.model=gpt-mini",
            f"scorer.judge.options.base_url={address}",
        ]

    def __call__(self, *more: str, name: str = "one") -> Run:
        """Caption and score, as `evaluator run` does before it compares and reports."""
        (config,) = run_configs([*self.arguments, f"name={name}", *more])
        return evaluate(config)

    def without_a_judge(self, *more: str) -> Run:
        rest = [option for option in self.arguments if not option.startswith("scorer")]
        return evaluate(run_configs([*rest, "scorer=[rouge]", "name=one", *more])[0])

    def typed(self, *more: str) -> CompletedProcess[str]:
        """The whole command, with its table."""
        return self.command("run", *self.arguments, "name=one", *more)

    def score(self, metric: str = "CLAIR (gpt-mini)") -> Any:
        return next(one for one in RunFolder(self.path).load().results.scores if one.name == metric)

    def notes(self, metric: str = "CLAIR (gpt-mini)") -> list[str]:
        return list(RunFolder(self.path).load().measurements[metric].notes)


@pytest.fixture
def judging(
    tmp_path: Path,
    command: Callable[..., CompletedProcess[str]],
    server: ProviderServer,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> Judging:
    monkeypatch.setenv("EVALUATOR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return Judging(tmp_path, command, server)
