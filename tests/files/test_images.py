from __future__ import annotations

import io
import os
import subprocess
import sys
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageDraw

from evaluator.core.errors import ImageError
from evaluator.files import images
from evaluator.files.images import PlainPicture, as_jpeg, plain_picture, read_file, read_picture, thumbnail

FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM"]


def drawn(size: tuple[int, int] = (48, 32)) -> Image.Image:
    """A picture whose four corners differ."""
    picture = Image.new("RGB", size, (200, 120, 40))
    draw = ImageDraw.Draw(picture)
    width, height = size
    draw.rectangle((0, 0, width // 3, height // 3), fill=(255, 0, 0))
    draw.rectangle((width // 2, 0, width, height // 4), fill=(0, 255, 0))
    draw.rectangle((0, height // 2, width // 4, height), fill=(0, 0, 255))
    return picture


def encoded(picture: Image.Image, format_name: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format_name, **options)
    return buffer.getvalue()


def read(folder: Path, content: bytes, name: str = "picture") -> Image.Image:
    path = folder / name
    path.write_bytes(content)
    return read_picture(path)


def pixels(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture).astype(int)


@pytest.mark.parametrize("format_name", FORMATS)
def test_every_format_gives_the_picture_as_rgb(tmp_path: Path, format_name: str) -> None:
    picture = read(tmp_path, encoded(drawn(), format_name))
    assert picture.mode == "RGB"
    assert picture.size == (48, 32)
    assert np.abs(pixels(picture) - pixels(drawn())).mean() < 8  # the lossy ones are near


@pytest.mark.parametrize("format_name", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_formats_give_the_very_pixels(tmp_path: Path, format_name: str) -> None:
    assert np.array_equal(pixels(read(tmp_path, encoded(drawn(), format_name))), pixels(drawn()))


def test_the_name_of_the_file_does_not_matter(tmp_path: Path) -> None:
    assert read(tmp_path, encoded(drawn(), "PNG"), "wrong.jpg").size == (48, 32)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_all_eight_orientations_end_upright(tmp_path: Path, orientation: int, format_name: str) -> None:
    # Where row 0 and column 0 of the stored picture belong in the upright one, as the EXIF standard says it.
    upright = pixels(drawn())
    stored = {
        1: upright,  # row 0 is the top, column 0 the left side
        2: upright[:, ::-1],  # top, right
        3: upright[::-1, ::-1],  # bottom, right
        4: upright[::-1],  # bottom, left
        5: upright.transpose(1, 0, 2),  # left, top
        6: upright[:, ::-1].transpose(1, 0, 2),  # right, top
        7: upright[::-1, ::-1].transpose(1, 0, 2),  # right, bottom
        8: upright[::-1].transpose(1, 0, 2),  # left, bottom
    }[orientation]
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    options = {"quality": 100} if format_name in ("JPEG", "WEBP") else {}
    content = encoded(Image.fromarray(stored.astype(np.uint8)), format_name, exif=exif, **options)

    picture = read(tmp_path, content)

    assert picture.size == (48, 32)
    assert np.abs(pixels(picture) - upright).mean() < 8
    assert not picture.getexif(), "whoever turns the picture by its EXIF would turn it twice"


def test_an_impossible_orientation_is_none(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 77
    assert read(tmp_path, encoded(drawn(), "JPEG", exif=exif)).size == (48, 32)


def test_exif_that_cannot_be_read_costs_neither_the_picture_nor_a_warning(tmp_path: Path) -> None:
    tags = b"II*\0\x08\0\0\0\x02\0" + b"\x0e\x01\x02\0\xff\xff\0\0\xff\xff\0\0" + b"\x12\x01\x03\0"
    path = tmp_path / "odd.jpg"
    path.write_bytes(encoded(drawn(), "JPEG", exif=b"Exif\0\0" + tags))
    # A process of its own, since pytest replaces the filters that the module sets when it is imported.
    script = f"from evaluator.files.images import *; print(read_picture(Path({str(path)!r})).size)"
    run = subprocess.run([sys.executable, "-W", "default", "-c", script], capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("(48, 32)\n", "")


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_transparency_is_laid_on_white(tmp_path: Path, mode: str) -> None:
    picture = Image.new("RGBA", (3, 1), (0, 0, 0, 255))
    picture.putpixel((1, 0), (0, 0, 0, 0))
    picture.putpixel((2, 0), (0, 0, 0, 128))
    kept = picture.quantize(4) if mode == "PA" else picture.convert(mode)
    row = pixels(read(tmp_path, encoded(kept, "PNG")))[0, :, 0].tolist()
    assert row == [0, 255, 127]


@pytest.mark.parametrize(("mode", "key"), [("L", 7), ("RGB", (7, 7, 7)), ("P", 7)])
def test_a_transparent_colour_is_white(tmp_path: Path, mode: str, key: object) -> None:
    picture = Image.new("L", (2, 1), 7).convert(mode) if mode != "P" else Image.new("P", (2, 1), 7)
    if mode == "P":
        picture.putpalette([value for grey in range(256) for value in (grey, grey, grey)])
    picture.putpixel((1, 0), 200 if mode != "RGB" else (200, 200, 200))
    row = pixels(read(tmp_path, encoded(picture, "PNG", transparency=key)))[0, :, 0].tolist()
    assert row == [255, 200]


@pytest.mark.parametrize("format_name", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_frame_of_an_animation_counts(tmp_path: Path, format_name: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue", "green")]
    content = encoded(frames[0], format_name, save_all=True, append_images=frames[1:])
    with Image.open(io.BytesIO(content)) as animation:
        assert animation.n_frames == 3
    assert np.abs(pixels(read(tmp_path, content)) - (255, 0, 0)).max() < 8


@pytest.mark.parametrize("format_name", ["JPEG", "TIFF"])
def test_cmyk(tmp_path: Path, format_name: str) -> None:
    picture = Image.new("CMYK", (8, 8), (0, 255, 255, 0))  # magenta and yellow ink: red
    assert np.abs(pixels(read(tmp_path, encoded(picture, format_name))) - (255, 0, 0)).max() < 8


@pytest.mark.parametrize(("mode", "black", "white"), [("1", 0, 255), ("L", 0, 255), ("P", 0, 255)])
def test_greys_palettes_and_bits(tmp_path: Path, mode: str, black: int, white: int) -> None:
    picture = Image.new("L", (2, 1), black)
    picture.putpixel((1, 0), white)
    assert pixels(read(tmp_path, encoded(picture.convert(mode), "PNG")))[0].tolist() == [[0] * 3, [255] * 3]


@pytest.mark.parametrize("format_name", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path: Path, format_name: str) -> None:
    values = np.array([[0, 257, 1000, 32896, 65535]], dtype=np.uint16)
    row = pixels(read(tmp_path, encoded(Image.fromarray(values), format_name)))[0]
    assert row.tolist() == [[grey] * 3 for grey in (0, 1, 4, 128, 255)]


def test_sixteen_bits_of_the_other_byte_order(tmp_path: Path) -> None:
    values = np.array([[0, 257, 65535]], dtype=">u2")
    picture = Image.frombytes("I;16B", (3, 1), values.tobytes())
    assert pixels(read(tmp_path, encoded(picture, "TIFF")))[0, :, 0].tolist() == [0, 1, 255]


@pytest.mark.parametrize("values", [[-5, 0, 5], [0.0, 0.25, 0.5], [0, 100_000, 200_000]])
def test_a_range_without_a_scale_goes_from_darkest_to_brightest(tmp_path: Path, values: list[float]) -> None:
    kind = np.float32 if isinstance(values[0], float) else np.int32
    picture = Image.fromarray(np.array([values], dtype=kind))
    assert pixels(read(tmp_path, encoded(picture, "TIFF")))[0, :, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize("values", [[3.5, 3.5], [np.nan, np.nan], [np.inf, 1.0]])
def test_values_that_leave_nothing_to_scale_still_give_a_picture(tmp_path: Path, values: list[float]) -> None:
    content = encoded(Image.fromarray(np.array([values], dtype=np.float32)), "TIFF")
    assert read(tmp_path, content).size == (2, 1)


def fails(path: Path, *said: str) -> None:
    with pytest.raises(ImageError) as raised:
        read_picture(path)
    for words in (str(path), *said):
        assert words in str(raised.value)


def test_no_such_file(tmp_path: Path) -> None:
    fails(tmp_path / "dog.jpg", "there is no such file")
    (tmp_path / "file").write_bytes(b"x")
    fails(tmp_path / "file" / "dog.jpg", "there is no such file")


def test_a_folder(tmp_path: Path) -> None:
    fails(tmp_path, "folder")


def test_a_pipe_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    fails(tmp_path / "pipe", "not an ordinary file")


def test_zero_bytes(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    fails(tmp_path / "empty.jpg", "empty (0 bytes)")


def test_something_that_is_not_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "page.jpg"
    path.write_bytes(b"<!DOCTYPE html><title>404</title>")
    fails(path, "not a picture of a known format", "JPEG", "<!DOCTYPE html>")


def test_postscript_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "program.eps"
    path.write_bytes(encoded(drawn(), "EPS"))
    fails(path, "not a picture of a known format")


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(encoded(drawn(), "PNG"))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # the tests may run as root, who may read anything
    fails(path, "no permission")


def test_a_name_that_the_system_refuses(tmp_path: Path) -> None:
    fails(tmp_path / ("x" * 300), "cannot be opened")
    fails(tmp_path / "nul\0.jpg")


@pytest.mark.parametrize("format_name", [*FORMATS, "progressive JPEG"])
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_a_file_cut_off_is_an_error_or_the_whole_picture(
    tmp_path: Path, format_name: str, data: st.DataObject
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    options = {"progressive": True} if format_name.startswith("progressive") else {}
    content = encoded(Image.fromarray(noise), format_name.removeprefix("progressive "), **options)
    whole = pixels(read(tmp_path, content))
    length = data.draw(st.integers(1, len(content) - 1))
    with suppress(ImageError):
        assert np.array_equal(pixels(read(tmp_path, content[:length])), whole)


@pytest.mark.parametrize("format_name", ["JPEG", "PNG"])
def test_half_a_file_is_an_error(tmp_path: Path, format_name: str) -> None:
    content = encoded(drawn((200, 200)), format_name)
    path = tmp_path / "half"
    path.write_bytes(content[: len(content) // 2])
    fails(path, "damaged or cut off")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(format_name=st.sampled_from(FORMATS), data=st.data())
def test_damage_anywhere_is_a_picture_or_an_image_error(
    tmp_path: Path, format_name: str, data: st.DataObject
) -> None:
    content = bytearray(encoded(drawn(), format_name))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    with suppress(ImageError):
        assert read(tmp_path, bytes(content)).mode == "RGB"


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    header = bytearray(encoded(Image.new("1", (8, 8)), "PNG"))
    header[16:24] = (20_000).to_bytes(4) + (20_000).to_bytes(4)
    header[29:33] = zlib.crc32(header[12:29]).to_bytes(4)
    path.write_bytes(header)
    fails(path, "20000 x 20000", "200 million")


@pytest.mark.parametrize("filters", ["always", "error"])
def test_the_size_limit_is_ours_alone_and_never_a_warning(
    tmp_path: Path, filters: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Pillow's own limit of 89 million pixels warns.
    path = tmp_path / "large.png"
    path.write_bytes(encoded(Image.new("1", (9_500, 9_500)), "PNG"))
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter(filters)  # type: ignore[arg-type]
        monkeypatch.setattr(images, "MAX_PIXELS", 90_000_000)
        fails(path, "9500 x 9500", "90 million")
        monkeypatch.setattr(images, "MAX_PIXELS", 91_000_000)
        assert read_picture(path).size == (9_500, 9_500)
    assert not warned


@pytest.mark.parametrize("size", [(1, 300), (3_000, 14)])
def test_sides_that_no_model_can_enlarge(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "thin.png"
    path.write_bytes(encoded(drawn(size), "PNG"))
    fails(path, f"{size[0]} x {size[1]}", "more than 200 times")
    assert plain_picture(path.read_bytes()) is None


@pytest.mark.parametrize("reader", ["read_file", "decode_picture"])
def test_too_little_memory_is_an_image_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: str
) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(encoded(drawn(), "PNG"))

    def refuse(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(*((Path, "read_bytes") if reader == "read_file" else (Image, "open")), refuse)
    fails(path, "not enough memory")


def test_a_file_larger_than_any_picture_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "disk.jpg"
    with path.open("wb") as sparse:
        sparse.truncate(images.MAX_BYTES + 1)
    fails(path, "2.0 GB")


@pytest.mark.parametrize("name", ["nul\0", "lone \ud800", "x" * 300, "x/" * 3000])
def test_no_path_is_too_odd_to_ask_for(tmp_path: Path, name: str) -> None:
    assert not images.is_file(tmp_path / name)
    fails(tmp_path / name)


def test_a_png_with_a_wrong_checksum(tmp_path: Path) -> None:
    content = bytearray(encoded(drawn(), "PNG"))
    end = content.rindex(b"IEND") - 4
    content[end - 1] ^= 1  # the last byte of the pixels' checksum
    path = tmp_path / "wrong.png"
    path.write_bytes(content)
    fails(path, "damaged")
    assert plain_picture(bytes(content)) is None


def test_many_rows_are_laid_on_white_like_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels_of = np.random.default_rng(0).integers(0, 256, (600, 5, 4), dtype=np.uint8)
    content = encoded(Image.fromarray(pixels_of), "PNG")
    by_strips = pixels(read(tmp_path, content))
    monkeypatch.setattr(images, "ROWS_AT_ONCE", 10_000)
    assert np.array_equal(by_strips, pixels(read(tmp_path, content)))


@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"restart_marker_rows": 1}])
@pytest.mark.parametrize("share", [0.35, 0.5, 0.75, 0.95])
def test_an_end_marker_does_not_hide_that_a_jpeg_is_cut_off(
    tmp_path: Path, share: float, options: dict[str, int]
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    content = encoded(Image.fromarray(noise), "JPEG", **options)
    assert read(tmp_path, content).size == (160, 120)
    path = tmp_path / "half.jpg"
    path.write_bytes(content[: int(share * len(content))] + b"\xff\xd9")
    fails(path, "damaged or cut off")


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_a_jpeg_that_ends_in_one_colour_is_whole(tmp_path: Path, mode: str, options: dict[str, int]) -> None:
    picture = Image.new("RGB", (61, 43), "white")
    picture.paste(drawn((20, 20)), (3, 3))
    assert read(tmp_path, encoded(picture.convert(mode), "JPEG", **options)).size == (61, 43)
    assert read(tmp_path, encoded(picture.convert(mode), "JPEG", **options) + b"\0" * 99).size == (61, 43)


@pytest.fixture
def heic(tmp_path: Path) -> Path:
    """A HEIC of the real library, whose stored picture lies on its side, as those of telephones do."""
    library = pytest.importorskip("pillow_heif")
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    stored = drawn().transpose(Image.Transpose.ROTATE_90)
    library.from_pillow(stored).save(tmp_path / "IMG_0001.HEIC", exif=exif.tobytes(), quality=95)
    return tmp_path / "IMG_0001.HEIC"


def test_heic_is_read_upright_where_its_library_is_installed(heic: Path) -> None:
    picture = read_picture(heic)
    assert picture.size == (48, 32)
    assert np.abs(pixels(picture) - pixels(drawn())).mean() < 8
    assert plain_picture(heic.read_bytes()) is None, "providers get a JPEG"


def test_heic_without_its_library_says_what_to_type(heic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "_reads_heic", lambda: False)
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    fails(heic, "HEIC", "pip install pillow-heif", "convert it to JPEG")


def test_a_damaged_heic_is_an_image_error(heic: Path) -> None:
    heic.write_bytes(heic.read_bytes()[:-60])
    fails(heic, "damaged or cut off")


def test_many_threads_read_the_same_as_one(tmp_path: Path) -> None:
    paths = []
    for number, format_name in enumerate(FORMATS * 4):
        paths.append(tmp_path / str(number))
        paths[-1].write_bytes(encoded(drawn((64 + number, 48)), format_name))
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(read_picture, paths))
    assert [picture.tobytes() for picture in together] == [read_picture(path).tobytes() for path in paths]


@pytest.mark.parametrize(
    ("size", "expected"), [((640, 480), (320, 240)), ((100, 80), (100, 80)), ((10, 2_000), (3, 640))]
)
def test_a_thumbnail_fits_and_is_never_enlarged(
    tmp_path: Path, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    path = tmp_path / "picture"
    path.write_bytes(encoded(drawn(size), "PNG"))
    with Image.open(io.BytesIO(thumbnail(path, width=320))) as small:
        assert (small.format, small.mode, small.size) == ("JPEG", "RGB", expected)


def test_real_photographs(real_data: Path) -> None:
    paths = sorted((real_data / "coco" / "images").glob("*.jpg"))
    assert len(paths) == 60
    for path in paths:
        picture = read_picture(path)
        with Image.open(path) as same:
            assert np.array_equal(pixels(picture), pixels(same.convert("RGB")))


# --- files that may be handed on as they are ---------------------------------------------------------------


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_plain_file_is_known_by_its_header(format_name: str) -> None:
    data = encoded(drawn(), format_name)
    assert plain_picture(data) == PlainPicture(Image.MIME[format_name], 48, 32)
    assert plain_picture(data[:-20]) is None


@pytest.mark.parametrize("format_name", ["BMP", "TIFF", "PPM"])
def test_the_end_of_other_formats_is_not_known(format_name: str) -> None:
    assert plain_picture(encoded(drawn(), format_name)) is None


@given(
    data=st.binary(max_size=64), cut=st.integers(0, 2000), format_name=st.sampled_from(["JPEG", "PNG", "GIF"])
)
@settings(deadline=None)
def test_a_damaged_file_is_not_plain_and_no_crash(data: bytes, cut: int, format_name: str) -> None:
    assert plain_picture(data) is None
    found = plain_picture(encoded(drawn(), format_name)[:cut] + data)
    assert found is None or found.media_type == Image.MIME[format_name]


def test_a_file_is_read_as_it_is_or_said_to_be_missing(tmp_path: Path) -> None:
    (tmp_path / "any").write_bytes(b"any bytes")
    assert read_file(tmp_path / "any") == b"any bytes"
    (tmp_path / "empty").touch()
    for name, said in {"empty": "0 bytes", "missing": "no such file", ".": "a folder"}.items():
        with pytest.raises(ImageError, match=said):
            read_file(tmp_path / name)


def test_a_jpeg_is_never_enlarged() -> None:
    for largest, size in {(24, 24): (24, 16), (100, 100): (48, 32)}.items():
        assert Image.open(io.BytesIO(as_jpeg(drawn(), largest, quality=90))).size == size
