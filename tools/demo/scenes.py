"""Drawn scenes: one to three coloured shapes, big or small, on plain or patterned grounds.

A scene is plain data. It is sampled from a seed and drawn from its data alone, so the same seed gives the
same pictures everywhere.

    >>> import random
    >>> scene = sample_scene(random.Random(0))
    >>> draw(scene).size
    (128, 128)
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

COLORS = {
    "red": (214, 56, 62),
    "orange": (240, 142, 44),
    "yellow": (246, 210, 60),
    "green": (62, 158, 92),
    "blue": (52, 104, 196),
    "purple": (134, 78, 176),
}
SHAPES = ("circle", "square", "triangle", "star", "cross")
SIZES = ("big", "small")
GROUNDS = {"white": (250, 249, 246), "gray": (188, 192, 198), "black": (38, 40, 48), "pink": (248, 214, 220)}
TEXTURES = ("plain", "striped", "dotted", "checked")
# How the shapes are arranged: alone, side by side, one above the other, three in a row.
LAYOUTS = {1: ("left", "middle", "right"), 2: ("beside", "above"), 3: ("row",)}

PIXELS = 128
SUPERSAMPLING = 3
HELD_OUT = 200
HELD_OUT_SEED = 2026


@dataclass(frozen=True)
class Shape:
    """One thing in a scene."""

    color: str
    name: str
    size: str

    @property
    def pair(self) -> tuple[str, str]:
        """What a caption must name correctly: colour and shape."""
        return self.color, self.name


@dataclass(frozen=True)
class Scene:
    """What a picture shows: its shapes from left to right or top to bottom, and the ground behind them.

    `jitter` holds two small displacements per shape, which make pictures with the same content differ.
    """

    shapes: tuple[Shape, ...]
    layout: str
    ground: str
    texture: str
    jitter: tuple[float, ...]

    @property
    def content(self) -> tuple[object, ...]:
        """The scene without its jitter: two scenes with the same content have the same captions."""
        return self.shapes, self.layout, self.ground, self.texture


def sample_scene(generator: random.Random) -> Scene:
    """A scene of one, two or three shapes of different colours."""
    number = generator.choices((1, 2, 3), weights=(3, 5, 2))[0]
    colors = generator.sample(sorted(COLORS), number)
    return Scene(
        shapes=tuple(Shape(color, generator.choice(SHAPES), generator.choice(SIZES)) for color in colors),
        layout=generator.choice(LAYOUTS[number]),
        ground=generator.choice(sorted(GROUNDS)),
        texture=generator.choice(TEXTURES),
        jitter=tuple(generator.uniform(-1, 1) for _ in range(2 * number)),
    )


def held_out() -> list[Scene]:
    """The demo's scenes, each with another content."""
    generator = random.Random(HELD_OUT_SEED)
    scenes: dict[tuple[object, ...], Scene] = {}
    while len(scenes) < HELD_OUT:
        scene = sample_scene(generator)
        scenes.setdefault(scene.content, scene)
    return list(scenes.values())


def training_scenes(seed: int) -> Iterator[Scene]:
    """An endless stream of scenes, none with the content of a held-out scene."""
    generator = random.Random(f"training {seed}")
    reserved = {scene.content for scene in held_out()}
    while True:
        scene = sample_scene(generator)
        if scene.content not in reserved:
            yield scene


def draw(scene: Scene) -> Image.Image:
    """The picture, PIXELS square, drawn larger and reduced so that edges are smooth."""
    side = PIXELS * SUPERSAMPLING
    image = Image.new("RGB", (side, side), GROUNDS[scene.ground])
    pen = ImageDraw.Draw(image)
    draw_texture(pen, scene, side)
    for index, (shape, (x, y, radius)) in enumerate(zip(scene.shapes, positions(scene), strict=True)):
        dx, dy = scene.jitter[2 * index : 2 * index + 2]
        draw_shape(pen, shape, (x + 0.035 * dx) * side, (y + 0.035 * dy) * side, radius * side)
    return image.resize((PIXELS, PIXELS), Image.Resampling.LANCZOS)


def positions(scene: Scene) -> list[tuple[float, float, float]]:
    """Centre and radius of each shape, as shares of the picture's side."""
    centers = {
        "left": [(0.27, 0.5)],
        "middle": [(0.5, 0.5)],
        "right": [(0.73, 0.5)],
        "beside": [(0.27, 0.5), (0.73, 0.5)],
        "above": [(0.5, 0.26), (0.5, 0.74)],
        "row": [(0.19, 0.5), (0.5, 0.5), (0.81, 0.5)],
    }[scene.layout]
    radius = {"big": {1: 0.23, 2: 0.2, 3: 0.15}, "small": {1: 0.13, 2: 0.12, 3: 0.095}}
    return [
        (x, y, radius[shape.size][len(scene.shapes)])
        for (x, y), shape in zip(centers, scene.shapes, strict=True)
    ]


def draw_texture(pen: ImageDraw.ImageDraw, scene: Scene, side: int) -> None:
    """A quiet pattern in a shade of the ground."""
    ground = GROUNDS[scene.ground]
    shade = tuple(min(255, level + 34) if sum(ground) < 200 else level - 30 for level in ground)
    step = side // 8
    if scene.texture == "striped":
        for x in range(-side, side, step):
            pen.line([(x, side), (x + side, 0)], fill=shade, width=step // 3)
    elif scene.texture == "dotted":
        rows = enumerate(range(step // 2, side, step))
        dots = [(x, y) for row, y in rows for x in range(step // 2 + (row % 2) * step // 2, side, step)]
        for x, y in dots:
            pen.ellipse([x - step // 7, y - step // 7, x + step // 7, y + step // 7], fill=shade)
    elif scene.texture == "checked":
        fields = [(column * step, row * step) for row in range(8) for column in range(row % 2, 8, 2)]
        for x, y in fields:
            pen.rectangle([x, y, x + step - 1, y + step - 1], fill=shade)


def draw_shape(pen: ImageDraw.ImageDraw, shape: Shape, x: float, y: float, radius: float) -> None:
    color = COLORS[shape.color]
    if shape.name == "circle":
        pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=color)
    elif shape.name == "square":
        half = 0.88 * radius
        pen.rectangle([x - half, y - half, x + half, y + half], fill=color)
    elif shape.name == "triangle":
        pen.polygon(corners(x, y + 0.18 * radius, [1.12 * radius] * 3), fill=color)
    elif shape.name == "star":
        pen.polygon(corners(x, y, [1.15 * radius, 0.45 * radius] * 5), fill=color)
    else:
        arm = 0.34 * radius
        pen.rectangle([x - radius, y - arm, x + radius, y + arm], fill=color)
        pen.rectangle([x - arm, y - radius, x + arm, y + radius], fill=color)


def corners(x: float, y: float, radii: Sequence[float]) -> list[tuple[float, float]]:
    """Points around (x, y), the first straight above it."""
    angles = (2 * math.pi * index / len(radii) for index in range(len(radii)))
    return [
        (x + radius * math.sin(angle), y - radius * math.cos(angle))
        for radius, angle in zip(radii, angles, strict=True)
    ]
