"""A system against three fixed baselines: the published score, by hand and by the command."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluator.arena.auto import auto_scores, baseline_of, comparisons
from evaluator.arena.choice import Captions
from evaluator.arena.votes import Vote, Winner, read_votes
from evaluator.core.errors import DataError
from tests.arena.conftest import VotingJudge

BASELINES = ["x", "y", "z"]


def test_the_published_score_by_hand() -> None:
    """The published program sums 1, -1 and 0 over 200 comparisons a baseline, halves the sums, and averages.

    150 won, 30 tied and 20 lost of 200: (150 - 20) / 2 = 65. With 20 and 100: -40. With none: 0. Mean 8.33.
    """
    counts = {"x": (150, 30, 20), "y": (20, 80, 100), "z": (0, 200, 0)}
    winners: tuple[Winner, ...] = ("a", "tie", "b")
    votes = [
        Vote(f"{baseline}{winner}{n}", "new", baseline, winner)
        for baseline, numbers in counts.items()
        for winner, number in zip(winners, numbers, strict=True)
        for n in range(number)
    ]
    found = auto_scores(votes, "new", BASELINES)
    assert [round(one.score, 2) for one in found] == [65.0, -40.0, 0.0, 8.33]
    assert [(one.comparisons, one.won, one.tied, one.lost) for one in found] == [
        (200, 150, 30, 20),
        (200, 20, 80, 100),
        (200, 0, 200, 0),
        (600, 170, 310, 120),
    ]
    # The standard error of x's mean: sqrt((170/200 - 0.65²) / 200) = 0.0462, so 65 ± 9.1.
    assert (found[0].low, found[0].high) == (pytest.approx(55.9, abs=1.5), pytest.approx(74.1, abs=1.5))
    exchanged = [Vote(v.image, v.b, v.a, {"a": "b", "b": "a"}.get(v.winner, v.winner)) for v in votes]  # type: ignore[arg-type]
    assert [one.score for one in auto_scores(exchanged, "new", BASELINES)] == [one.score for one in found]
    with pytest.raises(DataError, match="no question about new and z"):
        auto_scores([vote for vote in votes if vote.b != "z"], "new", BASELINES)


@settings(max_examples=50)
@given(st.sets(st.text(max_size=5), min_size=3, max_size=40), st.integers(0, 5))
def test_every_baseline_meets_a_third_of_the_images_whichever_system_is_new(
    images: set[str], lacks: int
) -> None:
    meets = baseline_of(list(images), BASELINES)
    assert baseline_of(sorted(images, reverse=True), BASELINES) == meets
    counts = Counter(meets.values())
    assert max(counts.values()) - min(counts.values()) <= 1
    said = {image: dict.fromkeys((*BASELINES, "new"), "a dog") for image in images}
    for image in sorted(images)[:lacks]:
        del said[image]["new"]
    asked = comparisons(Captions(said), "new", BASELINES, every=False)
    assert {question.image: question.b for question in asked} == {
        image: meets[image] for image in images if "new" in said[image]
    }
    assert len(comparisons(Captions(said), "new", BASELINES, every=True)) == 3 * len(asked)


def test_the_command(voter: VotingJudge, runs: list[Path]) -> None:
    """A judge that prefers the longer caption: blip beats git, and loses against llava."""
    baseline = voter.folder / "git.zip"
    assert voter.command("baseline", runs[0], "--output", baseline).returncode == 0
    line = ["auto", runs[1], "--baselines", f"{baseline},{runs[2]}"]
    planned = voter(*line, "--plan")
    assert planned.stdout.splitlines()[1].split()[1:3] == ["pair-references", "12"]
    assert voter.asked == 0
    done = voter(*line, "--output", "auto.jsonl")
    assert done.returncode == 0, done.stderr
    assert voter.asked == 12
    assert "blip has captions of 6 of the 6 images that all baselines captioned" in done.stdout
    assert "Words in a caption: blip 7.0, git 4.0, llava 11.0" in done.stdout
    assert all("<references-" in json.dumps(each.document) for each in voter.server.requests)
    assert len(read_votes([voter.folder / "auto.jsonl"])[0]) == 12
    rows = list(csv.DictReader(io.StringIO(voter(*line, "--format", "csv").stdout)))
    assert [(row["against"], float(row["score"])) for row in rows] == [
        ("git", 100.0),
        ("llava", -100.0),
        ("mean", 0.0),
    ]
    # In one order, which was asked already; against every baseline, the other half is new.
    once = json.loads(voter(*line, "--one-order", "--format", "json").stdout)
    assert [row["comparisons"] for row in once] == [3, 3, 6]
    assert voter.asked == 12
    every = json.loads(voter(*line, "--every", "--format", "json").stdout)
    assert [row["comparisons"] for row in every] == [6, 6, 12]
    assert voter.asked == 24


def test_captions_that_say_the_same_are_ties_without_a_question(voter: VotingJudge, runs: list[Path]) -> None:
    captions = runs[1] / "captions.jsonl"
    captions.write_text(captions.read_text().replace("1 in a park", "1.").replace("2 in a park", "2"))
    done = voter("auto", runs[1], "--baselines", runs[0])
    assert done.returncode == 0, done.stderr
    assert voter.asked == 8
    assert "a tie without a question: 2" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["runs/git", "runs/blip", "--baselines", "runs/llava"], "type one run and one judge"),
        (["runs/git", "--baselines", "runs/git"], "the runs need different names"),
        (["runs/git", "--baselines", "runs/blip,nowhere"], "there is no run 'nowhere'"),
    ],
)
def test_what_cannot_be_scored_is_said(
    voter: VotingJudge, runs: list[Path], arguments: list[str], told: str
) -> None:
    done = voter("auto", *arguments)
    assert done.returncode == 2
    assert told in done.stderr
