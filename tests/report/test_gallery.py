"""Which images are shown, and what stands beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.compare import compare
from evaluator.core import Caption, Item, Outcome
from evaluator.errors import StoreError
from evaluator.report.gallery import NOT_IN_RUN, Card, choose, gallery, spread_evenly

MakeRun = Callable[..., Path]


@given(st.integers(0, 300), st.integers(0, 300))
def test_places_are_spread_evenly(places: int, count: int) -> None:
    chosen = spread_evenly(range(places), count)
    assert len(chosen) == min(places, count)
    assert chosen == sorted(set(chosen))
    gaps = (
        {after - before for before, after in zip(chosen, [*chosen[1:], places], strict=True)}
        if chosen
        else {0}
    )
    assert max(gaps) - min(gaps) <= 1


def test_pictures_at_hand_come_first_in_the_order_of_the_data(tmp_path: Path) -> None:
    at_hand = tmp_path / "a.jpg"
    at_hand.write_bytes(b"anything")
    items = [Item(str(n), at_hand if n in (3, 8) else tmp_path / "gone.jpg", ()) for n in range(10)]
    assert [item.id for item in choose(items, 4)] == ["0", "3", "5", "8"]
    assert [item.id for item in choose(items, 1)] == ["3"]
    assert choose(items, 20) == items


def test_scores_are_those_of_the_image_in_points(make_run: MakeRun) -> None:
    runs = [
        make_run("a", {"1": "x", "2": "y"}, {"BLEU-4": [0.9, 0.9], "CIDEr": [0.5, 1.25]}),
        make_run("b", {"1": "x", "2": Caption("2", Outcome.REFUSED)}, {"CIDEr": [0.75], "CLIPScore": [0.6]}),
    ]
    shown = gallery(compare(runs), 10)
    assert shown.metrics == ("CIDEr", "CLIPScore")
    one, two = shown.cards
    assert [(a.label, a.caption, a.scores, a.best) for a in one.answers] == [
        ("a", "x", (50.0, None), False),
        ("b", "x", (75.0, 60.0), True),
    ]
    assert (one.spread, one.lowest) == (25.0, 50.0)
    assert [(a.outcome, a.caption, a.scores, a.best) for a in two.answers] == [
        ("ok", "y", (125.0, None), False),
        ("refused", None, (), False),
    ]
    assert (two.spread, two.lowest) == (None, 125.0)


def test_no_best_where_the_same_caption_could_score_differently(make_run: MakeRun) -> None:
    runs = [
        make_run(name, {"1": "x"}, {"CIDEr": [value]}, signature=f"CIDEr|images:{images}")
        for name, value, images in (("a", 0.5, 5), ("b", 0.6, 4))
    ]
    shown = gallery(compare(runs), 10)
    assert not shown.best_is_marked
    assert not any(answer.best for answer in shown.cards[0].answers)


def test_the_same_id_with_other_references_is_another_image(make_run: MakeRun) -> None:
    runs = [
        make_run("a", {"1": "a dog"}, {"CIDEr": [0.5]}, items=[Item("1", None, ("a dog",))]),
        make_run("b", {"1": "a bus"}, {"CIDEr": [0.5]}, items=[Item("1", None, ("a bus",))]),
    ]
    cards = gallery(compare(runs), 10).cards
    assert [card.references for card in cards] == [("a dog",), ("a bus",)]
    assert [[answer.outcome for answer in card.answers] for card in cards] == [
        ["ok", NOT_IN_RUN],
        [NOT_IN_RUN, "ok"],
    ]


def test_a_picture_that_only_one_run_has_is_shown(make_run: MakeRun, pictures: list[Path]) -> None:
    runs = [
        make_run(name, {"1": "a"}, {"CIDEr": [0.5]}, items=[Item("1", image, ("r",))])
        for name, image in (("a", None), ("b", pictures[0]))
    ]
    (card,) = gallery(compare(runs), 10).cards
    assert isinstance(card, Card)
    assert card.picture is not None


def test_an_error_since_the_scoring_does_not_take_the_place_of_what_was_scored(make_run: MakeRun) -> None:
    path = make_run("run", {"1": "a dog"}, {"CIDEr": [0.5]})
    (run,) = (row.run for row in compare([path]).rows)
    with run.ledger() as record:
        record(Caption("1", Outcome.ERROR, error="later"))
    (card,) = gallery(compare([path]), 10).cards
    assert [(a.outcome, a.caption, a.error) for a in card.answers] == [("ok", "a dog", "")]


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"torn")])
def test_a_damaged_table_is_an_error_of_ours(make_run: MakeRun, damage: Callable[[Path], object]) -> None:
    path = make_run("run", {"1": "a dog"}, {"CIDEr": [0.5]})
    damage(path / "per_image.parquet")
    with pytest.raises(StoreError, match=r"per_image\.parquet .*Type: evaluator score"):
        gallery(compare([path]), 10)
