"""Votes find the runs of a comparison, or say that they do not."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from evaluator.arena.systems import captions_near
from evaluator.arena.voted import voted_on
from evaluator.arena.votes import Vote, append_vote, caption_digest
from evaluator.comparison.compare import compare
from evaluator.core.errors import DataError
from tests.arena.conftest import captions_of


def vote(number: int, a: str, b: str, winner: str = "a", with_digests: bool = True, **more: str) -> Vote:
    said = [caption_digest(captions_of(name)[str(number)]) if with_digests else "" for name in (a, b)]
    return Vote(str(number), a, b, winner, "anna", "a", f"{number}", "", *said, **more)  # type: ignore[arg-type]


@pytest.fixture
def votes(runs: list[Path]) -> Path:
    """Git always wins against blip; nobody was asked about llava."""
    path = runs[0].parent / "votes.jsonl"
    for number in range(6):
        append_vote(path, vote(number, "git", "blip"))
    return path


def test_votes_beside_the_runs_are_found(runs: list[Path], votes: Path) -> None:
    found = voted_on(compare(runs))
    (people,) = found.panels
    git, blip = (people.rating(name) for name in ("git", "blip"))
    assert git is not None
    assert blip is not None
    assert (git.won, blip.lost, git.votes) == (6, 6, 6)
    assert git.rating > blip.rating
    assert people.rating("llava") is None
    assert found.warnings == ()
    assert voted_on(compare(runs), []).panels == ()
    votes.unlink()
    assert voted_on(compare(runs)).panels == ()


def test_a_run_that_was_renamed_is_found_by_its_captions(runs: list[Path], votes: Path) -> None:
    renamed = runs[0].rename(runs[0].with_name("git-fine-tuned"))
    (people,) = voted_on(compare([renamed, *runs[1:]])).panels
    assert people.ratings.systems[0].system == "git-fine-tuned"
    # A run with another name in the table is found by its folder.
    (people,) = voted_on(compare([renamed, *runs[1:]], names={str(renamed): "GIT"})).panels
    assert people.ratings.systems[0].system == "GIT"


def test_a_run_that_nothing_tells_is_named(runs: list[Path], votes: Path) -> None:
    """Without digests, or with several runs that say the same, a renamed run is not guessed."""
    copy = shutil.copytree(runs[0], runs[0].with_name("copy"))
    renamed = runs[0].rename(runs[0].with_name("original"))
    found = voted_on(compare([copy, renamed, runs[1]]))
    assert found.warnings == (
        "no vote is on copy and original, and no run here is called git, as systems in the votes are",
    )
    assert found.panels[0].rating("blip") is not None
    with pytest.raises(
        DataError, match=re.escape("The votes are on git and blip, and the runs are called llava")
    ):
        voted_on(compare([runs[2]]), [votes])
    (warning,) = voted_on(compare([runs[2]])).warnings
    assert "no vote counts for these runs" in warning


def test_votes_on_captions_that_changed_do_not_count(runs: list[Path], votes: Path) -> None:
    captions = runs[0] / "captions.jsonl"
    captions.write_text(captions.read_text().replace("dog number 3", "cat number 3"))
    (runs[0] / "scores.json").unlink()
    from evaluator.config.settings import Settings
    from evaluator.scorers.rouge import ROUGE
    from evaluator.scoring import score
    from evaluator.store.run import Run

    for path in runs:
        score(Run(path), {"rouge": ROUGE()}, Settings(resamples=50))
    found = voted_on(compare(runs))
    assert found.warnings == ("1 votes are on captions that have changed since, and do not count",)
    assert found.panels[0].ratings.votes == 5


def test_a_file_that_is_no_file_of_votes_ends_nothing(runs: list[Path], votes: Path) -> None:
    """A report is written at the end of a long run, whatever lies beside it."""
    votes.write_text('{"song": "Waterloo", "votes": 12}\n')
    found = voted_on(compare(runs))
    assert found.panels == ()
    assert "votes.jsonl: line 1: a vote needs image" in found.warnings[0]
    with pytest.raises(DataError, match="line 1: a vote needs image"):
        voted_on(compare(runs), [votes])


def test_judges_have_ratings_of_their_own(runs: list[Path], votes: Path) -> None:
    path = votes.with_name("votes-gemini.jsonl")
    for number in range(6):
        judged = vote(number, "llava", "git", by="judge")
        append_vote(path, Vote(**{**vars(judged), "rater": "gemini"}))
    people, judge = voted_on(compare(runs)).panels
    assert (people.name, judge.name) == ("people", "gemini")
    assert people.rating("llava") is None
    assert judge.rating("blip") is None
    assert judge.ratings.systems[0].system == "llava"


def test_names_in_votes_lead_nowhere_else(runs: list[Path], tmp_path: Path) -> None:
    """Somebody else's votes may name any folder; only runs below those that are looked at are read."""
    here = tmp_path / "here"
    shutil.copytree(runs[0], here / "git")
    names = ("git", "../runs/blip", str(runs[2]))
    found = captions_near([Vote("0", names[0], other, "a") for other in names[1:]], [here])
    assert found is not None
    assert found.systems == ("git",)
