"""Files of votes: appended to by several processes, torn by a kill, merged, and of other programs."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest

from evaluator.arena.consistency import consistency
from evaluator.arena.votes import Vote, append_vote, caption_digest, read_votes
from evaluator.core.errors import DataError

VOTE = Vote("139", "gemini", "blip2", "a", "anna", "b", "2026-05-04T10:31:09Z", "", "5f1c", "a0b3")


def many(path: Path, rater: str) -> None:
    for number in range(40):
        append_vote(path, Vote(str(number), "x", "y", "tie", rater, time=f"{number}"))


def test_a_vote_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "votes.jsonl"
    append_vote(path, VOTE)
    assert read_votes([path]) == ([VOTE], [])


def test_the_winner_is_a_column_before_it_is_a_name(tmp_path: Path) -> None:
    """Runs may be called b and a: their votes are not turned round when they are read."""
    path = tmp_path / "votes.jsonl"
    votes = [Vote("1", "b", "a", "a", time="1"), Vote("2", "model_b", "model_a", "b", time="2")]
    for vote in votes:
        append_vote(path, vote)
    assert read_votes([path])[0] == votes
    (tmp_path / "votes.csv").write_text("image,a,b,winner\n3,model_b,model_a,model_b\n")
    assert read_votes([tmp_path / "votes.csv"])[0] == [Vote("3", "model_b", "model_a", "a")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_votes_that_powershell_concatenated(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "votes.jsonl"
    append_vote(path, VOTE)
    path.write_text(path.read_text() + path.read_text().replace("139", "140"), encoding=encoding)
    assert [vote.image for vote in read_votes([path])[0]] == ["139", "140"]


def test_processes_that_vote_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    context = multiprocessing.get_context("spawn")
    raters = [context.Process(target=many, args=(path, rater)) for rater in ("anna", "ben")]
    for rater in raters:
        rater.start()
    for rater in raters:
        rater.join()
    votes, warnings = read_votes([path])
    assert len(votes) == 80
    assert not warnings


def test_a_torn_line_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    append_vote(path, VOTE)
    with path.open("ab") as file:
        file.write(b'{"image": "140", "a": "gem')
    append_vote(path, Vote("141", "gemini", "blip2", "tie"))
    votes, warnings = read_votes([path])
    assert [vote.image for vote in votes] == ["139", "141"]
    assert warnings == [f"{path}: lines that a killed process left unfinished were skipped: 1"]


def test_merged_files_hold_each_vote_once(tmp_path: Path) -> None:
    first, second = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    append_vote(first, VOTE)
    second.write_bytes(first.read_bytes() * 2)
    assert read_votes([first, second])[0] == [VOTE]
    without_time = {"image": "1", "a": "x", "b": "y", "winner": "a"}
    second.write_text((json.dumps(without_time) + "\n") * 2)
    assert len(read_votes([second])[0]) == 2


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("v.csv", "image,a,b,winner\n7,x,y,b\n"),
        ("v.csv", "image;a;b;winner;rater\n7;x;y;y;\n"),
        ("v.tsv", "question_id\tmodel_a\tmodel_b\twinner\n7\tx\ty\tmodel_b\n"),
        ("v.json", '[{"image_id": 7, "a": "x", "b": "y", "winner": "B", "reason": null}]'),
        ("v.jsonl", '{"image": 7, "a": "x", "b": "y", "winner": "b"}\n'),
        ("v.csv", "Image,Model A,Model-B,Winner\n7,x,y,B\n"),
    ],
)
def test_tables_of_others(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    assert read_votes([tmp_path / name])[0] == [Vote("7", "x", "y", "b")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("image,a,b,winner\n7,x,y,c\n", "line 2: the winner is one of a, b, tie, both_bad, skip, not 'c'"),
        ("image,a,b,winner\n7,x,x,a\n", "line 2: a and b are the same system, 'x'"),
        ("image,a,b\n7,x,y\n", "a vote needs winner: found 'image', 'a', 'b'"),
        ("image,a,b,winner\n7,x,,a\n", "a vote needs b or model_b or system_b"),
        ("image,a,b,winner\n7,x,tie,a\n", "no system can be called 'tie'"),
        ('[{"image": {"id": 7}, "a": "x", "b": "y", "winner": "a"}]', "image is neither text nor a number"),
        ('[{"image": NaN, "a": "x", "b": "y", "winner": "a"}]', "a vote needs image"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "votes.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=message):
        read_votes([path])


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("mine")
    (tmp_path / "votes.jsonl").symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match="link"):
        append_vote(tmp_path / "votes.jsonl", VOTE)
    assert (tmp_path / "target").read_text() == "mine"


def test_digests_tell_captions_apart() -> None:
    assert caption_digest("a dog") != caption_digest("a dog.")
    assert len(caption_digest("\ud800")) == 16


def test_consistency_by_hand() -> None:
    """Two questions with two raters each, one of them answered alike; anna repeats one of two answers."""
    votes = [
        Vote("1", "x", "y", "a", "anna", "a"),
        Vote("1", "y", "x", "b", "ben", "a"),  # x as well
        Vote("2", "x", "y", "a", "anna", "b"),
        Vote("2", "x", "y", "b", "ben", "b"),
        Vote("3", "x", "y", "a", "anna", "a"),
        Vote("3", "y", "x", "b", "anna", "b"),  # x again
        Vote("4", "x", "y", "tie", "anna", "a"),
        Vote("4", "x", "y", "a", "anna", "a"),
        Vote("5", "x", "y", "skip", "anna", "a"),
    ]
    found = consistency(votes)
    assert found.two_raters is not None
    assert (found.two_raters.value, found.two_raters.of) == (0.5, 2)
    assert found.same_rater is not None
    assert (found.same_rater.value, found.same_rater.of) == (0.5, 2)
    assert found.left is not None
    assert (found.left.value, found.left.of) == (5 / 7, 7) or found.left.of == 7
    # Coincidences: xx 2, xy 1, yx 1. Observed disagreement 2/4, expected 2*3*1/(4*3) = 1/2: alpha is 0.
    assert found.alpha == pytest.approx(0.0)
    assert found.alpha_questions == 2
