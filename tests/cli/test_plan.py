"""`evaluator plan` as it is typed: what it says, and that it sends nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runner.conftest import Server

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def remote(own: Path, server: Server, tmp_path: Path) -> list[str]:
    (tmp_path / "prices.yaml").write_text("test-model: {input: 10, output: 10, date: 2026-01-31}\n")
    return ["--config-dir", str(own), "model=remote", f"model.url={server.url}", "prices=prices.yaml"]


def row(output: str, model: str) -> list[str]:
    (line,) = (line for line in output.splitlines() if line.startswith(f"{model} "))
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_tokens_money_and_minutes_by_hand(command: Command, remote: list[str], server: Server) -> None:
    """200 images of 80 to 100 tokens in and 5 to 20 out, $10 a million; 50 and 4,800 tokens a minute."""
    limits = ["runner.requests.per_minute=50", "runner.requests.tokens_per_minute=4800"]
    done = command("plan", *remote, *limits)
    assert row(done.stdout, "remote") == (
        ["remote", "200", "16k to 20k", "1,000 to 4,000", "0.17 to 0.24", "5.0"]
    )
    assert (
        "remote: probably $0.22, with 90 input and 20 output tokens per image (a guess: it has no earlier run"
        in done.stdout
    )
    assert "$10 input, $10 output per million tokens" in done.stdout
    assert "(prices=FILE, 2026-01-31)" in done.stdout
    assert "remote: at most 50 requests and 4,800 tokens per minute" in done.stdout
    assert server.requests == 0


def test_each_model_of_a_sweep_has_its_own_limits(command: Command, remote: list[str]) -> None:
    limits = "runner.requests.limits={test-model: {per_minute: 100}, other: {per_minute: 20}}"
    done = command("plan", *remote, "model.model=test-model,other", limits)
    assert [line.split()[-1] for line in done.stdout.splitlines() if line.startswith("remote ")] == [
        "2.0",
        "10.0",
    ]


def test_what_is_there_is_left_out(command: Command, remote: list[str], server: Server) -> None:
    ran = command("run", *remote, "scorer=[bleu]", "resamples=10", "budget_usd=0.0505")
    assert ran.returncode == 3, ran.stderr
    done = command("plan", *remote)
    assert row(done.stdout, "remote")[:2] == ["remote", "150"]
    assert "remote: 50 more images already have a caption" in done.stdout


def test_several_models_and_one_that_costs_nothing(command: Command, own: Path) -> None:
    done = command("plan", "--config-dir", own, "model=tiny-git,remote")
    assert row(done.stdout, "tiny-git") == ["tiny-git", "200", "-", "-", "free", "-"]
    assert row(done.stdout, "remote")[-2:] == ["not known", "-"]
    assert "remote: the price is not known" in done.stdout


def test_several_prompts_of_a_model_are_told_apart(command: Command, remote: list[str]) -> None:
    done = command("plan", *remote, "--prompt", "What is it, briefly?", "--prompt", "Describe it.", "limit=2")
    _, *rows = done.stdout.splitlines()[:3]
    assert [each.split("  ")[0] for each in rows] == ["remote What is it, briefly?", "remote Describe it."]
    assert done.stdout.count("$10 input") == 1
