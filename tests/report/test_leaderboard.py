"""What is bold, where the whiskers lie, and what is said of missing numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.comparison.compare import compare
from evaluator.core import Caption, Outcome, Score, Signature
from evaluator.report.formatting import QUANTITIES
from evaluator.report.leaderboard import leaderboard_rows, notes
from evaluator.report.page.plots import WHISKER_MARGIN, WHISKER_WIDTH, whisker_axis

MakeRun = Callable[..., Path]

VALUES = st.floats(0, 10)
SCORES = st.lists(
    st.tuples(VALUES, VALUES, VALUES)
    .map(sorted)
    .map(lambda v: Score("CIDEr", v[1], v[0], v[2], Signature("CIDEr"))),
    min_size=2,
    max_size=6,
)


@given(SCORES)
def test_whiskers_share_one_scale(scores: list[Score]) -> None:
    axis = whisker_axis(scores)
    assert axis is not None
    ends = []
    for score in scores:
        low, middle, high = map(axis.position, (score.low, score.value, score.high))
        assert WHISKER_MARGIN <= low <= middle <= high <= WHISKER_WIDTH - WHISKER_MARGIN
        ends += [(score.low, low), (score.value, middle), (score.high, high)]
    ends.sort()
    assert [position for _, position in ends] == sorted(position for _, position in ends)
    assert ends[0][1] == WHISKER_MARGIN
    spread = max(score.high for score in scores) - min(score.low for score in scores)
    assert ends[-1][1] == (WHISKER_WIDTH - WHISKER_MARGIN if spread else WHISKER_MARGIN)


def test_a_lone_interval_is_not_drawn() -> None:
    alone = Score("CIDEr", 0.5, 0.4, 0.6, Signature("CIDEr"))
    assert whisker_axis([]) is None
    assert whisker_axis([alone]) is None
    assert whisker_axis([alone, alone]) is not None


def bold(*runs: Path) -> list[list[bool]]:
    """For each metric, which runs are marked, in the order of the leaderboard."""
    rows = leaderboard_rows(compare(runs).best_first)
    marks = [[cell is not None and cell.is_best for cell in cells] for _, cells in rows]
    return [list(column) for column in zip(*marks, strict=True)]


def test_what_prints_like_the_best_is_bold_too(make_run: MakeRun) -> None:
    runs = [make_run(n, {"1": "a"}, {"CIDEr": [v]}) for n, v in (("a", 0.50041), ("b", 0.5), ("c", 0.4))]
    assert bold(*runs) == [[True, True, False]]


def test_the_lowest_is_bold_where_lower_is_better(make_run: MakeRun) -> None:
    runs = [
        make_run(n, {"1": "a"}, {"CHAIR": [v]}, higher_is_better=False) for n, v in (("a", 0.5), ("b", 0.4))
    ]
    assert [row.label for row, _ in leaderboard_rows(compare(runs).best_first)] == ["b", "a"]
    assert bold(*runs) == [[True, False]]


def test_nothing_is_bold_in_a_single_run_or_among_different_metrics(make_run: MakeRun) -> None:
    one = make_run("one", {"1": "a"}, {"CIDEr": [0.5]})
    two = make_run("two", {"1": "a"}, {"CIDEr": [0.4]}, signature="CIDEr|n:3")
    assert bold(one) == [[False]]
    assert bold(one, two) == [[False, False]]


def test_runs_without_the_lead_metric_come_last(make_run: MakeRun) -> None:
    none = make_run("none", {"1": "a"}, {}, reasons={"CIDEr": "no captions"})
    some = make_run("some", {"1": "a"}, {"CIDEr": [0.0]})
    assert [row.label for row in compare([none, some]).best_first.rows] == ["some", "none"]


def test_speed_and_coverage(make_run: MakeRun) -> None:
    run = make_run("run", {"1": "a"}, {"CIDEr": [0.5]}, images_per_second=12.345)
    (row,) = compare([run]).rows
    texts = {name: text(row.results) for name, text in QUANTITIES.items()}
    assert texts == {"coverage": "100.00 %", "images/s": "12.3", "load": "", "memory": "", "cost": ""}


def test_a_reason_is_said_once_for_all_that_it_concerns(make_run: MakeRun) -> None:
    runs = [
        make_run(name, {"1": "a"}, {"BLEU-1": [0.5]}, reasons={"METEOR": "no Java", "SPICE": "no Java"})
        for name in ("a", "b")
    ]
    assert notes(compare(runs))[0] == "METEOR, SPICE not computed: no Java"


def test_a_metric_over_fewer_images_than_captions_says_so(make_run: MakeRun) -> None:
    # A score over nothing is a row of zeros, which make_run cannot write: one of the two rows is changed.
    run = make_run("run", {"1": "a", "2": "b"}, {"CLIPScore": [0.5, 0.5]})
    document = json.loads((run / "scores.json").read_bytes())
    document["scores"]["CLIPScore"]["images"] = 1
    (run / "scores.json").write_text(json.dumps(document))
    assert notes(compare([run])) == ["CLIPScore of run covers 1 of its 2 captions."]


def test_runs_that_cover_the_same_images_share_a_note(make_run: MakeRun) -> None:
    texts = {"1": "a", "2": "b", "3": "c"}
    runs = [make_run(name, texts, {"BLEU-4": [0.5] * 3, "CIDEr": [0.5] * 3}) for name in ("a", "b")]
    fewer = texts | {"3": Caption("3", Outcome.EMPTY)}
    runs.append(make_run("c", fewer, {"BLEU-4": [0.5] * 2, "CIDEr": [0.5] * 2}))
    assert "BLEU-4 and CIDEr of a and b cover 2 of 3 captions." in notes(compare(runs))


@pytest.mark.parametrize(("idf", "said"), [("corpus", True), ("karpathy-test", False)])
def test_cider_from_its_own_references_says_so(make_run: MakeRun, idf: str, said: bool) -> None:
    run = make_run("run", {"1": "a"}, {"CIDEr": [0.5]}, signature=f"CIDEr|idf:{idf}|images:1")
    assert any("document frequencies" in note for note in notes(compare([run]))) is said


def test_what_is_known_of_the_metrics_agreement_with_people(make_run: MakeRun) -> None:
    scores = {"BLEU-1": [0.5], "BLEU-4": [0.5], "CIDEr": [0.5], "Mine": [0.5]}
    *_, note = notes(compare([make_run("run", {"1": "a"}, scores)]))
    assert note.startswith("Agreement with people")
    assert ": CIDEr 43.9, BLEU-4 30.8." in note
