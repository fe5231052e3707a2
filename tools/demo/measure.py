"""How good the demo's models are on the held-out scenes, measured by the scenes themselves.

A caption names pairs of a colour and a shape. Recall is the share of a scene's pairs that its caption names.
A pair that a caption names and its scene does not contain is invented.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

import evaluator.demo
from evaluator.core import Item, Prompt, Reply
from tools.demo.captions import mentioned_pairs, references, wrong_captions
from tools.demo.scenes import HELD_OUT_SEED, Scene, held_out

DATA = Path(evaluator.demo.__file__).parent / "data"


class Measured(NamedTuple):
    """Recall, invented pairs per image, CIDEr, and the CIDEr of the captions shuffled over the images."""

    recall: float
    invented: float
    cider: float
    shuffled_cider: float


def recall(captions: Sequence[str], scenes: Sequence[Scene]) -> float:
    """The share of all shapes in the scenes whose colour and name their caption names, from 0 to 1."""
    recalled = total = 0
    for caption, scene in zip(captions, scenes, strict=True):
        named = mentioned_pairs(caption)
        total += len(scene.shapes)
        for shape in scene.shapes:
            if shape.pair in named:
                named.remove(shape.pair)
                recalled += 1
    return recalled / total


def invented(captions: Sequence[str], scenes: Sequence[Scene]) -> float:
    """Pairs per image that the caption names more often than the scene contains them."""
    number = 0
    for caption, scene in zip(captions, scenes, strict=True):
        left = [shape.pair for shape in scene.shapes]
        for pair in mentioned_pairs(caption):
            if pair in left:
                left.remove(pair)
            else:
                number += 1
    return number / len(scenes)


def measured(captions: Sequence[str], scenes: Sequence[Scene]) -> Measured:
    """All four measures; captions and scenes are in the same order."""
    from evaluator.scorers.cider import CIDEr

    items = [
        Item(str(number), None, references(scene, seed=f"references {number}"))
        for number, scene in enumerate(scenes, 1)
    ]
    shuffled = random.Random(0).sample(captions, len(captions))
    (right,) = CIDEr().score(items, captions)
    (wrong,) = CIDEr().score(items, shuffled)
    return Measured(recall(captions, scenes), invented(captions, scenes), right.value, wrong.value)


def model_captions(name: str, folder: Path) -> list[str]:
    """A model's captions of the demo's pictures, through the code that loads any checkpoint."""
    from evaluator.models.blip import BLIP
    from evaluator.models.blip2 import BLIP2
    from evaluator.models.git import GIT
    from evaluator.models.local import LocalCaptioner

    families: dict[str, type[LocalCaptioner]] = {"git": GIT, "blip": BLIP, "blip2": BLIP2}
    captioner = families[name](str(folder))
    with captioner.open(Prompt("none")) as session:
        pictures = [session.prepare(Item("", path)) for path in sorted((DATA / "images").glob("*.png"))]
        return [reply.text if isinstance(reply, Reply) else "" for reply in session.caption(pictures)]


def preferences(folder: Path) -> tuple[float, float]:
    """How often a CLIP prefers the right caption to one with a wrong colour, and with a wrong shape."""
    import torch
    from transformers import AutoModel, AutoProcessor

    from evaluator.files.images import read_picture

    model, processor = AutoModel.from_pretrained(folder).float().eval(), AutoProcessor.from_pretrained(folder)
    generator = random.Random(HELD_OUT_SEED)
    wins = []
    for number, scene in enumerate(held_out(), 1):
        picture = read_picture(DATA / "images" / f"{number:012d}.png")
        for caption in references(scene, seed=f"references {number}"):
            texts = [caption, *wrong_captions(caption, scene, generator)]
            inputs = processor(text=texts, images=[picture], return_tensors="pt", padding=True)
            with torch.inference_mode():
                right, color, shape = model(**inputs).logits_per_image[0].tolist()
            wins.append((right > color, right > shape))
    color_share, shape_share = np.mean(wins, axis=0).tolist()
    return color_share, shape_share


def judgements(folder: Path) -> tuple[float, float, float]:
    """The shares of right captions, wrong colours and wrong shapes that a matching head calls a match."""
    from evaluator.scorers.itm import ITM

    generator = random.Random(HELD_OUT_SEED)
    pairs = [
        (DATA / "images" / f"{number:012d}.png", text)
        for number, scene in enumerate(held_out(), 1)
        for caption in references(scene, seed=f"references {number}")
        for text in (caption, *wrong_captions(caption, scene, generator))
    ]
    matches = ITM(str(folder), device="cpu").matcher().matches(pairs).probabilities >= 0.5
    right, color, shape = matches.reshape(-1, 3).mean(axis=0).tolist()
    return right, color, shape


def report(name: str, folder: Path) -> str:
    """One line for the end of a training."""
    if name == "itm":
        right, color, shape = judgements(folder)
        wrong = f"{color:.1%} with a wrong colour, {shape:.1%} with a wrong shape"
        return f"{name} accepts {right:.1%} of the right captions, {wrong}"
    if name == "clip":
        color, shape = preferences(folder)
        return f"{name} prefers the right colour in {color:.1%} and the right shape in {shape:.1%} of cases"
    result = measured(model_captions(name, folder), held_out())
    return (
        f"{name}: recall {result.recall:.3f}, {result.invented:.3f} invented per image, "
        f"CIDEr {result.cider:.3f}, {result.shuffled_cider:.3f} shuffled"
    )
