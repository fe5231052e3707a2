"""A CLIP that chooses among candidate captions, against the model's own zero-shot classification."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

import evaluator.demo  # noqa: E402
from evaluator.captions_files.candidates import read_candidates  # noqa: E402
from evaluator.core import Item, Outcome, Prompt  # noqa: E402
from evaluator.core.errors import CaptionError, ConfigError, DataError  # noqa: E402
from evaluator.models.clip_rank import CLIPRank  # noqa: E402
from tests.models.local.conftest import TEXT, VISION, bert_tokenizer, shake  # noqa: E402

DEMO = Path(evaluator.demo.__file__).parent
CLIP = DEMO / "models" / "clip"
POOL = ("a red star on a white background", "two blue circles", "a green cross and a yellow square")


def pool(folder: Path) -> Path:
    path = folder / "pool.txt"
    path.write_text("\n".join([POOL[0], "", *POOL, POOL[1]]) + "\n")
    return path


def ranked(model: CLIPRank, items: list[Item]) -> list[Any]:
    with model.for_data(None, items).open(Prompt("none")) as session:
        return list(session.caption([session.prepare(item) for item in items]))


def siglip(folder: Path) -> Path:
    tokenizer = bert_tokenizer(folder)
    torch.manual_seed(0)
    config = transformers.SiglipConfig(
        vision_config=VISION, text_config=TEXT | {"vocab_size": len(tokenizer), "max_position_embeddings": 16}
    )
    model = transformers.SiglipModel(config)
    shake(model)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    transformers.SiglipImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_the_choice_is_that_of_zero_shot_classification(kind: str, tmp_path: Path) -> None:
    checkpoint = CLIP if kind == "clip" else siglip(tmp_path / "siglip")
    pictures = sorted((DEMO / "data" / "images").glob("*.png"))[:6]
    replies = ranked(
        CLIPRank(str(checkpoint), pool(tmp_path), kept=2, prefix="A photo of "),
        [Item(str(number), path) for number, path in enumerate(pictures)],
    )
    model = transformers.AutoModel.from_pretrained(checkpoint, dtype=torch.float32).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint)
    processor = transformers.AutoImageProcessor.from_pretrained(checkpoint, backend="pil")
    texts = ["A photo of " + text for text in POOL]
    words = (
        tokenizer(texts, return_tensors="pt", padding=True)
        if kind == "clip"
        else tokenizer(
            texts, return_tensors="pt", padding="max_length", max_length=16, return_attention_mask=False
        )
    )
    for path, reply in zip(pictures, replies, strict=True):
        pixels = processor(Image.open(path).convert("RGB"), return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            logits = model(**words, pixel_values=pixels).logits_per_image[0]
        expected = logits.softmax(dim=0) if kind == "clip" else logits.sigmoid()
        order = expected.argsort(descending=True)[:2].tolist()
        assert reply.text == POOL[order[0]]
        kept = [line.split(" ", 1) for line in reply.whole_text.splitlines()]
        assert [text for _, text in kept] == [POOL[index] for index in order]
        assert [float(value) for value, _ in kept] == pytest.approx(expected[order].tolist(), abs=1e-4)


def test_a_siglip_reads_small_letters(tmp_path: Path) -> None:
    """As it was trained; the tokenizer of SigLIP 2, unlike that of the first, leaves it to the caller."""
    folder = siglip(tmp_path / "siglip")
    for name, entries in (
        ("tokenizer.json", {"normalizer": {"type": "NFC"}}),
        ("tokenizer_config.json", {"tokenizer_class": "TokenizersBackend"}),
    ):
        saved = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(saved | entries))
    assert transformers.AutoTokenizer.from_pretrained(folder).tokenize("Red red")[0] != "red"
    picture = Item("1", next((DEMO / "data" / "images").glob("*.png")))
    found = []
    for texts in (POOL, [text.upper() for text in POOL]):
        path = tmp_path / "pool.txt"
        path.write_text("\n".join(texts))
        found += ranked(CLIPRank(str(folder), path), [picture])
    assert found[0].whole_text == found[1].whole_text.lower()


def test_the_demos_clip_finds_the_captions_of_its_pictures(tmp_path: Path) -> None:
    """Each image with its own reference among those of others."""
    document = json.loads((DEMO / "data" / "captions.json").read_text())
    names = {image["id"]: image["file_name"] for image in document["images"][:20]}
    references = {one["image_id"]: one["caption"] for one in document["annotations"]}
    candidates = {str(image): [references[other] for other in names] for image in names}
    (tmp_path / "candidates.json").write_text(json.dumps(candidates))
    items = [Item(str(image), DEMO / "data" / "images" / name) for image, name in names.items()]
    replies = ranked(CLIPRank(str(CLIP), tmp_path / "candidates.json"), items)
    right = sum(reply.text == references[int(item.id)] for item, reply in zip(items, replies, strict=True))
    assert right >= 15


def test_candidates_of_single_images(tmp_path: Path) -> None:
    path = tmp_path / "candidates.json"
    rows = [("a", "one"), ("a", "two"), ("b", "three"), ("a", "one")]
    path.write_text(json.dumps([{"image_id": image, "caption": text} for image, text in rows]))
    items = [Item("a", None), Item("b", None), Item("c", None)]
    assert read_candidates(path, items).by_item == {"a": ("one", "two"), "b": ("three",)}
    model = CLIPRank(str(CLIP), path)
    assert model.for_data(None, items).check(Prompt("none"), items) == (
        "1 of 3 images have no candidate, such as 'c'",
    )
    with pytest.raises(DataError, match="no image of the data set has a candidate"):
        model.for_data(None, items[2:]).check(Prompt("none"), items[2:])
    with pytest.raises(ConfigError, match=r"prompt\.text: clip-rank chooses among candidates"):
        model.check(Prompt("photo", "a photo of"), items)
    picture = next((DEMO / "data" / "images").glob("*.png"))
    (answer,) = ranked(model, [Item("c", picture)])
    assert isinstance(answer, CaptionError)
    assert answer.outcome is Outcome.MISSING


def test_a_run_with_a_pool(command: Callable[..., Any], tmp_path: Path) -> None:
    typed = ["model=clip-rank", f"model.checkpoint={CLIP}", f"model.candidates={pool(tmp_path)}"]
    done = command("run", *typed, "limit=4", "scorer=[bleu]", "name=x")
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "runs" / "x" / "captions.jsonl").read_text().splitlines()
    captions = [json.loads(line)["reply"]["text"] for line in lines]
    assert len(captions) == 4
    assert set(captions) <= set(POOL)
