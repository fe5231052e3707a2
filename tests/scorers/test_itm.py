"""ITM and ITC: the numbers of transformers' own models, on tiny checkpoints with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

import evaluator.demo  # noqa: E402
from evaluator.core import Item  # noqa: E402
from evaluator.core.errors import MetricError  # noqa: E402
from evaluator.scorers.caption_filter import as_annotations, as_results, filtered  # noqa: E402
from evaluator.scorers.itm import ITM  # noqa: E402
from evaluator.scorers.matching import Matches  # noqa: E402
from tests.models.local.conftest import (  # noqa: E402
    QFORMER,
    TEXT,
    VISION,
    bert_tokenizer,
    image_processor,
    shake,
)

DEMO = Path(evaluator.demo.__file__).parent / "models"
TEXTS = ("a dog on the grass", "a red car in the street , a man and a tree", "a cat", "a blue ball")


def saved(folder: Path, kind: str) -> Path:
    tokenizer = bert_tokenizer(folder)
    vocabulary = {"vocab_size": len(tokenizer)}
    torch.manual_seed(0)
    if kind == "blip":
        text = TEXT | {"encoder_hidden_size": 32, "max_position_embeddings": 32} | vocabulary
        config: Any = transformers.BlipConfig(
            vision_config=VISION, text_config=text, image_text_hidden_size=16
        )
        model = transformers.BlipForImageTextRetrieval(config)
        processor = transformers.BlipProcessor(image_processor("blip"), tokenizer)
    else:
        qformer = QFORMER | {
            "vocab_size": len(tokenizer) + 1,
            "use_qformer_text_input": True,
            "max_position_embeddings": 32,
        }
        config = transformers.Blip2Config(
            vision_config=VISION,
            qformer_config=qformer,
            text_config={"model_type": "opt", "num_hidden_layers": 1} | vocabulary,
            num_query_tokens=4,
            image_text_hidden_size=16,
        )
        config.image_token_index = len(tokenizer) if kind == "blip2 with places" else None
        model = transformers.Blip2ForImageTextRetrieval(config)
        processor = transformers.Blip2Processor(image_processor("blip"), tokenizer)
    shake(model)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def drawn(folder: Path, number: int = 3) -> list[Path]:
    generator = np.random.default_rng(0)
    paths = [folder / f"{name}.png" for name in range(number)]
    for path in paths:
        blocks = generator.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(blocks).resize((32, 32), Image.Resampling.NEAREST).save(path)
    return paths


@pytest.mark.parametrize("kind", ["blip", "blip2", "blip2 with places"])
def test_the_numbers_are_those_of_the_models_own_forward(kind: str, tmp_path: Path) -> None:
    checkpoint = saved(tmp_path / "checkpoint", kind)
    pictures = drawn(tmp_path)
    pairs = [(path, text) for path in pictures for text in TEXTS]
    matcher = ITM(str(checkpoint), batch_size=5).matcher()
    found = matcher.matches(pairs)
    model = matcher.checkpoint.model
    for (path, text), probability, cosine in zip(pairs, *found, strict=True):
        inputs = matcher.checkpoint.tokenizer(text, return_tensors="pt")
        ids, mask = inputs.input_ids, inputs.attention_mask
        if kind == "blip2 with places":
            places = torch.full((1, 4), model.config.image_token_index)
            ids, mask = torch.cat([places, ids], dim=1), torch.cat([torch.ones_like(places), mask], dim=1)
        pixels = matcher.checkpoint.processor(Image.open(path), return_tensors="pt")["pixel_values"]
        of_head = {"use_itm_head" if kind == "blip" else "use_image_text_matching_head": True}
        of_features = dict.fromkeys(of_head, False)
        with torch.inference_mode():
            head = model(pixel_values=pixels, input_ids=ids, attention_mask=mask, **of_head)
            features = model(pixel_values=pixels, input_ids=ids, attention_mask=mask, **of_features)
        logits, cosines = (
            (head.itm_score, features.itm_score)
            if kind == "blip"
            else (head.logits_per_image, features.logits_per_image)
        )
        assert probability == pytest.approx(logits.softmax(dim=1)[0, 1].item(), abs=1e-5)
        assert cosine == pytest.approx(cosines.item(), abs=1e-5)
    assert len(set(found.probabilities.round(6))) > 3
    items = [Item(str(number), path) for number, (path, _) in enumerate(pairs)]
    itm, itc = ITM(str(checkpoint)).score(items, [text for _, text in pairs])
    assert (itm.name, itc.name) == ("ITM", "ITC")
    assert itm.statistics[:, 0] == pytest.approx(found.probabilities, abs=1e-5)
    assert "checkpoint:checkpoint" in str(itm.signature)


def test_pictures_that_cannot_be_read_are_not_scored(tmp_path: Path) -> None:
    scorer = ITM(str(saved(tmp_path / "checkpoint", "blip")))
    (picture,) = drawn(tmp_path, 1)
    items = [Item("1", picture), Item("2", tmp_path / "absent.png"), Item("3", None)]
    itm, _ = scorer.score(items, ["a dog"] * 3)
    assert itm.statistics[:, 1].tolist() == [1.0, 0.0, 0.0]
    with pytest.raises(MetricError, match="ITM needs the pictures"):
        scorer.score([Item("1", None)], ["a dog"])
    with pytest.raises(MetricError, match=r"pictures cannot be read, for example .*absent\.png"):
        scorer.score(items[1:2], ["a dog"])


def test_a_captioning_checkpoint_has_no_matching_head() -> None:
    with pytest.raises(MetricError, match=r"scorer\.itm\.checkpoint: .* lacks \d+ of the model's weights"):
        ITM(str(DEMO / "blip")).matcher()
    with pytest.raises(MetricError, match="is a 'git' checkpoint, and ITM loads blip or blip-2"):
        ITM(str(DEMO / "git")).matcher()


def test_the_filter_splits_at_the_threshold() -> None:
    items = [
        Item("7", Path("a/7.png"), ("one", "two")),
        Item("x", Path("x.png"), ("three",), file_name="y.png"),
    ]
    pairs = [(item, text) for item in items for text in item.references]
    found = Matches(np.array([0.5, 0.2, np.nan]), np.array([0.1, 0.9, np.nan]))
    by_head = filtered(pairs, found, "ITM", 0.5)
    assert [one.caption for one in by_head.matching] == ["one"]
    assert [one.caption for one in by_head.others] == ["two"]
    assert [one.caption for one in by_head.not_judged] == ["three"]
    assert [one.caption for one in filtered(pairs, found, "ITC", 0.5).matching] == ["two"]
    assert as_results(by_head.matching) == [{"image_id": 7, "caption": "one"}]
    document = as_annotations(items, by_head.matching)
    assert document["images"] == [{"id": 7, "file_name": "7.png"}, {"id": "x", "file_name": "y.png"}]
    assert document["annotations"] == [{"id": 1, "image_id": 7, "caption": "one"}]
