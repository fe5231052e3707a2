"""Which images a page shows of runs that are too large for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from evaluator.comparison.compare import compare
from evaluator.comparison.comparison import Comparison
from evaluator.comparison.shown_images import shown_images
from evaluator.core import Caption, Item, Outcome
from tests.scored_runs import scored_run

IMAGES = 200
IDS = [str(number) for number in range(IMAGES)]
# In the middle of the scale but for a few images.
USUAL = [0.5 + number / 10_000 for number in range(IMAGES)]


def scores(**others: float) -> list[float]:
    return [others.get(f"i{number}", value) for number, value in enumerate(USUAL)]


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    items = [Item(each, None, ("a dog",), ("rare" if int(each) % 20 == 3 else "common",)) for each in IDS]
    captions: dict[str, str | Caption] = {each: f"caption {each}" for each in IDS}
    first = {"CIDEr": scores(i10=0.0, i11=2.0, i12=0.9), "ROUGE-L": scores(i190=0.0)}
    second = {"CIDEr": scores(i12=0.1), "ROUGE-L": scores()}
    runs = [
        scored_run(tmp_path / "first", captions, first, items),
        scored_run(tmp_path / "second", captions, second, items),
    ]
    return compare(runs)


def test_runs_that_fit_are_shown_whole(comparison: Comparison) -> None:
    assert shown_images(comparison, IMAGES) is None


def test_the_best_the_worst_and_the_most_disputed_images_are_shown(comparison: Comparison) -> None:
    shown = shown_images(comparison, 40)
    assert shown is not None
    assert len(shown) == 40
    assert {"10", "11", "12", "190"} <= shown


def test_the_others_are_a_sample_of_each_stratum(comparison: Comparison) -> None:
    shown = shown_images(comparison, 40) or frozenset()
    rare = [each for each in shown if int(each) % 20 == 3]
    assert 1 <= len(rare) <= 4  # of 10 among 200
    assert shown == shown_images(comparison, 40)


def test_images_that_are_wanted_are_shown(comparison: Comparison) -> None:
    assert {"77", "78"} <= (shown_images(comparison, 40, {"77", "78"}) or set())


def test_some_images_without_a_caption_are_shown(tmp_path: Path) -> None:
    captions: dict[str, str | Caption] = {each: f"caption {each}" for each in IDS}
    captions |= {each: Caption(each, Outcome.REFUSED, error="no") for each in IDS[50:150]}
    told = [value for each, value in zip(IDS, USUAL, strict=True) if isinstance(captions[each], str)]
    run = scored_run(
        tmp_path / "run", captions, {"CIDEr": told}, [Item(each, None, ("a dog",)) for each in IDS]
    )
    shown = shown_images(compare([run]), 20) or frozenset()
    assert len(shown) == 20
    assert len([each for each in shown if 50 <= int(each) < 150]) >= 2


def test_runs_without_a_score_are_sampled(tmp_path: Path) -> None:
    make: Callable[..., Path] = scored_run
    run = make(tmp_path / "run", dict.fromkeys(IDS, "a dog"), {})
    assert len(shown_images(compare([run]), 30) or ()) == 30
