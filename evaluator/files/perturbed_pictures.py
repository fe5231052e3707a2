"""Pictures that are made harder, to see what captions lose: turned, shrunk, cut, blurred, and so on.

    photos/17.jpg/perturbed/blur3/17.jpg

is photos/17.jpg with a blur of severity 3. So a perturbed picture has a path like any other, takes no space
on the disk, and is the same whenever it is read: what is random comes from the picture's own bytes.

The severities of blur, noise, brightness and JPEG are those of ImageNet-C (Hendrycks and Dietterich 2019,
arXiv 1903.12261), whose pictures have 224 pixels; a blur grows with the picture.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from evaluator.core.errors import ConfigError
from evaluator.core.perturbation import Kind, Perturbation, perturbation_from

FOLDER = "perturbed"
GREY = (128, 128, 128)
SIDE = 224  # pixels, of the pictures that the severities of a blur are for

# By severity, from 1 to 5.
STRENGTHS: dict[Kind, tuple[float, ...]] = {
    "rotate": (5, 10, 20, 45, 90),  # degrees, to the left or to the right
    "scale": (0.9, 0.75, 0.6, 0.4, 0.25),  # the picture's share of its sides, on grey
    "crop": (0.95, 0.85, 0.7, 0.5, 0.35),  # the share of the sides that is kept, anywhere
    "blur": (1, 2, 3, 4, 6),  # the Gaussian's standard deviation, in pixels of 224
    "jpeg": (25, 18, 15, 10, 7),  # Pillow's quality
    "noise": (0.08, 0.12, 0.18, 0.26, 0.38),  # standard deviation; values are from 0 to 1
    "brightness": (0.1, 0.2, 0.3, 0.4, 0.5),  # added to the value of HSV, from 0 to 1
}


class Perturbed(NamedTuple):
    """The picture that a path stands for."""

    original: Path
    perturbation: Perturbation


def perturbed_path(picture: Path, perturbation: Perturbation) -> Path:
    """The path of a picture after a perturbation.

    >>> perturbed_path(Path("photos/17.jpg"), Perturbation("blur", 3)).as_posix()
    'photos/17.jpg/perturbed/blur3/17.jpg'
    """
    return picture / FOLDER / str(perturbation) / picture.name


def perturbed_picture(path: Path) -> Perturbed | None:
    """What such a path stands for; None for any other path."""
    if len(path.parts) < 4 or path.parts[-3] != FOLDER:
        return None
    try:
        perturbation = perturbation_from(path.parts[-2])
    except ConfigError:
        return None
    return Perturbed(path.parents[2], perturbation) if perturbation else None


def perturbed(picture: Image.Image, perturbation: Perturbation, content: bytes) -> Image.Image:
    """An RGB picture made harder; `content` is its file's, from which all that is random comes."""
    kind, strength = perturbation.kind, STRENGTHS[perturbation.kind][perturbation.severity - 1]
    width, height = picture.size
    seed = hashlib.sha256(kind.encode() + content).digest()
    generator = np.random.default_rng(int.from_bytes(seed[:8], "little"))
    match kind:
        case "rotate":
            degrees = strength * generator.choice((-1, 1))
            return picture.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=GREY)
        case "scale":
            size = (max(1, round(width * strength)), max(1, round(height * strength)))
            ground = Image.new("RGB", picture.size, GREY)
            ground.paste(picture.resize(size), ((width - size[0]) // 2, (height - size[1]) // 2))
            return ground
        case "crop":
            size = (max(1, round(width * strength)), max(1, round(height * strength)))
            left, top = (int(generator.integers(0, free + 1)) for free in (width - size[0], height - size[1]))
            return picture.crop((left, top, left + size[0], top + size[1]))
        case "blur":
            return picture.filter(ImageFilter.GaussianBlur(strength * min(picture.size) / SIDE))
        case "jpeg":
            buffer = io.BytesIO()
            picture.save(buffer, "JPEG", quality=int(strength))
            return Image.open(buffer, formats=("JPEG",)).convert("RGB")
        case "noise":
            values = np.asarray(picture, np.float32) / 255
            noisy = values + generator.normal(0, strength, values.shape).astype(np.float32)
            return Image.fromarray(np.rint(noisy.clip(0, 1) * 255).astype(np.uint8))
        case "brightness":
            hue, saturation, value = picture.convert("HSV").split()
            brighter = value.point([min(255, round(level + strength * 255)) for level in range(256)])
            return Image.merge("HSV", (hue, saturation, brighter)).convert("RGB")


def as_png(picture: Image.Image) -> bytes:
    """Without loss, and fast rather than small: it is read at once."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
