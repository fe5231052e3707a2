"""BERTScore: the numbers of bert_score 0.3.13, on tiny checkpoints whose weights come from numpy.

They were computed with `bert_score.score(CAPTIONS, REFERENCES, model_type=folder, num_layers=2, idf=...,
nthreads=0)` on transformers 4.57.6, for which that program was written: on transformers 5 it gives other
numbers for RoBERTa, because its tokenizer no longer puts a space before the text.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from evaluator.core import Item  # noqa: E402
from evaluator.core.errors import MetricError  # noqa: E402
from evaluator.scorers import bertscore  # noqa: E402
from evaluator.scorers.bertscore import BERTScore  # noqa: E402

SENTENCES = (
    "a dog runs over the green grass with red ball in its mouth cat sleeps on blue sofa two men play street "
    "under tree"
)
CAPTIONS = (
    "a dog runs over the grass",
    "two men play in the street under a tree with a red ball and a dog",
    "cat",
)
REFERENCES = (
    ("a dog runs", "the dog runs over green grass with a ball in its mouth"),
    ("men play",),
    ("a cat sleeps on the blue sofa", "two cat sleeps"),
)
ITEMS = [Item(str(number), None, references) for number, references in enumerate(REFERENCES)]
ORIGINAL = {  # F1, precision, recall of each caption
    ("bert", False): (
        (0.967802, 0.893876, 0.931806),
        (0.956825, 0.862264, 0.946735),
        (0.979034, 0.927895, 0.917340),
    ),
    ("bert", True): (
        (0.968463, 0.894262, 0.934274),
        (0.957900, 0.862982, 0.946735),
        (0.979261, 0.927895, 0.922136),
    ),
    ("roberta", False): (
        (0.831121, 0.909227, 0.941277),
        (0.804811, 0.907237, 0.950430),
        (0.859209, 0.911226, 0.932299),
    ),
    ("roberta", True): (
        (0.825603, 0.908500, 0.934560),
        (0.792622, 0.904554, 0.944792),
        (0.861447, 0.912481, 0.924548),
    ),
}
SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
}


def bert() -> tuple[Any, Any]:
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *SENTENCES.split()]
    config = transformers.BertConfig(**SIZES, vocab_size=len(tokens), max_position_embeddings=24)
    vocabulary = {token: index for index, token in enumerate(tokens)}
    tokenizer = transformers.BertTokenizer(vocab=vocabulary, model_max_length=24)
    return transformers.BertModel(config, add_pooling_layer=False), tokenizer


def roberta() -> tuple[Any, Any]:
    """Its positions begin behind that of the padding token; a word within a text begins with a space, `Ġ`."""
    from tokenizers.pre_tokenizers import ByteLevel

    merges = [("Ġ", "a"), ("d", "o"), ("do", "g"), ("Ġ", "dog"), ("r", "u"), ("n", "s")]
    tokens = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *sorted(ByteLevel.alphabet())]
    tokens += [first + second for first, second in merges]
    ids = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
    config = transformers.RobertaConfig(
        **SIZES, **ids, vocab_size=len(tokens), max_position_embeddings=26, type_vocab_size=1
    )
    vocabulary = {token: index for index, token in enumerate(tokens)}
    tokenizer = transformers.RobertaTokenizer(vocab=vocabulary, merges=merges, model_max_length=24)
    return transformers.RobertaModel(config, add_pooling_layer=False), tokenizer


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folders = {}
    for name, build in {"bert": bert, "roberta": roberta}.items():
        model, tokenizer = build()
        generator = np.random.default_rng(0)
        with torch.no_grad():
            for of, parameter in sorted(model.named_parameters()):
                centre = 1.0 if "LayerNorm.weight" in of else 0.0
                numbers = centre + generator.normal(0.0, 0.3, parameter.shape)
                parameter.copy_(torch.from_numpy(numbers).float())
        folders[name] = str(tmp_path_factory.mktemp("checkpoints") / name)
        model.save_pretrained(folders[name])
        tokenizer.save_pretrained(folders[name])
    return folders


@pytest.mark.parametrize(("name", "idf"), ORIGINAL)
def test_the_numbers_of_the_original(checkpoints: dict[str, str], name: str, idf: bool) -> None:
    measured = BERTScore(checkpoints[name], layer=2, idf=idf).score(ITEMS, CAPTIONS)
    assert [each.name for each in measured] == ["BERTScore", "BERTScore-P", "BERTScore-R"]
    for each, original in zip(measured, ORIGINAL[name, idf], strict=True):
        assert each.per_image.tolist() == pytest.approx(original, abs=2e-6)
    assert f"|layer:2|refs:1-2|{'idf:corpus|' if idf else ''}images:3|" in str(measured[0].signature)


def test_a_caption_that_is_too_long_is_read_to_its_limit_and_says_so(checkpoints: dict[str, str]) -> None:
    """A byte is a token of the tiny RoBERTa. The original also cuts after 24 tokens."""
    f1, *_ = BERTScore(checkpoints["roberta"], layer=2).score(ITEMS, CAPTIONS)
    assert list(f1.notes) == ["", "cut off after 24 of 61 tokens", ""]


def test_batches_and_parts_change_nothing(
    checkpoints: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = BERTScore(checkpoints["bert"], layer=2).score(ITEMS, CAPTIONS)
    monkeypatch.setattr(bertscore, "IMAGES_AT_ONCE", 1)
    alone = BERTScore(checkpoints["bert"], layer=2, batch_size=1).score(ITEMS, CAPTIONS)
    for one, other in zip(whole, alone, strict=True):
        assert one.per_image.tolist() == pytest.approx(other.per_image.tolist(), abs=1e-6)


def test_empty_texts_and_images_without_references(checkpoints: dict[str, str]) -> None:
    items = [
        Item("1", None, ("a dog",)),
        Item("2", None, ("",)),
        Item("3", None, ()),
        Item("4", None, ("a",)),
    ]
    f1, precision, recall = BERTScore(checkpoints["bert"], layer=2).score(items, ["", "a dog", "a dog", "a"])
    for measured in (f1, precision, recall):
        assert measured.statistics[:, 1].tolist() == [1.0, 1.0, 0.0, 1.0]
        assert measured.statistics[:, 0].tolist() == pytest.approx([0.0, 0.0, 0.0, 1.0], abs=1e-6)
    with pytest.raises(MetricError, match="needs references"):
        BERTScore(checkpoints["bert"], layer=2).score(items[2:3], ["a dog"])


def test_scores_are_rescaled_by_the_authors_baselines(checkpoints: dict[str, str], tmp_path: Path) -> None:
    """(F1 - 0.35219112) / (1 - 0.35219112), of the original's rescale_baseline/en."""
    folder = tmp_path / "bert-base-uncased"
    folder.symlink_to(checkpoints["bert"])
    wrong = BERTScore(str(folder), layer=2, rescaled=True)
    with pytest.raises(MetricError, match=r"not known for .* and this layer\. Type .*rescaled=false"):
        wrong.score(ITEMS, CAPTIONS)
    assert BERTScore("FacebookAI/roberta-large").tuned_layer == 17
    assert BERTScore(str(folder), rescaled=True).baseline[:, 0].tolist() == [
        0.35219112,
        0.35375935,
        0.3537393,
    ]


def test_mistakes_are_explained(checkpoints: dict[str, str]) -> None:
    with pytest.raises(MetricError, match=r"no layer is known .* Type scorer\.bertscore\.layer=9"):
        BERTScore(checkpoints["bert"]).score(ITEMS, CAPTIONS)
    with pytest.raises(MetricError, match="layer=9: the checkpoint has 3 layers"):
        BERTScore(checkpoints["bert"], layer=9).score(ITEMS, CAPTIONS)
    clip = str(Path(bertscore.__file__).parents[1] / "demo/models/clip")
    with pytest.raises(MetricError, match="its layers are not those of a BERT"):
        BERTScore(clip, layer=2).score(ITEMS, CAPTIONS)
