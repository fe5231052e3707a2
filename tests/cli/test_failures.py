"""A run that fails says why, how often and what to type; and it stops where all images fail alike."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from evaluator.cli.main import exit_code
from tests.provider_server import ProviderServer
from tests.wire_formats import KEY, Answer, document, error, said

Run = Callable[..., tuple[int, str]]

UNABLE = error("gemini", 400, "INVALID_ARGUMENT", "Unable to process input image. Please retry or report")
NO_IMAGES = error("openai", 400, "BadRequestError", "At most 0 image(s) may be provided in one request.")
CONTEXT = error(
    "openai",
    400,
    "BadRequestError",
    "This model's maximum context length is 2048 tokens. However, you requested 3120 tokens",
)
TOO_LARGE = Answer(413, "<html><h1>413 Request Entity Too Large</h1></html>", content_type="text/html")
GEMINI = ("model=gemini",)
VLLM = ("model=vllm", "model.model=qwen")


def thoughts_only(number: int) -> list[Answer]:
    """Gemini's answers when reasoning took all the tokens; each has an id of its own."""
    return [Answer(body=document("gemini", None, "MAX_TOKENS")) for _ in range(number)]


@pytest.fixture
def service() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        server.key = None
        yield server


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`evaluator run` in this process over the first images of the demo; its exit code and its output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    monkeypatch.setenv("EVALUATOR_CACHE", str(tmp_path / "cache"))

    def command(*arguments: str, images: int = 60) -> tuple[int, str]:
        fixed = ["data=demo", f"limit={images}", "scorer=[bleu]", "resamples=10", "name=one"]
        monkeypatch.setattr(sys, "argv", ["evaluator", "run", "prompt=one-sentence", *fixed, *arguments])
        code = exit_code()
        logging.getLogger("evaluator").handlers = []
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return command


def captions(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "runs/one/captions.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    ("model", "answer", "reason", "advice"),
    [
        pytest.param(
            GEMINI,
            None,
            "empty: the answer is empty (MAX_TOKENS): it was cut off after 12 tokens, 5 of them for",
            "type model.max_output_tokens=",
            id="P20",
        ),
        pytest.param(GEMINI, UNABLE, "Unable to process input", "convert it to JPEG", id="P22-badimage"),
        pytest.param(VLLM, NO_IMAGES, "At most 0 image(s)", "model takes no pictures", id="P26-vllmtext"),
        pytest.param(VLLM, CONTEXT, "maximum context length", "a smaller model.longest_side", id="P26-ctx"),
        pytest.param(VLLM, TOO_LARGE, "413", "a smaller model.longest_side", id="413"),
    ],
)
def test_where_the_first_ten_fail_alike_the_run_stops_and_says_what_to_type(
    model: tuple[str, ...],
    answer: Answer | None,
    reason: str,
    advice: str,
    run: Run,
    service: ProviderServer,
    tmp_path: Path,
) -> None:
    service.script(*([answer] * 60 if answer else thoughts_only(60)))
    provider = "gemini" if model == GEMINI else "openai"
    code, output = run(*model, f"model.base_url={service.base_url(provider)}")
    assert code == 2
    assert "the first 10 images have failed in the same way" in output
    assert reason in " ".join(output.split())
    assert advice in output
    assert "type runner.stop_after_failures=null" in output
    assert "Traceback" not in output
    assert sum(service.statuses.values()) == len(captions(tmp_path)) <= 20


def test_a_setting_goes_on_and_the_end_counts_the_reasons(
    run: Run, service: ProviderServer, tmp_path: Path
) -> None:
    service.script(*[UNABLE] * 12, *thoughts_only(3))
    code, output = run(
        *GEMINI,
        f"model.base_url={service.base_url('gemini')}",
        "runner.stop_after_failures=null",
        images=20,
    )
    assert code == 3
    assert "15 of 20 images have no caption" in output
    assert "12 failed with an error: 400 INVALID_ARGUMENT: Unable to process input image" in output
    assert "3 empty: the answer is empty (MAX_TOKENS)" in output
    assert output.index("  12 failed with an error: ") < output.index("  3 empty: ")
    assert "the command of the run tries 12 of them again; first remove the cause" in output
    assert "run the same command again" not in output


def test_one_picture_that_is_too_large_for_a_gateway_is_one_outcome(
    run: Run, service: ProviderServer
) -> None:
    service.script(said("openai", "a dog"), TOO_LARGE)
    code, output = run(
        *VLLM, f"model.base_url={service.base_url('openai')}", "runner.requests.in_flight=1", images=12
    )
    assert code == 3
    assert "1 of 12 images has no caption" in output


def test_a_server_that_does_not_run_is_asked_for_within_seconds(
    run: Run, service: ProviderServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("evaluator.runner.limits.FIRST_WAIT_SECONDS", 0.01)
    with ProviderServer() as stopped:
        address = stopped.base_url("openai")
    code, output = run(*VLLM, f"model.base_url={address}")
    assert code == 2
    assert "Is the server running, and its address right?" in " ".join(output.split())
    assert address in output
    assert not captions(tmp_path)
