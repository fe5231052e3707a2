"""Where captions are much longer than the references, every format says which metric leads, and why."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluator.comparison.compare import compare
from evaluator.core import Results, Style
from evaluator.core.errors import ConfigError
from evaluator.report.summary import summarize
from evaluator.report.text import comparison as tables
from evaluator.report.text import experiment, leaderboard
from evaluator.report.text.runs import lead_score
from evaluator.store.run_folder import RunFolder

MakeRun = Callable[..., Path]
Command = Callable[..., subprocess.CompletedProcess[str]]
IDS = [str(number) for number in range(30)]
SHORT = Style(10.0, 10, 10.4, 10, 0.0, 0.0, 0.0, 0.0)
LONG = Style(41.3, 41, 10.4, 10, 0.0, 0.0, 0.9, 0.0)
REASON = (
    "Ranked by CLIPScore and not by CIDEr, which expects captions like the references: those of llm have 41 "
    "words, the references 10, and 90 % have several sentences."
)


@pytest.fixture
def runs(make_run: MakeRun) -> list[Path]:
    """The first is better by CIDEr, the second by CLIPScore."""
    captions = dict.fromkeys(IDS, "a dog")
    return [
        make_run("git", captions, {"CIDEr": [1.2] * 30, "CLIPScore": [0.7] * 30}, style=SHORT),
        make_run("llm", captions, {"CIDEr": [0.1] * 30, "CLIPScore": [0.8] * 30}, style=LONG),
    ]


def test_every_text_says_why(runs: list[Path]) -> None:
    comparison = compare(runs)
    assert [row.label for row in comparison.best_first.rows] == ["llm", "git"]
    summary = summarize(comparison)
    assert summary.headline.startswith("llm leads on CLIPScore (80.0)")
    assert summary.sentences[0] == REASON
    assert f"\n\n{REASON}\n" in tables.markdown(comparison)
    assert f"% {REASON}" in tables.latex(comparison)
    assert json.loads(tables.as_json(comparison))["lead"] == {"metric": "CLIPScore", "reason": REASON}
    for text in (leaderboard.markdown, leaderboard.latex, leaderboard.as_html):
        assert REASON in text(comparison)
    assert json.loads(leaderboard.as_json(comparison))["lead"]["metric"] == "CLIPScore"
    assert "mean CLIPScore" in experiment.markdown(comparison)
    assert experiment.markdown(comparison).endswith(f"\n\n{REASON}\n")


def test_a_list_of_runs_shows_what_leads_each(runs: list[Path]) -> None:
    def shown(path: Path) -> str:
        results: Results = RunFolder(path).load().results
        return lead_score(results)

    assert [shown(path) for path in runs] == ["CIDEr 120.0", "CLIPScore 80.0"]


def test_the_metric_that_the_user_chose_leads(runs: list[Path], command: Command, tmp_path: Path) -> None:
    comparison = compare(runs, rank_by="cider")
    assert comparison.lead_metric == "CIDEr"
    assert summarize(comparison).headline.startswith("git leads on CIDEr (120.0)")
    with pytest.raises(ConfigError, match=r"no run has a score on 'CIDR'\. Did you mean 'CIDEr'\?"):
        compare(runs, rank_by="CIDR")
    done = command("compare", *runs)
    assert done.returncode == 0
    assert REASON in " ".join(done.stdout.split())
    done = command("leaderboard", *runs, "--format", "json", "--rank-by", "CIDEr")
    document = json.loads(done.stdout)
    assert document["lead"] == {"metric": "CIDEr", "reason": ""}
    assert [one["name"] for one in document["measured"]] == ["git", "llm"]
    done = command("report", *runs, "--rank-by", "CIDEr", "--output", tmp_path / "page.html")
    assert done.returncode == 0
    assert "git leads on CIDEr" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_the_interval_of_what_leads_is_shown(make_run: MakeRun) -> None:
    scores = {"CIDEr": [0.1] * 30, "RefCLIPScore": [0.8] * 30}
    comparison = compare([make_run("llm", dict.fromkeys(IDS, "a dog"), scores, style=LONG)])
    assert comparison.headline == ("CIDEr", "RefCLIPScore")
    assert "80.0 (78.0–82.0)" in tables.markdown(comparison)
