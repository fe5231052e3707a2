"""The only module that opens pictures: any common file becomes upright 8-bit RGB, or an ImageError.

Orientation follows EXIF 2.3, tag 0x0112. Transparent pictures get a white ground. The first frame of an
animation is read. 16-bit and floating-point greys are scaled to 8 bits, never clipped. A file that is cut off
is an error, never a picture with a grey half. HEIC, the format of telephones, is read where pillow-heif is
installed. Several threads may call these functions at once.
"""

from __future__ import annotations

import io
import os
import stat
import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageChops, UnidentifiedImageError

from evaluator.core.errors import ImageError
from evaluator.files.perturbed_pictures import as_png, perturbed, perturbed_picture
from evaluator.files.table_pictures import is_in_table, picture_in_table

# Enough for the 200-megapixel cameras of telephones (16320 x 12240); 0.8 GB as RGB.
MAX_PIXELS = 200_000_000
MAX_BYTES = 2_000_000_000

# Models enlarge the shorter side to some 400 pixels: without a limit, a picture of 1 x 3,000,000 pixels would
# then have a longer side of a billion. No panorama comes near it.
MAX_SIDE_RATIO = 200

# Not EPS, which Pillow passes to Ghostscript; not containers whose pictures can be larger than the header
# says; not JPEG 2000, whose decoder invents what is missing from a file that was cut off.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM")

# The endings of these formats' files, and of the HEIC that telephones make.
ENDINGS = frozenset(
    [
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"),
        *(".ppm", ".pgm", ".pbm", ".pnm", ".heic", ".heif", ".hif"),
    ]
)
# What stands behind `ftyp` in a HEIF file whose pictures are HEVC (ISO/IEC 23008-12, annex B).
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
# Rows that are laid on white at a time: a whole second picture would need as much memory again.
ROWS_AT_ONCE = 256

# Pillow warns at half the size at which it refuses, and a worker thread cannot catch a warning without
# changing the other threads' filters. MAX_PIXELS replaces Pillow's limit.
Image.MAX_IMAGE_PIXELS = None

# Warnings about odd metadata do not name the file. Where it matters, this module raises an ImageError.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_picture(path: Path) -> Image.Image:
    """The picture as upright RGB, fully decoded. Raises ImageError with the file's name and what is wrong."""
    return decode_picture(read_file(path), str(path))


def decode_picture(data: bytes, name: str) -> Image.Image:
    """The same of a file's content; `name` stands in the messages."""
    try:
        with Image.open(io.BytesIO(data), formats=_formats(data)) as image:
            _check_size(image, name)
            if image.format == "PNG":
                _check_sums(data)
            image.load()  # before the orientation: TIFF turns itself while loading
            if image.format == "JPEG" and _ends_too_early(image, data):
                raise OSError("the file ends before the picture does")
            picture = _rgb(image)
            turn = _UPRIGHT.get(_orientation(image))
        upright = picture if turn is None else picture.transpose(turn)
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise ImageError(f"{name}: {_unknown(data)}") from error
    except MemoryError as error:
        raise ImageError(f"{name}: there is not enough memory to read the picture") from error
    except Exception as error:  # decoders raise anything over damaged files, from OSError to struct.error
        reason = error or type(error).__name__
        raise ImageError(f"{name}: the picture is damaged or cut off: {reason}") from error
    upright.info = {}  # it contains the orientation: a program that reads it would turn the picture again
    return upright


def thumbnail(path: Path, width: int = 320) -> bytes:
    """The picture as a JPEG of at most this width in pixels, at most twice as high, never enlarged."""
    return as_jpeg(read_picture(path), (width, 2 * width), quality=75)


def as_jpeg(picture: Image.Image, largest: tuple[int, int], quality: int) -> bytes:
    """The picture as a JPEG of at most this width and height in pixels, never enlarged."""
    smaller = picture.copy()
    smaller.thumbnail(largest)
    buffer = io.BytesIO()
    smaller.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def read_file(path: Path) -> bytes:
    """The bytes of the file, of the picture in a row of a table, or of a perturbed picture.

    Raises ImageError where it is missing, empty, too large or no ordinary file.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise ImageError(f"{path}: this is a folder, not a picture")
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(f"{path}: this is not an ordinary file")
        if status.st_size == 0:
            raise ImageError(f"{path}: the file is empty (0 bytes)")
        if status.st_size > MAX_BYTES:
            raise ImageError(f"{path}: {status.st_size / 1e9:.1f} GB are more than any picture's file has")
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        if data := picture_in_table(path):
            return data
        if (found := perturbed_picture(path)) and not found.original.is_dir():
            data = read_file(found.original)
            picture = decode_picture(data, str(found.original))
            return as_png(perturbed(picture, found.perturbation, data))
        raise ImageError(f"{path}: there is no such file") from error
    except PermissionError as error:
        raise ImageError(f"{path}: no permission to read the file") from error
    except MemoryError as error:
        raise ImageError(f"{path}: there is not enough memory to read the file") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise ImageError(f"{path}: cannot be opened: {getattr(error, 'strerror', None) or error}") from error


def format_of(data: bytes) -> str:
    """The format of a picture's file, such as JPEG, whatever its name says; empty where it is none."""
    with suppress(Exception), Image.open(io.BytesIO(data), formats=_formats(data)) as image:
        return str(image.format)
    return ""


def is_file(path: Path) -> bool:
    """Whether a picture may be there: an ordinary file, a row of a table, or one of these perturbed.

    No path is too odd to ask, unlike for `Path.is_file`.
    """
    if os.path.isfile(path) or is_in_table(path):
        return True
    found = perturbed_picture(path)
    return found is not None and is_file(found.original)


def file_of(path: Path) -> Path:
    """The file that holds a picture: its own, the table that it is a row of, or what was perturbed."""
    if (found := perturbed_picture(path)) and not os.path.isfile(path):
        return file_of(found.original)
    return path.parents[2] if is_in_table(path) else path


def is_picture_name(name: str) -> bool:
    """Whether a file's name ends as those of pictures do."""
    return os.path.splitext(name)[1].lower() in ENDINGS


def without_ending(name: str) -> str:
    """A file's name without the ending of a picture.

    >>> without_ending("dog.jpeg"), without_ending("dog 2.0")
    ('dog', 'dog 2.0')
    """
    return os.path.splitext(name)[0] if is_picture_name(name) else name


class PlainPicture(NamedTuple):
    """A file that every program shows in the same way; sizes in pixels."""

    media_type: str
    width: int
    height: int


def plain_picture(data: bytes) -> PlainPicture | None:
    """The header's facts about a picture that any other program shows exactly as `read_picture` does.

    None for all other pictures: those that are rotated, transparent or animated, have 16 bits or four inks,
    or seem cut off. The pixels are not decoded.
    """
    # Without a message here: read_picture has the better one.
    with suppress(Exception), Image.open(io.BytesIO(data), formats=FORMATS) as image:
        if (
            image.mode in ("RGB", "L", "P")
            and not image.has_transparency_data
            and getattr(image, "n_frames", 1) == 1
            and _orientation(image) == 1
            and _is_complete(data, image.format)
        ):
            _check_size(image, "")
            if image.format == "PNG":
                _check_sums(data)
            return PlainPicture(Image.MIME[str(image.format)], *image.size)
    return None


def _formats(data: bytes) -> tuple[str, ...]:
    """The formats to try; HEIC's reader is only loaded for a file that needs it."""
    return (*FORMATS, "HEIF") if _is_heic(data) and _reads_heic() else FORMATS


def _unknown(data: bytes) -> str:
    """Why no reader takes the file."""
    if not _is_heic(data):
        return f"not a picture of a known format ({', '.join(FORMATS)}): the file begins with {data[:16]!r}"
    if _reads_heic():
        return "the HEIC picture is damaged or cut off"
    return "this is a HEIC picture. Type: pip install pillow-heif, or convert it to JPEG"


def _is_heic(data: bytes) -> bool:
    return data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS


@cache
def _reads_heic() -> bool:
    """Whether pillow-heif is installed; it is then Pillow's reader of HEIC."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener()
    return True


def _check_size(image: Image.Image, name: str) -> None:
    size = f"{name}: {image.width} x {image.height} pixels"
    if image.width * image.height > MAX_PIXELS:
        raise ImageError(
            f"{size} are more than the {MAX_PIXELS // 1_000_000} million that are read. "
            "Make the picture smaller"
        )
    if max(image.size) > MAX_SIDE_RATIO * min(image.size):
        raise ImageError(f"{size}: one side is more than {MAX_SIDE_RATIO} times the other. Cut the picture")


def _check_sums(data: bytes) -> None:
    """Raise where a checksum of a PNG is wrong: Pillow's decoder does not look at those of the pixels."""
    with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
        image.verify()


def _ends_too_early(image: Image.Image, data: bytes) -> bool:
    """Whether the pixels of a JPEG end before the picture does, and an end marker hides that.

    The decoder then invents the rest in one colour, and reads whatever stands before the marker. A picture
    whose last corner has one colour is decoded once more with other bytes there: if they change it, some of
    its own were missing. A progressive JPEG may only lack detail, which is not found.
    """
    right, bottom = image.size
    corner = image.crop((max(0, right - 4), max(0, bottom - 4), right, bottom))
    end = data.rfind(b"\xff\xd9")
    if end < 0 or any(least != most for least, most in _by_band(corner.getextrema())):
        return False
    with Image.open(io.BytesIO(data[:end] + bytes(4096) + data[end:]), formats=("JPEG",)) as longer:
        return ImageChops.difference(longer, image).getbbox() is not None


def _by_band(extrema: Any) -> list[tuple[float, float]]:
    """The least and greatest value of each band: Pillow gives no list where there is one band."""
    return list(extrema) if isinstance(extrema[0], tuple) else [extrema]


def _is_complete(data: bytes, format_name: str | None) -> bool:
    """Whether the file is complete: a provider bills an incomplete picture like a complete one."""
    complete = {
        "JPEG": data.rstrip(b"\0").endswith(b"\xff\xd9"),
        "PNG": data[-8:-4] == b"IEND",
        "GIF": data.endswith(b";"),
        "WEBP": int.from_bytes(data[4:8], "little") + 8 <= len(data),
    }
    return complete.get(format_name or "", False)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # unreadable metadata gives no orientation
        return 1


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        # 16-bit greys are scaled from their own range; others from their darkest to their brightest value.
        greys = np.asarray(image, dtype=np.float32)
        low, high = 0.0, 65535.0
        if image.mode == "F" or greys.min() < low or greys.max() > high:
            finite = greys[np.isfinite(greys)]
            low, high = (finite.min(), finite.max()) if finite.size else (low, high)
        scaled = (np.nan_to_num(greys, nan=low, posinf=high, neginf=low) - low) / ((high - low) or 1.0)
        return Image.fromarray(np.rint(scaled * 255).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        on_white = Image.new("RGB", image.size)
        for top in range(0, image.height, ROWS_AT_ONCE):
            box = (0, top, image.width, min(image.height, top + ROWS_AT_ONCE))
            rows = image.crop(box).convert("RGBA")
            white = Image.new("RGBA", rows.size, "white")
            on_white.paste(Image.alpha_composite(white, rows).convert("RGB"), box)
        return on_white
    return image.convert("RGB")
