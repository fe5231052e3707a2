"""PAC-S through weights in the form of openai/CLIP: equal to a model with that program's own modules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from evaluator.core import Item
from evaluator.core.errors import MetricError
from evaluator.scorers.clip.checkpoint import load_encoder
from evaluator.scorers.clipscore import CLIPScore
from evaluator.scorers.pac_score import PACScore
from tests.scorers.small_clip import pictures_with_references, save_small_clip

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tests.scorers.openai_clip import OpenAICLIP  # noqa: E402  (needs torch)

CAPTIONS = ["A dog lies on shoes.", "two cats", "", "a red bus", "x" * 200, "a dog"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_small_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def original(checkpoint: Path) -> OpenAICLIP:
    torch.manual_seed(7)
    return OpenAICLIP(transformers.CLIPConfig.from_pretrained(checkpoint)).eval()


@pytest.fixture
def weights(original: OpenAICLIP, tmp_path: Path) -> Path:
    """As the authors publish them: the state under a key, beside other values."""
    torch.save({"state_dict": original.state_dict(), "epoch": 3}, tmp_path / "clip_ViT-B-32.pth")
    return tmp_path / "clip_ViT-B-32.pth"


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    return pictures_with_references(tmp_path)


def test_the_scores_of_the_original_model(
    checkpoint: Path, original: OpenAICLIP, weights: Path, items: list[Item]
) -> None:
    """Twice the cosine, and its harmonic mean with the best reference, one picture and text at a time."""
    processor = transformers.AutoImageProcessor.from_pretrained(checkpoint, backend="pil")
    tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint)

    def unit(vector: Any) -> np.ndarray:
        values = vector[0].double().detach().numpy()
        return values / np.linalg.norm(values)

    def text(words: str) -> np.ndarray:
        ids = tokenizer(f"A photo depicts {words}", truncation=True, max_length=77, return_tensors="pt")
        return unit(original.encode_text(ids["input_ids"]))

    square = [Item("0", items[2].image, ("a dog", "one"))]  # the crop of other shapes has a test of its own
    with Image.open(items[2].image) as picture:
        pixels = processor(picture.convert("RGB"), return_tensors="pt")["pixel_values"]
    image = unit(original.encode_image(pixels))
    scorer = PACScore(str(checkpoint), weights=str(weights))
    for caption in CAPTIONS:
        without, with_references = scorer.score(square, [caption])
        said = text(caption)
        expected = 2.0 * max(image @ said, 0.0)
        best = max(said @ text("a dog"), said @ text("one"), 0.0)
        assert without.value == pytest.approx(expected, abs=1e-5)
        harmonic = 2 * expected * best / (expected + best) if expected + best else 0.0
        assert with_references.value == pytest.approx(harmonic, abs=1e-5)
    assert (without.name, with_references.name) == scorer.names
    assert "|weight:2|" in without.signature


def test_a_folder_that_holds_the_weights(
    checkpoint: Path, weights: Path, items: list[Item], tmp_path: Path
) -> None:
    """Saved again by transformers, the same weights give the same scores; those of the CLIP give others."""
    scorer = PACScore(str(checkpoint))
    encoder = load_encoder(scorer, "PAC-S", str(weights))
    assert encoder.version != load_encoder(scorer, "PAC-S").version
    folder = tmp_path / "pacs"
    for saved in (encoder.model, encoder.tokenizer, encoder.image_processor):
        saved.save_pretrained(folder)
    expected = PACScore(str(checkpoint), weights=str(weights)).score(items, CAPTIONS)[0].per_image
    assert PACScore(str(folder)).score(items, CAPTIONS)[0].per_image == pytest.approx(expected, abs=1e-6)
    plain = CLIPScore(str(checkpoint)).score(items, CAPTIONS)[0].per_image
    assert not np.allclose(plain / 2.5 * 2.0, expected, atol=1e-3)


def test_weights_by_transformers_names(checkpoint: Path, items: list[Item], tmp_path: Path) -> None:
    model = transformers.CLIPModel.from_pretrained(checkpoint)
    torch.save({f"module.{name}": each for name, each in model.state_dict().items()}, tmp_path / "own.pt")
    scores = PACScore(str(checkpoint), weights=str(tmp_path / "own.pt")).score(items, CAPTIONS)[0]
    plain = CLIPScore(str(checkpoint)).score(items, CAPTIONS)[0].per_image
    assert scores.per_image == pytest.approx(plain / 2.5 * 2.0, abs=1e-6)


class Harmful:
    """Runs a program where a pickle of it is loaded by trusting programs."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def test_weights_that_cannot_be_used(
    checkpoint: Path, original: OpenAICLIP, items: list[Item], tmp_path: Path
) -> None:
    state, harm = original.state_dict(), tmp_path / "harm"
    files: dict[str, Any] = {
        "code.pth": {"state_dict": state, "args": Harmful(harm)},
        "list.pth": [1, 2],
        "names.pth": {"state_dict": {"a": 1}},
        "half.pth": {name: each for name, each in state.items() if "visual" not in name},
        "large.pth": {name: torch.cat([each, each]) if each.dim() else each for name, each in state.items()},
    }
    said = {
        "code.pth": "holds more than weights, or is damaged",
        "list.pth": "holds no weights by their names",
        "names.pth": "holds no weights by their names",
        "half.pth": "weights are missing or of another size, such as vision_model",
        "large.pth": "weights are missing or of another size",
        "text.pth": "holds more than weights, or is damaged",
        "none.pth": "there is no file",
    }
    (tmp_path / "text.pth").write_text("no weights")
    for name, content in files.items():
        torch.save(content, tmp_path / name)
    for name, reason in said.items():
        with pytest.raises(MetricError, match=f"scorer.pacscore.weights: .*{reason}"):
            PACScore(str(checkpoint), weights=str(tmp_path / name)).score(items, CAPTIONS)
    assert not harm.exists()
    with pytest.raises(MetricError, match="PAC-S needs the weights of its authors"):
        PACScore().score(items, CAPTIONS)
