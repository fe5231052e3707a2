"""CIDEr, against the numbers of coco-caption and against the program itself where it is installed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evaluator.config.run_config import run_configs
from evaluator.core import Item
from evaluator.core.errors import ConfigError, MetricError
from evaluator.scorers.cider import CIDEr, cider
from evaluator.scorers.tokenizer.ptb import tokenize

Published = Callable[[str], tuple[list[Item], list[str]]]
CocoCaption = Callable[..., dict[str, tuple[float, np.ndarray]]]

texts = st.lists(st.sampled_from(["a", "cat", "dog", "on", "the", "mat", "red"]), max_size=9).map(" ".join)
corpora = st.lists(
    st.tuples(texts, st.lists(texts, min_size=1, max_size=4).map(tuple)), min_size=2, max_size=8
)
Corpus = list[tuple[str, tuple[str, ...]]]


def scores(corpus: Corpus, n: int = 4, sigma: float = 6.0) -> np.ndarray:
    captions, references = zip(*corpus, strict=True)
    return cider(captions, references, n, sigma)


def test_by_hand() -> None:
    # Three images; `a` stands in two images' references, everything else in one. n = 1 and no length penalty.
    rare, common = math.log(3), math.log(3) - math.log(2)
    corpus: Corpus = [("a cat cat", ("a cat",)), ("dog", ("a dog",)), ("bird", ("bird",))]
    first = (common**2 + rare**2) / math.hypot(common, 2 * rare) / math.hypot(common, rare)
    second = rare / math.hypot(common, rare)
    assert scores(corpus, n=1) == pytest.approx([10 * first, 10 * second, 10])


def test_clipping_and_the_length_penalty_by_hand() -> None:
    # `dog` is clipped to the reference's one, and one word too many costs exp(-1 / (2 * sigma ** 2)).
    corpus: Corpus = [("cat", ("cat",)), ("dog dog", ("dog",))]
    unigrams, bigrams = 1 * 1 / (2 * 1), 0.0
    assert scores(corpus, n=2)[1] == pytest.approx(
        10 * (unigrams + bigrams) / 2 * math.exp(-1 / (2 * 6.0**2))
    )
    assert scores(corpus, n=1)[1] == pytest.approx(10 * unigrams)


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
    (measurement,) = CIDEr().score(*published(system))
    assert measurement.value == pytest.approx(recomputed[system]["CIDEr"], abs=1e-12)


def test_blip2_has_the_score_that_its_authors_program_wrote(published: Published) -> None:
    (measurement,) = CIDEr().score(*published("blip2_opt2.7b_coco_finetuned"))
    assert measurement.value == pytest.approx(1.4555016501050175, abs=1e-12)
    assert measurement.signature.startswith(
        "CIDEr|variant:D|n:4|sigma:6|tok:ptb|refs:5-6|idf:corpus|images:5000|v:"
    )


def test_each_image_as_in_coco_caption(published: Published, coco_caption: CocoCaption) -> None:
    items, captions = published("minigpt4_vicuna7b_zeroshot")
    items, captions = items[:600], [*captions[:598], "", "."]
    theirs = coco_caption(
        [" ".join(tokenize(caption)) for caption in captions],
        [[" ".join(tokenize(text)) for text in item.references] for item in items],
    )
    (measurement,) = CIDEr().score(items, captions)
    assert measurement.value == pytest.approx(theirs["CIDEr"][0], abs=1e-12)
    np.testing.assert_allclose(measurement.per_image, theirs["CIDEr"][1], atol=1e-12)


@given(corpora)
def test_generated_corpora_as_in_coco_caption(coco_caption: CocoCaption, corpus: Corpus) -> None:
    captions, references = zip(*corpus, strict=True)
    theirs = coco_caption(captions, references)
    assume("CIDEr" in theirs)
    np.testing.assert_allclose(scores(corpus), theirs["CIDEr"][1], atol=1e-12)


@given(corpora)
def test_the_order_of_the_images_does_not_matter(corpus: Corpus) -> None:
    np.testing.assert_allclose(scores(corpus)[::-1], scores(corpus[::-1]), atol=1e-12)


@given(corpora)
def test_the_order_of_the_references_does_not_matter(corpus: Corpus) -> None:
    turned = [(caption, of_image[::-1]) for caption, of_image in corpus]
    np.testing.assert_allclose(scores(turned), scores(corpus), atol=1e-12)


@given(corpora)
def test_scores_lie_between_zero_and_ten(corpus: Corpus) -> None:
    assert (scores(corpus) >= 0).all()
    assert (scores(corpus) <= 10 + 1e-9).all()


@given(corpora)
def test_the_corpus_score_is_the_mean_of_the_images(corpus: Corpus) -> None:
    items = [Item(str(number), None, of_image) for number, (_, of_image) in enumerate(corpus)]
    (measurement,) = CIDEr().score(items, [caption for caption, _ in corpus])
    assert measurement.value == pytest.approx(measurement.per_image.mean(), abs=1e-12)
    assert measurement.per_image == pytest.approx(scores(corpus), abs=1e-12)


def test_an_image_without_references_changes_nothing() -> None:
    items = [Item("1", None, ("a cat",)), Item("2", None), Item("3", None, ("the dog",))]
    (with_it,) = CIDEr().score(items, ["a cat", "a bird", "a dog"])
    (without,) = CIDEr().score([items[0], items[2]], ["a cat", "a dog"])
    assert with_it.value == pytest.approx(without.value)
    assert np.isnan(with_it.per_image[1])
    assert with_it.signature == without.signature


@pytest.mark.parametrize("others", [[], [Item("2", None)]])
def test_one_image_is_not_computed(others: list[Item]) -> None:
    items = [Item("1", None, ("a cat",)), *others]
    with pytest.raises(MetricError, match="with one image every weight is zero: score two images or more"):
        CIDEr().score(items, ["a cat"] * len(items))


def test_no_references_at_all_is_not_computed() -> None:
    with pytest.raises(MetricError, match="CIDEr compares captions with references"):
        CIDEr().score([Item("1", None), Item("2", None)], ["a cat", "a dog"])


def test_the_options_count() -> None:
    corpus: Corpus = [("a cat on a mat", ("a cat",)), ("two dogs", ("two dogs run in the park",))]
    assert scores(corpus, sigma=1.0)[0] < scores(corpus)[0]
    assert scores(corpus, n=1)[1] != pytest.approx(scores(corpus)[1])
    items = [Item(str(number), None, of_image) for number, (_, of_image) in enumerate(corpus)]
    (measurement,) = CIDEr(n=2, sigma=2.5).score(items, [caption for caption, _ in corpus])
    assert "|n:2|sigma:2.5|" in measurement.signature
    assert measurement.per_image == pytest.approx(scores(corpus, 2, 2.5))


def plain_by_definition(corpus: Corpus) -> list[float]:
    """Vedantam et al. 2015, section 3, n-gram by n-gram, with the program's factor of ten and no stemming."""

    def counts(text: str, n: int) -> Counter[tuple[str, ...]]:
        words = text.split()
        return Counter(tuple(words[start : start + n]) for start in range(len(words) - n + 1))

    def cosine(caption: str, reference: str, n: int) -> float:
        ours, theirs = counts(caption, n), counts(reference, n)
        weight = {
            gram: math.log(
                len(corpus) / max(1, sum(any(gram in counts(text, n) for text in of) for _, of in corpus))
            )
            for gram in ours.keys() | theirs.keys()
        }
        dot = sum(ours[gram] * theirs[gram] * weight[gram] ** 2 for gram in ours)
        lengths = [
            math.sqrt(sum((count * weight[gram]) ** 2 for gram, count in some.items()))
            for some in (ours, theirs)
        ]
        return dot / math.prod(lengths) if all(lengths) else 0.0

    return [
        10 * sum(cosine(caption, text, n) for text in of for n in range(1, 5)) / 4 / len(of)
        for caption, of in corpus
    ]


@given(corpora)
def test_plain_cider_is_the_papers_definition(corpus: Corpus) -> None:
    captions, references = zip(*corpus, strict=True)
    assert cider(captions, references, variant="plain") == pytest.approx(
        plain_by_definition(corpus), abs=1e-9
    )


@given(corpora)
def test_clipping_and_the_length_penalty_only_take_away(corpus: Corpus) -> None:
    captions, references = zip(*corpus, strict=True)
    assert (cider(captions, references) <= cider(captions, references, variant="plain") + 1e-9).all()


def test_plain_cider_is_a_metric_of_its_own(published: Published) -> None:
    items, captions = published("minigpt4_vicuna7b_zeroshot")
    (measurement,) = CIDEr(variant="plain").score(items, captions)
    assert measurement.name == "CIDEr-plain"
    assert measurement.signature.startswith(
        "CIDEr-plain|variant:plain|n:4|tok:ptb|refs:5-6|idf:corpus|images:5000|v:"
    )
    # Neither a longer caption nor a word said twice costs anything, and this system says much.
    (as_reported,) = CIDEr().score(items, captions)
    assert measurement.value > 2 * as_reported.value


@pytest.mark.parametrize("variant", ["D", "plain"])
def test_names_are_those_of_the_variant(variant: Literal["D", "plain"]) -> None:
    items = [Item("1", None, ("a cat",)), Item("2", None, ("a dog",))]
    scorer = CIDEr(variant=variant)
    assert tuple(measurement.name for measurement in scorer.score(items, ["a", "b"])) == scorer.names


@pytest.mark.parametrize("n", [0, 5])
def test_n_is_between_1_and_4(n: int) -> None:
    with pytest.raises(ConfigError, match=r"scorer\.cider\.n"):
        run_configs(["data=demo", "model=tiny-git", "scorer=[cider]", f"scorer.cider.n={n}"])
