"""`evaluator arena judge`: a chat model votes, through the SDKs and the runner; nothing is asked twice."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from evaluator.arena.judge_votes import together
from evaluator.arena.votes import Vote, append_vote, read_votes
from tests.arena.conftest import VotingJudge, longer
from tests.killed import kill_after_lines
from tests.wire_formats import Answer, document, error, said

VOTES = Path("runs/votes-gpt-mini.jsonl")


def votes_in(voter: VotingJudge, path: Path = VOTES) -> list[Vote]:
    return read_votes([voter.folder / path])[0]


@pytest.mark.parametrize("provider", ["openai", "anthropic", "gemini"])
def test_each_question_is_asked_in_both_orders_with_the_picture(
    voter: VotingJudge, runs: list[Path], provider: str
) -> None:
    done = voter("judge", *runs[:2], "--questions", 3, provider=provider)
    assert done.returncode == 0, done.stderr
    (path,) = (voter.folder / "runs").glob("votes-*.jsonl")
    votes = votes_in(voter, path)
    assert voter.asked == 6
    assert sorted((vote.image, vote.left) for vote in votes) == sorted(
        (vote.image, left) for vote in together(votes) for left in ("a", "b")
    )
    assert {vote.preferred for vote in votes} == {"blip"}  # the longer one, wherever it stood
    assert {(vote.by, vote.reason) for vote in votes} == {("judge", "it says more")}
    assert "The longer caption wins: 100 %" in done.stdout
    assert "changes the answer to 0 %" in done.stdout
    for request in voter.server.requests:
        text = json.dumps(request.document)
        assert "image" in text
        assert "references-" not in text
        assert "blip" not in text  # nothing names a system


def test_nothing_is_asked_twice_and_a_plan_asks_nothing(voter: VotingJudge, runs: list[Path]) -> None:
    planned = voter("judge", *runs, "--questions", 4, "--plan")
    assert planned.returncode == 0, planned.stderr
    assert planned.stdout.splitlines()[1].split()[:2] == ["gpt-mini", "8"]
    assert "probably $" in planned.stdout
    assert (voter.asked, (voter.folder / VOTES).exists()) == (0, False)
    first = voter("judge", *runs, "--questions", 4)
    assert first.returncode == 0, first.stderr
    assert "8 answers, $0.0081, kept in runs/judgements/gpt-mini" in first.stdout
    written = (voter.folder / VOTES).read_bytes()
    again = voter("judge", *runs, "--questions", 4, "cache=off")
    assert again.returncode == 0, again.stderr
    assert (voter.asked, (voter.folder / VOTES).read_bytes()) == (8, written)
    # More questions ask only about what is new, and so does a caption that changed.
    assert voter("judge", *runs, "--questions", 6, "cache=off").returncode == 0
    assert voter.asked == 12
    captions = runs[0] / "captions.jsonl"
    captions.write_text(captions.read_text().replace("number 1", "in number 1"))
    assert voter("judge", *runs, "--questions", 18, "cache=off").returncode == 0
    about_it = {vote.image for vote in votes_in(voter) if vote.image == "1"}
    assert about_it == {"1"}
    assert len(votes_in(voter)) == 36


def test_the_judge_is_asked_what_people_were_asked(voter: VotingJudge, runs: list[Path]) -> None:
    votes = voter.folder / "runs" / "votes.jsonl"
    for number, winner in enumerate(("a", "b", "tie", "skip")):
        append_vote(votes, Vote(str(number), "git", "llava", winner, "anna", "a", str(number)))  # type: ignore[arg-type]
    done = voter("judge", *runs)
    assert done.returncode == 0, done.stderr
    assert {(vote.image, vote.question) for vote in votes_in(voter)} == {
        (str(n), (str(n), frozenset(("git", "llava")))) for n in range(3)
    }
    shown = voter.command("arena", "results", votes, VOTES)
    assert shown.returncode == 0, shown.stderr
    for text in (
        "Bradley-Terry ratings: 3 votes, 3 images, 1 rater",
        "Bradley-Terry ratings by the judge gpt-mini: 3 votes, 3 images",
        "The judge says what people say: 33 % (6–79) of 3 votes of people",
        "The same without ties: 50 % (9–91) of 2",
        "The longer caption wins: 100 % (44–100) of 3; with people: 50 % (9–91) of 2",
    ):
        assert text in shown.stdout, shown.stdout
    rows = json.loads(voter.command("arena", "results", votes, VOTES, "--format", "json").stdout)
    assert [(row["by"], row["system"], row["votes"]) for row in rows[2:]] == [
        ("gpt-mini", "llava", 3),
        ("gpt-mini", "git", 3),
    ]
    assert [row["by"] for row in rows[:2]] == ["people", "people"]


def test_a_judge_that_always_says_a_gives_ties_alone(voter: VotingJudge, runs: list[Path]) -> None:
    voter.server.judge = lambda pair: '{"better": "A"}'
    done = voter("judge", *runs, "--questions", 9)
    assert done.returncode == 0, done.stderr
    assert "Position bias: the other order of the captions changes the answer to 100 %" in done.stdout
    assert "The caption that the judge reads first wins: 100 %" in done.stdout
    assert {vote.winner for vote in together(votes_in(voter))} == {"tie"}


def test_what_is_no_answer_is_no_vote_and_kept(voter: VotingJudge, runs: list[Path]) -> None:
    """The first order of each question gets nonsense, a refusal, half an answer, or an error."""
    strange = {
        "0": "They are both lovely!",
        "1": said("openai", None, refusal="I do not judge dogs."),
        "2": said("openai", '{"reason": "the', finish="length"),
        "3": error("openai", 400, message="too odd"),
    }
    voter.server.judge = lambda pair: (
        strange.get(pair.split("number ")[1][0], longer(pair)) if pair.index("park") < 25 else longer(pair)
    )
    done = voter("judge", *runs[:2], "--questions", 6)
    assert done.returncode == 3  # what ended with an error can still be asked
    votes = {(vote.image, vote.winner == "skip"): vote.reason for vote in votes_in(voter)}
    assert "They are both lovely!" in votes["0", True]
    assert "I do not judge dogs." in votes["1", True]
    assert '{"reason": "the' in votes["2", True]
    assert votes["3", True].startswith("error: ")
    assert "3 answers choose no caption: no votes, their text is kept" in done.stderr
    assert "1 questions have no answer yet" in done.stderr
    assert "Questions without an answer in one order, which do not count: 4" in done.stdout
    assert sorted(vote.image for vote in together(votes_in(voter)) if vote.is_answer) == [
        "4",
        "5",
    ]
    kept = voter.folder / "runs" / "judgements" / "gpt-mini" / "answers.jsonl"
    assert "They are both lovely!" in kept.read_text()
    voter.server.judge, before = longer, voter.asked
    assert voter("judge", *runs[:2], "--questions", 6).returncode == 0
    assert voter.asked == before + 1


def test_the_budget_holds_and_the_next_command_goes_on(voter: VotingJudge, runs: list[Path]) -> None:
    done = voter("judge", *runs[:2], "--questions", 6, "budget_usd=0.01")
    assert done.returncode == 3
    assert 0 < voter.asked < 12
    assert "The same command asks them again" in done.stderr
    assert voter("judge", *runs[:2], "--questions", 6, "budget_usd=1").returncode == 0
    assert voter.asked == 12


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9 here")
def test_a_killed_command_goes_on_where_it_was(voter: VotingJudge, runs: list[Path]) -> None:
    """One request at a time, each after a while: the kill comes while the third question is open."""
    voter.server.judge = lambda pair: Answer(body=document("openai", longer(pair)), seconds=0.5)
    line = ["arena", "judge", *map(str, runs[:2]), *voter.arguments(), "--questions", "3", "cache=off"]
    answers = voter.folder / "runs" / "judgements" / "gpt-mini" / "answers.jsonl"
    survived = kill_after_lines([*line, "runner.requests.in_flight=1"], voter.folder, answers, 2)
    voter.server.judge = longer
    assert voter("judge", *runs[:2], "--questions", 3, "cache=off").returncode == 0
    assert answers.read_bytes().startswith(survived)
    assert len({json.loads(each)["item_id"] for each in answers.read_bytes().splitlines()}) == 6
    assert len(answers.read_bytes().splitlines()) == 6
    assert voter.asked in (6, 7)  # the question that was open may have been answered
    assert len(votes_in(voter)) == 6


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["runs/git"], "type two runs or more"),
        (["runs/git", "runs/blip", "judge.base_ur=x"], "judge.base_ur: there is no such option"),
        (["runs/git", "runs/blip", "judge.temperature=["], "cannot read judge.temperature=[ as YAML"),
        (["runs/git", "runs/blip", "--judge", "tiny-git"], "the judge tiny-git only captions pictures"),
        (["runs/git", "runs/blip", "--rubric", "clair"], "it is for the scorer judge"),
        (["runs/git", "runs/blip", "judge.key_variable=NO_SUCH_KEY"], "NO_SUCH_KEY is not set"),
        (["runs/git", "runs/blip", "budget_usd=1", "judge.model=mine"], "budget_usd: no price of mine"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_asked(
    voter: VotingJudge, runs: list[Path], arguments: list[str], told: str
) -> None:
    line = ["arena", "judge", "--judge", "gpt-mini", *arguments]
    done = voter.command(*line)
    assert done.returncode == 2
    assert told in done.stderr
    assert voter.server.requests == []


def test_references_are_an_option(voter: VotingJudge, runs: list[Path]) -> None:
    done = voter("judge", *runs[:2], "--questions", 1, "--rubric", "pair-references")
    assert done.returncode == 0, done.stderr
    assert all("a dog" in json.dumps(each.document) for each in voter.server.requests)
    assert all("<references-" in json.dumps(each.document) for each in voter.server.requests)
    (vote, _) = votes_in(voter, Path("runs/votes-gpt-mini-pair-references.jsonl"))
    assert vote.rater == "gpt-mini pair-references"
