"""Captions of drawn scenes as people would write them: varied, grammatical and true.

>>> from tools.demo.scenes import Scene, Shape
>>> scene = Scene((Shape("red", "circle", "big"),), "left", "white", "plain", (0.0, 0.0))
>>> describe(scene, random.Random(9))
'a big red circle on the left'
"""

from __future__ import annotations

import random
import re

from tools.demo.scenes import COLORS, SHAPES, Scene, Shape

SIZE_WORDS = {"big": ("big", "large"), "small": ("small", "little")}
REFERENCES = 5


def references(scene: Scene, seed: str) -> tuple[str, ...]:
    """Five different captions of a scene."""
    generator = random.Random(seed)
    texts: dict[str, None] = {}
    while len(texts) < REFERENCES:
        texts[describe(scene, generator)] = None
    return tuple(texts)


def describe(scene: Scene, generator: random.Random) -> str:
    """One caption, without a full stop. It names each shape with its colour; size and ground are optional."""
    shapes = {1: describe_one, 2: describe_two, 3: describe_three}[len(scene.shapes)](scene, generator)
    ground = generator.choice(
        ("", "", f" on {background(scene, generator)}", f" against {background(scene, generator)}")
    )
    opening = generator.choice(("", "", "", "a picture of ", "a photo of ", "an image of ", "there is "))
    return opening + shapes + ground


def describe_one(scene: Scene, generator: random.Random) -> str:
    (shape,) = scene.shapes
    side = "in the middle" if scene.layout == "middle" else f"on the {scene.layout}"
    return thing(shape, generator) + generator.choice(("", f" {side}", f" {side}"))


def describe_two(scene: Scene, generator: random.Random) -> str:
    first, second = (thing(shape, generator) for shape in scene.shapes)
    if scene.layout == "beside":
        forms = (
            f"{first} to the left of {second}",
            f"{second} to the right of {first}",
            f"{first} next to {second}",
            f"{first} beside {second}",
            f"{first} and {second} side by side",
        )
    else:
        forms = (
            f"{first} above {second}",
            f"{second} below {first}",
            f"{second} under {first}",
            f"{first} over {second}",
            f"{first} at the top and {second} at the bottom",
        )
    return generator.choice(forms)


def describe_three(scene: Scene, generator: random.Random) -> str:
    first, second, third = (thing(shape, generator) for shape in scene.shapes)
    forms = (
        f"{first}, {second} and {third} in a row",
        f"{first}, {second} and {third}",
        f"{second} between {first} and {third}",
        f"{first} followed by {second} and {third}",
    )
    return generator.choice(forms)


def thing(shape: Shape, generator: random.Random) -> str:
    """Such as `a big red circle`; the size is sometimes left out."""
    size = generator.choice(("", *SIZE_WORDS[shape.size]))
    return with_article(" ".join(filter(None, (size, shape.color, shape.name))))


def background(scene: Scene, generator: random.Random) -> str:
    word = generator.choice(("background", "background", "ground"))
    texture = "" if scene.texture == "plain" and generator.random() < 0.5 else scene.texture
    return with_article(" ".join(filter(None, (texture, scene.ground, word))))


def with_article(words: str) -> str:
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def mentioned_pairs(caption: str) -> list[tuple[str, str]]:
    """Each colour and shape that a caption names, in the caption's order, with repeats."""
    return re.findall(rf"\b({'|'.join(COLORS)}) ({'|'.join(SHAPES)})\b", caption)


def wrong_captions(caption: str, scene: Scene, generator: random.Random) -> tuple[str, str]:
    """The caption with one colour wrong, and with one shape wrong, so that neither is true of the scene."""
    color, shape = generator.choice(mentioned_pairs(caption))
    pairs = {thing.pair for thing in scene.shapes}
    other_color = generator.choice([name for name in COLORS if (name, shape) not in pairs])
    other_shape = generator.choice([name for name in SHAPES if (color, name) not in pairs])
    return (
        _with_right_articles(caption.replace(f"{color} {shape}", f"{other_color} {shape}")),
        caption.replace(f"{color} {shape}", f"{color} {other_shape}"),
    )


def _with_right_articles(caption: str) -> str:
    return re.sub(r"\ban? (\w)", lambda match: with_article(match[1]), caption)
