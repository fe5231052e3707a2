from __future__ import annotations

import json
import logging
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from evaluator.core import Item
from evaluator.core.errors import MetricError
from evaluator.scorers.clip import features as clip_features
from evaluator.scorers.clip.checkpoint import load_encoder
from evaluator.scorers.clipscore import CLIPScore, clip_score, ref_clip_score
from tests.scorers.small_clip import pictures_with_references, save_small_clip

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

CAPTIONS = [
    "A dog lies on shoes.",
    "two cats",
    "",
    "a long red bus " * 30,
    "\U0001f415 caf\u00e9",
    "A dog lies on shoes.",
]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_small_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(autouse=True)
def nothing_remembered_and_no_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    # The hub's client reads its environment when it is imported, which was before the tests set it.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setenv("EVALUATOR_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    return pictures_with_references(tmp_path)


def scored(scorer: CLIPScore, items: list[Item], captions: list[str] = CAPTIONS) -> dict[str, np.ndarray]:
    return {measured.name: measured.per_image for measured in scorer.score(items, captions)}


# --- the formulas ---------------------------------------------------------------------------------


def test_a_picture_with_its_own_features_scores_the_weight() -> None:
    features = np.array([[3.0, 4.0], [0.0, 2.0]])
    assert clip_score(features, 7 * features).tolist() == [2.5, 2.5]


def test_an_opposite_caption_scores_zero_and_never_less() -> None:
    features = np.array([[3.0, 4.0]])
    assert clip_score(features, -features).tolist() == [0.0]
    assert ref_clip_score(np.array([1.0]), features, [-features]).tolist() == [0.0]
    assert ref_clip_score(np.array([0.0]), features, [-features]).tolist() == [0.0]


def test_the_best_reference_counts() -> None:
    caption = np.array([[1.0, 0.0]])
    references = [np.array([[0.0, 1.0], [3.0, 4.0], [5.0, 12.0]])]  # cosines 0, 0.6, 5/13
    assert ref_clip_score(np.array([1.2]), caption, references) == pytest.approx(2 * 1.2 * 0.6 / 1.8)


def test_without_a_picture_or_a_reference_there_is_no_score() -> None:
    nothing = np.full((1, 2), np.nan)
    caption = np.array([[1.0, 0.0]])
    assert np.isnan(clip_score(nothing, caption)).all()
    assert np.isnan(ref_clip_score(np.array([np.nan]), caption, [caption])).all()
    assert np.isnan(ref_clip_score(np.array([1.0]), caption, [np.empty((0, 2))])).all()


finite = st.floats(-1e3, 1e3).filter(lambda value: value == 0 or abs(value) > 1e-3)


@given(
    arrays.arrays(np.float64, (4, 3), elements=finite),
    arrays.arrays(np.float64, (4, 3), elements=finite),
    st.floats(0.01, 100),
)
def test_scores_lie_between_zero_and_the_weight_and_know_no_lengths(
    pictures: np.ndarray, texts: np.ndarray, factor: float
) -> None:
    scores = clip_score(pictures, texts)
    assert (scores >= 0).all()
    assert (scores <= 2.5 + 1e-9).all()
    assert clip_score(pictures * factor, texts) == pytest.approx(scores, abs=1e-9)
    harmonic = ref_clip_score(scores, texts, [row[None] for row in pictures])
    best = scores / 2.5  # the only reference is the picture's vector
    assert (harmonic >= np.minimum(scores, best) - 1e-9).all()
    assert (harmonic <= np.maximum(scores, best) + 1e-9).all()


# --- against the model, one picture and one text at a time ----------------------------------------------


def alone(checkpoint: Path, items: list[Item], captions: list[str]) -> tuple[list[float], list[float]]:
    """Both scores with CLIPModel's own forward pass, and torchvision's crop done by hand."""
    model = transformers.CLIPModel.from_pretrained(checkpoint).eval()
    tokenizer = transformers.CLIPTokenizer.from_pretrained(checkpoint)
    mean, deviation = (
        np.array(value)
        for value in ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711])
    )

    def pixels(path: Path) -> Any:
        picture = Image.open(path)
        short = min(picture.size)
        picture = picture.resize(
            tuple(int(32 * side / short) for side in picture.size), Image.Resampling.BICUBIC
        )
        left, top = (round((side - 32) / 2) for side in picture.size)
        values = np.asarray(picture.crop((left, top, left + 32, top + 32))) / 255
        return torch.tensor(((values - mean) / deviation).transpose(2, 0, 1)[None], dtype=torch.float32)

    def ids(text: str) -> Any:
        return tokenizer("A photo depicts " + text, truncation=True, max_length=77, return_tensors="pt")

    def embedded(path: Path, text: str) -> tuple[np.ndarray, np.ndarray]:
        with torch.no_grad():
            output = model(pixel_values=pixels(path), **ids(text))
        return output.image_embeds[0].double().numpy(), output.text_embeds[0].double().numpy()

    first, second = [], []
    for item, caption in zip(items, captions, strict=True):
        assert item.image is not None
        image, text = embedded(item.image, caption)
        first.append(2.5 * max(image @ text, 0))
        best = max(
            [max(text @ embedded(item.image, reference)[1], 0) for reference in item.references],
            default=np.nan,
        )
        second.append(2 * first[-1] * best / (first[-1] + best))
    return first, second


def test_both_scores_are_the_models_one_by_one(checkpoint: Path, items: list[Item]) -> None:
    scores = scored(CLIPScore(str(checkpoint)), items)
    first, second = alone(checkpoint, items, CAPTIONS)
    assert sum(score > 0 for score in first) >= 3, "scores that are clipped at 0 compare nothing"
    assert scores["CLIPScore"] == pytest.approx(first, abs=1e-5)
    assert scores["RefCLIPScore"] == pytest.approx(second, abs=1e-5, nan_ok=True)
    assert np.isnan(scores["RefCLIPScore"]).tolist() == [not item.references for item in items]


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_the_batch_size_changes_nothing(
    checkpoint: Path, items: list[Item], batch_size: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    expected = scored(CLIPScore(str(checkpoint)), items)
    monkeypatch.setenv("EVALUATOR_CACHE", str(tmp_path / "another cache"))
    scores = scored(CLIPScore(str(checkpoint), batch_size=batch_size), items)
    for name, values in expected.items():
        assert scores[name] == pytest.approx(values, abs=1e-5, nan_ok=True)


def test_the_prefix_is_an_option(checkpoint: Path, items: list[Item]) -> None:
    whole = [f"A photo depicts {caption}" for caption in CAPTIONS]
    with_prefix = scored(CLIPScore(str(checkpoint)), items)["CLIPScore"]
    assert scored(CLIPScore(str(checkpoint), prefix=""), items, whole)["CLIPScore"] == pytest.approx(
        with_prefix
    )


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_is_near(checkpoint: Path, items: list[Item], dtype: Any) -> None:
    expected = scored(CLIPScore(str(checkpoint)), items)["CLIPScore"]
    assert scored(CLIPScore(str(checkpoint), dtype=dtype), items)["CLIPScore"] == pytest.approx(
        expected, abs=0.1
    )


# --- other programs, other models -------------------------------------------------------------------------


def test_torchmetrics_gives_the_same(checkpoint: Path, tmp_path: Path) -> None:
    """Its CLIPScore is 100 max(cos, 0) without a prefix; pictures of the model's own size are not resized."""
    multimodal = pytest.importorskip("torchmetrics.functional.multimodal", reason="torchmetrics is missing")
    random = np.random.default_rng(2)
    pixels = random.integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    said = ["a dog lies on shoes", "two cats", "x", "a long red bus"]
    items = []
    for number, picture in enumerate(pixels):
        Image.fromarray(picture).save(tmp_path / f"{number}.png")
        items.append(Item(str(number), tmp_path / f"{number}.png"))
    ours = scored(CLIPScore(str(checkpoint), prefix=""), items, said)["CLIPScore"] * 40

    class AsBefore(transformers.CLIPModel):  # type: ignore[misc]
        """Gives the features themselves, as before transformers 5; torchmetrics expects them."""

        def get_image_features(self, *given: Any, **options: Any) -> Any:
            return super().get_image_features(*given, **options).pooler_output

        def get_text_features(self, *given: Any, **options: Any) -> Any:
            return super().get_text_features(*given, **options).pooler_output

    def loaded() -> tuple[Any, Any]:
        model = AsBefore.from_pretrained(checkpoint)
        return model, transformers.CLIPProcessor.from_pretrained(checkpoint, backend="pil")

    theirs = [
        multimodal.clip_score(torch.from_numpy(picture).permute(2, 0, 1), text, loaded).item()
        for picture, text in zip(pixels, said, strict=True)
    ]
    assert sum(score > 0 for score in theirs) >= 2, "scores that are clipped at 0 compare nothing"
    assert ours == pytest.approx(theirs, abs=1e-3)


@pytest.fixture(scope="module")
def siglip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SigLIP with random weights, and a sentencepiece model of its own."""
    sentencepiece = pytest.importorskip("sentencepiece", reason="sentencepiece is not installed")
    folder = tmp_path_factory.mktemp("siglip")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a dog lies on shoes", "two cats on a long red bus", "some people"] * 20),
        model_prefix=str(folder / "spiece"),
        vocab_size=27,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        pad_piece="<pad>",
        minloglevel=2,
    )
    tokenizer = transformers.SiglipTokenizer(str(folder / "spiece.model"), pad_token="</s>")
    tokenizer.save_pretrained(folder)
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    ids = {"vocab_size": len(tokenizer), "bos_token_id": 1, "eos_token_id": 1, "pad_token_id": 1}
    torch.manual_seed(0)
    config = transformers.SiglipConfig(
        text_config=tower | ids | {"max_position_embeddings": 16, "projection_size": 32},
        vision_config=tower | {"image_size": 32, "patch_size": 8},
    )
    transformers.SiglipModel(config).save_pretrained(folder)
    transformers.SiglipImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def test_a_siglip_reads_texts_of_its_contexts_length(siglip: Path, items: list[Item]) -> None:
    captions = ["two cats", "a dog", "", "some people on a bus", "shoes", "two cats"]
    scores = scored(CLIPScore(str(siglip), prefix=""), items, captions)["CLIPScore"] * 40
    assert (scores > 0).any(), "scores that are clipped at 0 compare nothing"
    model = transformers.SiglipModel.from_pretrained(siglip)
    tokenizer = transformers.AutoTokenizer.from_pretrained(siglip)
    processor = transformers.AutoImageProcessor.from_pretrained(siglip, backend="pil")
    for item, caption, score in zip(items, captions, scores, strict=True):
        assert item.image is not None
        pixels = processor(Image.open(item.image).convert("RGB"), return_tensors="pt")["pixel_values"]
        ids = tokenizer(caption, padding="max_length", max_length=16, return_tensors="pt")["input_ids"]
        with torch.inference_mode():
            output = model(input_ids=ids, pixel_values=pixels)
        cosine = (output.image_embeds @ output.text_embeds.T).item()
        assert score == pytest.approx(100.0 * max(cosine, 0.0), abs=1e-3)


# --- texts ---------------------------------------------------------------------------------------------


def test_a_long_text_loses_its_end_and_says_so(checkpoint: Path, caplog: pytest.LogCaptureFixture) -> None:
    encoder = load_encoder(CLIPScore(str(checkpoint)), "CLIPScore")
    caplog.clear()
    seen = "x" * 75  # a token each; the two ends are the other 2 of the 77
    with caplog.at_level(logging.WARNING):
        whole, _ = encoder.texts([seen, "short"])
        assert not caplog.records
        cut, _ = encoder.texts([seen + "y" * 500, "short"])
    assert [record.getMessage() for record in caplog.records] == [
        "1 of 2 texts are longer than the 77 tokens that the model reads: their ends are cut off"
    ]
    [otherwise_cut] = encoder.texts([seen + "z"])
    assert cut == pytest.approx(otherwise_cut, abs=1e-5)
    assert not np.allclose(cut, whole, atol=1e-3), "the last letter of a word is a token of its own"


@pytest.mark.parametrize(
    "caption", ["\ud83d", "a\r\nb\u2028c", "nul \0", "<|endoftext|> dog", "word " * 10_000]
)
def test_no_caption_stops_the_scorer(checkpoint: Path, items: list[Item], caption: str) -> None:
    scores = scored(CLIPScore(str(checkpoint)), items[:2], [caption, "a dog"])["CLIPScore"]
    assert np.isfinite(scores).all()
    assert scores[1] == pytest.approx(
        scored(CLIPScore(str(checkpoint)), items[1:2], ["a dog"])["CLIPScore"][0], abs=1e-5
    )


# --- pictures ------------------------------------------------------------------------------------------


def test_a_picture_that_cannot_be_read_is_not_scored_and_stops_nobody(
    checkpoint: Path, items: list[Item], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    expected = scored(CLIPScore(str(checkpoint)), items)
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    broken = [
        replace(items[0], image=tmp_path / "missing.jpg"),
        items[1],
        replace(items[2], image=tmp_path / "broken.jpg"),
        replace(items[3], image=None),
        *items[4:],
    ]
    with caplog.at_level(logging.WARNING):
        measurements = CLIPScore(str(checkpoint), batch_size=2).score(broken, CAPTIONS)
    assert any("3 of 6 pictures cannot be read" in record.getMessage() for record in caplog.records)
    for measured in measurements:
        assert not measured.statistics[[0, 2, 3]].any()
        kept = expected[measured.name][[1, 4, 5]]
        assert measured.per_image[[1, 4, 5]] == pytest.approx(kept, abs=1e-5, nan_ok=True)
        assert measured.value == pytest.approx(np.nanmean(kept), abs=1e-5)


def test_without_pictures_it_is_not_computed(checkpoint: Path, items: list[Item], tmp_path: Path) -> None:
    with pytest.raises(MetricError, match="--images DIR"):
        CLIPScore(str(checkpoint)).score([replace(item, image=None) for item in items], CAPTIONS)
    gone = [replace(item, image=tmp_path / "gone" / "dog.jpg") for item in items]
    with pytest.raises(MetricError, match=r"6 of 6 pictures.*gone/dog\.jpg: there is no such file.*--images"):
        CLIPScore(str(checkpoint)).score(gone, CAPTIONS)


def test_without_references_there_is_clipscore_alone(checkpoint: Path, items: list[Item]) -> None:
    [measured] = CLIPScore(str(checkpoint)).score([replace(item, references=()) for item in items], CAPTIONS)
    assert measured.name == "CLIPScore"
    assert np.isfinite(measured.value)


# --- what is remembered ----------------------------------------------------------------------------------


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, int]]]:
    """Each pass through the model: which tower, how many rows."""
    seen: list[tuple[str, int]] = []
    features: Callable[..., Any] = clip_features.Encoder._features

    def counted(self: clip_features.Encoder, method: str, **inputs: Any) -> Any:
        seen.append((method, len(next(iter(inputs.values())))))
        return features(self, method, **inputs)

    monkeypatch.setattr(clip_features.Encoder, "_features", counted)
    return seen


def rows(passes: list[tuple[str, int]], tower: str) -> int:
    return sum(count for method, count in passes if tower in method)


def test_a_second_system_encodes_its_captions_alone(
    checkpoint: Path, items: list[Item], passes: list[tuple[str, int]]
) -> None:
    references = sum(len(item.references) for item in items)
    first = scored(CLIPScore(str(checkpoint)), items)
    assert rows(passes, "image") == 6
    assert rows(passes, "text") == 5 + references  # two captions are the same
    passes.clear()
    assert rows(passes, "image") == 0
    second = scored(CLIPScore(str(checkpoint)), items)
    assert passes == [("get_text_features", 5)]
    for name, values in first.items():
        assert np.array_equal(second[name], values, equal_nan=True)


def test_a_picture_is_known_by_its_content_and_not_by_its_name(
    checkpoint: Path, items: list[Item], passes: list[tuple[str, int]]
) -> None:
    before = scored(CLIPScore(str(checkpoint)), items[:2], CAPTIONS[:2])["CLIPScore"]
    assert items[0].image is not None
    assert items[1].image is not None
    shutil.copy(items[1].image, items[0].image)
    passes.clear()
    after = scored(CLIPScore(str(checkpoint)), items[:2], CAPTIONS[:2])["CLIPScore"]
    assert rows(passes, "image") == 0
    assert after[0] != pytest.approx(before[0], abs=1e-6)
    assert after[1] == before[1]


def test_other_weights_in_the_same_folder_are_another_checkpoint(
    checkpoint: Path, items: list[Item], tmp_path: Path
) -> None:
    folder = tmp_path / "clip"
    shutil.copytree(checkpoint, folder)
    [before, _] = CLIPScore(str(folder)).score(items, CAPTIONS)
    torch.manual_seed(7)
    transformers.CLIPModel(transformers.CLIPConfig.from_pretrained(folder)).save_pretrained(folder)
    [after, _] = CLIPScore(str(folder)).score(items, CAPTIONS)
    assert not np.allclose(before.per_image, after.per_image)
    assert before.signature != after.signature


def test_a_checkpoint_of_the_hub_is_known_by_its_commit(
    checkpoint: Path, items: list[Item], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "models--somebody--clip"
    shutil.copytree(checkpoint, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    [measured, _] = CLIPScore("somebody/clip").score(items, CAPTIONS)
    assert "checkpoint:somebody/clip|" in measured.signature
    assert "01234567" in measured.signature
    [local, _] = CLIPScore(str(checkpoint)).score(items, CAPTIONS)
    assert np.array_equal(measured.per_image, local.per_image)


# --- what cannot be computed -----------------------------------------------------------------------------


def not_computed(scorer: CLIPScore, items: list[Item], *said: str) -> None:
    with pytest.raises(MetricError) as raised:
        scorer.score(items, CAPTIONS)
    assert "\n" not in str(raised.value)
    for words in said:
        assert words in str(raised.value)


def test_a_checkpoint_that_is_not_at_hand(items: list[Item], tmp_path: Path) -> None:
    not_computed(CLIPScore("nobody/no-such-clip"), items, "nobody/no-such-clip", "network", "checkpoint=DIR")
    not_computed(CLIPScore(str(tmp_path)), items, str(tmp_path), "checkpoint=DIR")


def test_a_checkpoint_that_is_no_clip(items: list[Item], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    not_computed(
        CLIPScore(str(tmp_path)),
        items,
        "'bert' checkpoint, and CLIPScore loads clip or siglip",
        "scorer.clipscore.checkpoint=",
    )


def test_weights_that_are_damaged_or_missing_or_pickled(
    checkpoint: Path, items: list[Item], tmp_path: Path
) -> None:
    folder = tmp_path / "clip"
    shutil.copytree(checkpoint, folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    not_computed(CLIPScore(str(folder)), items, str(folder))
    weights.unlink()
    not_computed(CLIPScore(str(folder)), items, str(folder), "safetensors")
    model = transformers.CLIPModel.from_pretrained(checkpoint)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    not_computed(CLIPScore(str(folder)), items, "safetensors_only=false")
    trusted = scored(CLIPScore(str(folder), safetensors_only=False), items)["CLIPScore"]
    assert trusted == pytest.approx(scored(CLIPScore(str(checkpoint)), items)["CLIPScore"], abs=1e-6)


def test_half_a_clip_has_noise_for_the_other_half(
    checkpoint: Path, items: list[Item], tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "clip"
    shutil.copytree(checkpoint, folder)
    weights = load_file(folder / "model.safetensors")
    kept = {name: value for name, value in weights.items() if not name.startswith("text_")}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    not_computed(CLIPScore(str(folder)), items, "lacks", "text_model")


def test_a_device_that_is_not_there(checkpoint: Path, items: list[Item]) -> None:
    not_computed(CLIPScore(str(checkpoint), device="xpu:7"), items, "'xpu:7'", "scorer.clipscore.device=auto")


@pytest.mark.parametrize("package", ["torch", "transformers"])
def test_a_missing_package_answers_with_its_install_line(
    items: list[Item], monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    not_computed(CLIPScore(), items, f"{package} is not installed", "pip install ", "'torch<")


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: tried 9"
        ),
    ],
)
def test_no_room_for_a_batch(
    checkpoint: Path, items: list[Item], monkeypatch: pytest.MonkeyPatch, error: RuntimeError
) -> None:
    def full(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(transformers.CLIPModel, "get_image_features", full)
    not_computed(CLIPScore(str(checkpoint)), items, "batch of 64", "scorer.clipscore.batch_size=8")


# --- signatures ------------------------------------------------------------------------------------------


def test_the_signature_names_what_the_number_depends_on(checkpoint: Path, items: list[Item]) -> None:
    first, second = CLIPScore(str(checkpoint)).score(items, CAPTIONS)
    assert first.signature.startswith("CLIPScore|")
    assert second.signature.startswith("RefCLIPScore|")
    for words in (checkpoint.name, "float32", "2.5", "A photo depicts"):
        assert words in first.signature
    assert str(checkpoint) not in first.signature, "a path means nothing on another machine"
    [other, _] = CLIPScore(str(checkpoint), prefix="").score(items, CAPTIONS)
    assert other.signature != first.signature
    [other, _] = CLIPScore(str(checkpoint), batch_size=3).score(items, CAPTIONS)
    assert other.signature == first.signature


def test_names_are_those_of_the_measurements(checkpoint: Path, items: list[Item]) -> None:
    scorer = CLIPScore(str(checkpoint))
    assert tuple(measured.name for measured in scorer.score(items, CAPTIONS)) == scorer.names
