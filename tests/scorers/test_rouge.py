"""ROUGE-L, against the numbers of coco-caption and against the program itself where it is installed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.core import Item
from evaluator.core.errors import MetricError
from evaluator.scorers.rouge import ROUGE, rouge_l
from evaluator.scorers.tokenizer.ptb import tokenize

Published = Callable[[str], tuple[list[Item], list[str]]]
CocoCaption = Callable[..., dict[str, tuple[float, np.ndarray]]]


def by_table(first: list[str], second: list[str]) -> int:
    """The textbook's table, row by row."""
    row = [0] * (len(second) + 1)
    for word in first:
        above = row
        row = [0]
        for column, other in enumerate(second, start=1):
            row.append(above[column - 1] + 1 if word == other else max(above[column], row[-1]))
    return row[-1]


sentences = st.lists(st.sampled_from("abcd"), max_size=70).map(" ".join)
corpora = st.lists(
    st.tuples(sentences, st.lists(sentences, min_size=1, max_size=3).map(tuple)), min_size=1, max_size=4
)


def by_definition(caption: str, references: tuple[str, ...], beta: float = 1.2) -> float:
    """Lin 2004, section 3, with coco-caption's best of all references; no token counts as one empty token."""
    ours = caption.split() or [""]
    all_theirs = [text.split() or [""] for text in references]
    precision = max(by_table(ours, theirs) / len(ours) for theirs in all_theirs)
    recall = max(by_table(ours, theirs) / len(theirs) for theirs in all_theirs)
    return (1 + beta**2) * precision * recall / (recall + beta**2 * precision) if precision else 0.0


@given(corpora)
def test_the_scores_are_the_papers_definition(corpus: list[tuple[str, tuple[str, ...]]]) -> None:
    captions, references = zip(*corpus, strict=True)
    assert rouge_l(captions, references).tolist() == pytest.approx(
        [by_definition(*of_image) for of_image in corpus], abs=1e-12
    )


@pytest.mark.parametrize("length", [63, 64, 65, 128, 129])
def test_texts_around_the_length_of_a_machine_word(length: int) -> None:
    text = " ".join("ab"[index * 7 % 5 % 2] for index in range(length))
    assert rouge_l((text,), ((text,),)).tolist() == [1.0]
    caption, references = f"{text} a c", (f"c {text}", "c")
    assert rouge_l((caption,), (references,)) == pytest.approx([by_definition(caption, references)])


def test_a_hard_space_does_not_part_a_token() -> None:
    # `1 1/2` is one token for ROUGE-L: it is split at plain spaces only.
    assert rouge_l(("1 1/2",), (("1",),)).tolist() == [0.0]
    assert rouge_l(("1 1/2",), (("1 1/2",),)).tolist() == [1.0]


def test_precision_and_recall_may_come_from_two_references() -> None:
    # precision 2/2 by the second, recall 2/3 by the second; the first gives 1/2 and 1/2.
    assert rouge_l(("a b",), (("a x", "a b c"),)) == pytest.approx(
        [(1 + 1.44) * 1 * (2 / 3) / (2 / 3 + 1.44 * 1)]
    )
    # precision 1 by the first, recall 1 by the second.
    assert rouge_l(("a b c d",), (("a b c d e", "a"),)) == pytest.approx([1.0])


@pytest.mark.parametrize(
    ("caption", "references", "score"),
    [
        ("", ("a",), 0.0),
        ("a", ("",), 0.0),
        ("", ("",), 1.0),
        ("", ("a", "."), 1.0),
        ("a", ("b",), 0.0),
        ("a", ("a",), 1.0),
    ],
)
def test_what_is_empty(caption: str, references: tuple[str, ...], score: float) -> None:
    assert rouge_l((caption,), (references,)) == pytest.approx([score])


@pytest.mark.parametrize(
    "system",
    [
        "blip2_opt2.7b_coco_finetuned",
        "instructblip_vicuna7b_zeroshot",
        "minigpt4_vicuna7b_zeroshot",
        "blip_vit_l_beam",
        "zerocap",
        "magic",
        "updown_paddle_xe",
    ],
)
def test_published_systems_have_the_scores_of_pycocoevalcap(
    system: str, published: Published, recomputed: dict[str, dict[str, float]]
) -> None:
    (measurement,) = ROUGE().score(*published(system))
    assert measurement.value == pytest.approx(recomputed[system]["ROUGE_L"], abs=1e-12)


def test_blip2_has_the_score_that_its_authors_program_wrote(published: Published) -> None:
    (measurement,) = ROUGE().score(*published("blip2_opt2.7b_coco_finetuned"))
    assert measurement.value == pytest.approx(0.6190080234427047, abs=1e-12)


def test_each_image_as_in_coco_caption(published: Published, coco_caption: CocoCaption) -> None:
    items, captions = published("minigpt4_vicuna7b_zeroshot")
    items, captions = items[:600], [*captions[:598], "", "."]
    theirs = coco_caption(
        [" ".join(tokenize(caption)) for caption in captions],
        [[" ".join(tokenize(text)) for text in item.references] for item in items],
    )
    (measurement,) = ROUGE().score(items, captions)
    np.testing.assert_allclose(measurement.per_image, theirs["ROUGE-L"][1], atol=1e-12)


@given(corpora)
def test_generated_captions_as_in_coco_caption(
    coco_caption: CocoCaption, corpus: list[tuple[str, tuple[str, ...]]]
) -> None:
    captions, references = zip(*corpus, strict=True)
    _, theirs = coco_caption(captions, references)["ROUGE-L"]
    np.testing.assert_allclose(rouge_l(captions, references), theirs, atol=1e-12)


@given(corpora)
def test_scores_lie_between_zero_and_one(corpus: list[tuple[str, tuple[str, ...]]]) -> None:
    captions, references = zip(*corpus, strict=True)
    scores = rouge_l(captions, references)
    assert (scores >= 0.0).all()
    assert (scores <= 1.0 + 1e-12).all()


def test_an_image_without_references_is_not_scored() -> None:
    items = [Item("1", None), Item("2", None, ("a cat",))]
    (measurement,) = ROUGE().score(items, ["a dog", "a cat"])
    assert np.isnan(measurement.per_image[0])
    assert measurement.value == pytest.approx(1.0)
    assert measurement.signature.startswith("ROUGE-L|beta:1.2|tok:ptb|refs:1|images:1|")


def test_no_references_at_all_is_not_computed() -> None:
    with pytest.raises(MetricError, match="ROUGE-L compares captions with references"):
        ROUGE().score([Item("1", None)], ["a cat"])


def test_names_are_those_of_the_measurements() -> None:
    measurements = ROUGE().score([Item("1", None, ("a cat",))], ["a cat"])
    assert tuple(measurement.name for measurement in measurements) == ROUGE().names
