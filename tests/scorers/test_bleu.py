"""BLEU, against the numbers of coco-caption and against the program itself where it is installed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.core import AGGREGATES, Item
from evaluator.core.errors import MetricError
from evaluator.scorers.bleu import BLEU, bleu_statistics
from evaluator.scorers.tokenizer.ptb import tokenize

Published = Callable[[str], tuple[list[Item], list[str]]]
CocoCaption = Callable[..., dict[str, tuple[float, np.ndarray]]]

texts = st.lists(st.sampled_from(["a", "cat", "dog", "on", "the", "mat"]), max_size=9).map(" ".join)
corpora = st.lists(
    st.tuples(texts, st.lists(texts, min_size=1, max_size=4).map(tuple)), min_size=1, max_size=8
)
Corpus = list[tuple[str, tuple[str, ...]]]


def statistics(corpus: Corpus) -> np.ndarray:
    return bleu_statistics(tuple(caption for caption, _ in corpus), tuple(of_image for _, of_image in corpus))


def test_the_classic_example_of_clipping() -> None:
    # Papineni et al. 2002, section 2.1: modified unigram precision 2/7.
    rows = bleu_statistics(
        ("the the the the the the the",), (("the cat is on the mat", "there is a cat on the mat"),)
    )
    assert rows[0, 0] == 2
    assert rows[0, 4] == 7


def test_of_two_references_as_close_the_shorter_one_counts() -> None:
    assert statistics([("a b c", ("a b c d", "a b"))])[0, 8:].tolist() == [3, 2]


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
    items, captions = published(system)
    for order, measurement in enumerate(BLEU().score(items, captions), start=1):
        assert measurement.value == pytest.approx(recomputed[system][f"Bleu_{order}"], abs=1e-12)


def test_blip2_has_the_score_that_its_authors_program_wrote(published: Published, real_data: Path) -> None:
    reported = json.loads((real_data / "systems" / "scores.json").read_text())["blip2_opt2.7b_coco_finetuned"]
    *_, bleu_4 = BLEU().score(*published("blip2_opt2.7b_coco_finetuned"))
    assert reported["reported"]["scores"]["Bleu_4"] == 0.4282143073884025
    assert bleu_4.value == 0.4282143073884025


def test_each_image_as_in_coco_caption(published: Published, coco_caption: CocoCaption) -> None:
    items, captions = published("minigpt4_vicuna7b_zeroshot")
    items, captions = items[:600], [*captions[:598], "", "."]
    theirs = coco_caption(
        [" ".join(tokenize(caption)) for caption in captions],
        [[" ".join(tokenize(text)) for text in item.references] for item in items],
    )
    for measurement in BLEU().score(items, captions):
        value, of_images = theirs[measurement.name]
        assert measurement.value == pytest.approx(value, abs=1e-12)
        np.testing.assert_allclose(measurement.per_image, of_images, atol=1e-12)


@given(corpora)
def test_generated_corpora_as_in_coco_caption(coco_caption: CocoCaption, corpus: Corpus) -> None:
    rows = statistics(corpus)
    theirs = coco_caption([caption for caption, _ in corpus], [of_image for _, of_image in corpus])
    for order in range(1, 5):
        value, of_images = theirs[f"BLEU-{order}"]
        aggregate = AGGREGATES[f"bleu-{order}"]
        if rows[:, 8:].any():
            assert float(aggregate(rows.sum(axis=0))) == pytest.approx(value, abs=1e-12)
        scored = rows.any(axis=1)  # an empty caption with an empty reference is 0 there and not scored here
        np.testing.assert_allclose(aggregate(rows)[scored], of_images[scored], atol=1e-12)


def by_definition(caption: str, references: tuple[str, ...]) -> list[int]:
    """Papineni et al. 2002, section 2, n-gram by n-gram."""

    def counts(text: str, n: int) -> Counter[tuple[str, ...]]:
        words = text.split()
        return Counter(tuple(words[start : start + n]) for start in range(len(words) - n + 1))

    matches = [
        sum(
            min(count, max(counts(text, n)[ngram] for text in references))
            for ngram, count in counts(caption, n).items()
        )
        for n in range(1, 5)
    ]
    length = len(caption.split())
    closest = min((abs(len(text.split()) - length), len(text.split())) for text in references)[1]
    return [*matches, *(counts(caption, n).total() for n in range(1, 5)), length, closest]


@given(corpora)
def test_the_counts_are_the_papers_definition(corpus: Corpus) -> None:
    assert statistics(corpus).tolist() == [by_definition(*of_image) for of_image in corpus]


@given(corpora)
def test_the_order_of_the_images_does_not_matter(corpus: Corpus) -> None:
    np.testing.assert_array_equal(statistics(corpus)[::-1], statistics(corpus[::-1]))


@given(texts.filter(lambda text: len(text.split()) >= 4), st.lists(texts, max_size=3))
def test_a_caption_that_is_a_reference_scores_one(caption: str, others: list[str]) -> None:
    for measurement in BLEU().score([Item("1", None, (*others, caption))], [caption]):
        assert measurement.value == pytest.approx(1.0, abs=1e-8)


@given(corpora, texts)
def test_another_reference_never_takes_a_match_away(corpus: Corpus, another: str) -> None:
    more = [(caption, (*of_image, another)) for caption, of_image in corpus]
    assert (statistics(more)[:, :4] >= statistics(corpus)[:, :4]).all()


@given(corpora)
def test_counts_stay_within_each_other(corpus: Corpus) -> None:
    rows = statistics(corpus)
    assert (rows[:, :4] <= rows[:, 4:8]).all()
    np.testing.assert_array_equal(rows[:, 4], rows[:, 8])
    assert (rows[:, 4:8] == np.maximum(rows[:, 8:9] - np.arange(4), 0)).all()


def test_an_image_without_references_is_not_scored() -> None:
    items = [Item("1", None, ("a cat on a mat",)), Item("2", None)]
    *_, bleu_4 = BLEU().score(items, ["a cat on a mat", "a dog"])
    assert bleu_4.scored.tolist() == [True, False]
    assert np.isnan(bleu_4.per_image[1])
    assert bleu_4.value == pytest.approx(1.0, abs=1e-8)
    assert "|images:1|" in bleu_4.signature


def test_no_references_at_all_is_not_computed() -> None:
    with pytest.raises(MetricError, match="BLEU compares captions with references"):
        BLEU().score([Item("1", None)], ["a cat"])


def test_names_are_those_of_the_measurements() -> None:
    measurements = BLEU().score([Item("1", None, ("a cat",))], ["a cat"])
    assert tuple(measurement.name for measurement in measurements) == BLEU().names
