"""A picture goes as it is where that is what a local model sees, and else as the rule says."""

from __future__ import annotations

import base64
import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from evaluator.core import Item
from evaluator.core.errors import CaptionError, ImageError
from evaluator.files.images import read_picture
from evaluator.models.encoded_pictures import EncodedPicture, PictureRule, encode_picture

RULE = PictureRule(("image/jpeg", "image/png", "image/gif", "image/webp"), longest_side=100, max_bytes=20_000)


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    channels = {"RGB": (3,), "RGBA": (4,), "CMYK": (4,), "L": ()}[mode]
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, *channels), dtype=np.uint8)
    return Image.fromarray(pixels, mode)


def saved(picture: Image.Image, path: Path, **options: Any) -> Item:
    picture.save(path, **options)
    return Item("1", path)


def opened(encoded: EncodedPicture) -> Image.Image:
    return Image.open(io.BytesIO(encoded.data))


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.gif", "a.webp"])
def test_a_plain_file_goes_as_it_is(name: str, tmp_path: Path) -> None:
    item = saved(noise(40, 30), tmp_path / name)
    encoded = encode_picture(item, RULE)
    assert encoded.data == (tmp_path / name).read_bytes()
    assert encoded.media_type == Image.MIME[opened(encoded).format or ""]
    assert encoded.digest == hashlib.sha256(encoded.data).hexdigest()
    assert base64.b64decode(encoded.base64) == encoded.data


def animation(path: Path) -> Item:
    return saved(noise(40, 30), path, save_all=True, append_images=[noise(40, 30, "L").convert("RGB")])


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("wide.png", lambda path: saved(noise(101, 30), path)),
        ("heavy.png", lambda path: saved(noise(90, 90), path)),
        ("format.bmp", lambda path: saved(noise(40, 30), path)),
        ("transparent.png", lambda path: saved(noise(40, 30, "RGBA"), path)),
        (
            "sixteen.png",
            lambda path: saved(Image.fromarray(np.full((30, 40), 40_000, dtype=np.uint16)), path),
        ),
        ("inks.jpg", lambda path: saved(noise(40, 30, "CMYK"), path)),
        ("moving.gif", animation),
        ("moving.webp", animation),
    ],
)
def test_any_other_goes_as_the_jpeg_that_a_local_model_would_see(
    name: str, make: Any, tmp_path: Path
) -> None:
    item = make(tmp_path / name)
    encoded = encode_picture(item, RULE)
    assert encoded.media_type == "image/jpeg"
    assert len(encoded.data) <= RULE.max_bytes
    assert max(opened(encoded).size) <= RULE.longest_side
    assert encoded.digest == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
    seen = read_picture(tmp_path / name).resize((4, 3), Image.Resampling.BOX)
    sent = opened(encoded).convert("RGB").resize((4, 3), Image.Resampling.BOX)
    assert np.abs(np.asarray(seen, dtype=float) - np.asarray(sent, dtype=float)).mean() < 6


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_picture_on_its_side_is_set_upright(orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    item = saved(noise(40, 30), tmp_path / "side.jpg", exif=exif)
    encoded = encode_picture(item, RULE)
    assert opened(encoded).size == read_picture(tmp_path / "side.jpg").size
    assert opened(encoded).getexif().get(0x0112, 1) == 1


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
def test_a_file_that_is_cut_off_is_never_sent(name: str, tmp_path: Path) -> None:
    saved(noise(40, 30), tmp_path / name)
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(ImageError, match=name):
        encode_picture(Item("1", tmp_path / name), RULE)


def test_what_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    for path in (tmp_path / "text.jpg", tmp_path / "missing.jpg", tmp_path):
        with pytest.raises(ImageError):
            encode_picture(Item("1", path), RULE)
    with pytest.raises(CaptionError, match=r"data\.images"):
        encode_picture(Item("1", None), RULE)


def test_a_limit_that_nothing_meets_is_said(tmp_path: Path) -> None:
    item = saved(noise(90, 90), tmp_path / "a.png")
    with pytest.raises(ImageError, match="smaller than 100 bytes"):
        encode_picture(item, PictureRule(("image/png",), 100, 100))


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    width=st.integers(2, 300),
    height=st.integers(2, 300),
    side=st.integers(64, 200),
    most=st.integers(3000, 9000),
)
def test_limits_hold_for_every_size(width: int, height: int, side: int, most: int, tmp_path: Path) -> None:
    rule = PictureRule(("image/png",), side, most)
    encoded = encode_picture(saved(noise(width, height), tmp_path / "any.png"), rule)
    assert len(encoded.data) <= most
    assert max(opened(encoded).size) <= side


def test_rules_that_differ_read_differently() -> None:
    rules = [
        RULE,
        PictureRule(RULE.media_types[:2], 100, 20_000),
        PictureRule(RULE.media_types, 101, 20_000),
        PictureRule(RULE.media_types, 100, 20_001),
        PictureRule(RULE.media_types, 100, 20_000, quality=80),
    ]
    assert len({rule.text for rule in rules}) == len(rules)


def test_photographs_of_coco_go_as_they_are(real_data: Path) -> None:
    rule = PictureRule(("image/jpeg", "image/png", "image/webp"), 1568, 3_750_000)
    paths = sorted((real_data / "coco" / "images").glob("*.jpg"))
    assert len(paths) == 60
    assert all(encode_picture(Item(path.stem, path), rule).data == path.read_bytes() for path in paths)
