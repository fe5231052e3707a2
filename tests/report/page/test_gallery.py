"""Which images the gallery holds, and what it says of them in its compact form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from evaluator.comparison.compare import compare
from evaluator.core import Caption, Item, Outcome
from evaluator.core.errors import StoreError
from evaluator.files.hand_marks import HandMark
from evaluator.report.page.gallery import NOT_IN_RUN, OUTCOMES, Gallery, gallery
from evaluator.report.page.html import report_page
from evaluator.report.page.pictures import Pictures
from evaluator.store.run_folder import RunFolder

MakeRun = Callable[..., Path]


def outcomes(shown: Gallery, run: int) -> list[str]:
    return ["" if code == NOT_IN_RUN else OUTCOMES[code] for code in shown.answers[run].ended]


def test_every_image_with_its_scores(make_run: MakeRun) -> None:
    runs = [
        make_run("a", {"1": "x", "2": "y"}, {"BLEU-4": [0.9, 0.9], "CIDEr": [0.5, 1.2504]}),
        make_run("b", {"1": "x", "2": Caption("2", Outcome.REFUSED)}, {"CIDEr": [0.75], "CLIPScore": [0.6]}),
    ]
    shown = gallery(compare(runs))
    assert shown.metrics == ("CIDEr", "CLIPScore", "BLEU-4")
    assert shown.failures == ("refused",)
    assert outcomes(shown, 0) == ["ok", "ok"]
    assert outcomes(shown, 1) == ["ok", "refused"]
    document = shown.document([-1, -1], ["gone", "gone"])
    assert document["ids"] == ["1", "2"]
    assert document["references"] == [("a reference of 1",), ("a reference of 2",)]
    assert [answers["captions"] for answers in document["answers"]] == [("x", "y"), ("x", None)]
    assert [answers["scores"] for answers in document["answers"]] == [
        [[5000, None], [None, None], [9000, None]],  # compared on the image that both captioned
        [[7500, None], [6000, None], [None, None]],
    ]
    assert document["noPicture"] == ["gone", "gone"]


def test_metrics_of_ones_own_stand_beside_the_headline_ones(make_run: MakeRun) -> None:
    names = ["BLEU-4", "CHAIR", "CIDEr", "METEOR", "RefCLIPScore"]
    run = make_run("a", {"1": "x"}, {name: [0.5] for name in names})
    shown = gallery(compare([run]))
    assert shown.metrics == ("CIDEr", "METEOR", "CHAIR", "RefCLIPScore", "BLEU-4")
    assert shown.columns == shown.metrics[:3]


def test_no_best_where_the_same_caption_could_score_differently(make_run: MakeRun) -> None:
    def shown(*images: int) -> Gallery:
        return gallery(
            compare(
                [
                    make_run(
                        f"{name}{count}", {"1": "x"}, {"CIDEr": [0.5]}, signature=f"CIDEr|images:{count}"
                    )
                    for name, count in zip("ab", images, strict=True)
                ]
            )
        )

    assert not shown(5, 4).best_is_marked
    assert shown(3, 3).best_is_marked


def test_the_same_id_with_other_references_is_another_image(make_run: MakeRun) -> None:
    runs = [
        make_run("a", {"1": "a dog"}, {"CIDEr": [0.5]}, items=[Item("1", None, ("a dog",))]),
        make_run("b", {"1": "a bus"}, {"CIDEr": [0.5]}, items=[Item("1", None, ("a bus",))]),
    ]
    shown = gallery(compare(runs))
    assert [item.references for item in shown.items] == [("a dog",), ("a bus",)]
    assert [outcomes(shown, run) for run in (0, 1)] == [["ok", ""], ["", "ok"]]


def test_a_picture_that_only_one_run_has_is_known(make_run: MakeRun, pictures: list[Path]) -> None:
    runs = [
        make_run(name, {"1": "a"}, {"CIDEr": [0.5]}, items=[Item("1", image, ("r",))])
        for name, image in (("a", None), ("b", pictures[0]))
    ]
    (item,) = gallery(compare(runs)).items
    assert item.image == pictures[0]


def test_tags_by_their_number(make_run: MakeRun) -> None:
    items = [Item("1", None, (), ("dog", "bench")), Item("2", None, (), ()), Item("3", None, (), ("dog",))]
    shown = gallery(compare([make_run("a", dict.fromkeys("123", "x"), {"CIDEr": [1, 2, 3]}, items)]))
    document = shown.document([-1] * 3, [""] * 3)
    assert document["tagNames"] == ("bench", "dog")
    assert document["tags"] == [[1, 0], [], [1]]


def test_captions_since_the_scoring_are_not_shown_with_its_scores(make_run: MakeRun) -> None:
    path = make_run("run", {"1": "a dog", "2": Caption("2", Outcome.ERROR, error="then")}, {"CIDEr": [0.5]})
    with RunFolder(path).ledger() as ledger:
        ledger.record(Caption("2", Outcome.ERROR, error="again"))  # the same outcome: nothing has changed
    assert outcomes(gallery(compare([path])), 0) == ["ok", "error"]
    with RunFolder(path).ledger() as ledger:
        ledger.record(Caption("2", Outcome.REFUSED, error="later"))
    with pytest.raises(StoreError, match="run has changed since it was scored"):
        gallery(compare([path]))


def test_a_page_of_too_many_images_says_which_it_shows(make_run: MakeRun) -> None:
    """The tables are over all images; the page holds some of them, marked ones among them."""
    ids = [str(number) for number in range(60)]
    values = [0.5 + number / 1000 for number in range(60)]
    values[7], values[8] = 0.0, 1.0
    captions: dict[str, str | Caption] = {each: f"caption {each}" for each in ids}
    captions["9"] = Caption("9", Outcome.REFUSED, error="no")
    told = [value for each, value in zip(ids, values, strict=True) if each != "9"]
    comparison = compare([make_run("a", captions, {"CIDEr": told})])
    mark = HandMark("a", "33", "good", "", "caption 33")
    shown = gallery(comparison, marks=[mark], most=20)
    shown_ids = [item.id for item in shown.items]
    assert len(shown_ids) == 20
    assert {"7", "8", "9", "33"} <= set(shown_ids)
    assert [shown_ids[image] for _, image, _ in shown.marks] == ["33"]
    answers = dict(zip(shown_ids, shown.answers[0].captions, strict=True))
    assert answers == {each: None if each == "9" else f"caption {each}" for each in shown_ids}
    assert shown.answers[0].scores[0][shown_ids.index("8")] == 1.0
    page = report_page(comparison, shown, Pictures())
    assert "20 of 60 images: the best, the worst and the most disputed ones" in page
    assert "All 60 images" in report_page(comparison, gallery(comparison), Pictures())
