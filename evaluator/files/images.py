"""The only module that opens pictures: any common file becomes upright 8-bit RGB, or an ImageError.

Orientation follows EXIF 2.3, tag 0x0112. Transparent pictures get a white ground. The first frame of an
animation is read. 16-bit and floating-point greys are scaled to 8 bits, never clipped. A file that is cut off
is an error, never a picture with a grey half. Several threads may call these functions at once.
"""

from __future__ import annotations

import io
import stat
import warnings
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from evaluator.core.errors import ImageError

# Enough for the 200-megapixel cameras of telephones (16320 x 12240); 0.6 GB as RGB.
MAX_PIXELS = 200_000_000

# Not EPS, which Pillow passes to Ghostscript; not containers whose pictures can be larger than the header
# says; not JPEG 2000, whose decoder invents what is missing from a file that was cut off.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM")

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
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ImageError(
                    f"{name}: {image.width} x {image.height} pixels are more than the "
                    f"{MAX_PIXELS // 1_000_000} million that are read. Make the picture smaller"
                )
            image.load()  # before the orientation: TIFF turns itself while loading
            picture = _rgb(image)
            turn = _UPRIGHT.get(_orientation(image))
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        what = f"not a picture of a known format ({', '.join(FORMATS)}): the file begins with {data[:16]!r}"
        raise ImageError(f"{name}: {what}") from error
    except Exception as error:  # decoders raise anything over damaged files, from OSError to struct.error
        reason = error or type(error).__name__
        raise ImageError(f"{name}: the picture is damaged or cut off: {reason}") from error
    upright = picture.copy() if turn is None else picture.transpose(turn)
    upright.info = {}  # it contains the orientation: a program that reads it would turn the picture again
    return upright


def thumbnail(path: Path, width: int = 320) -> bytes:
    """The picture as a JPEG of at most this width in pixels, at most twice as high, never enlarged."""
    return as_jpeg(read_picture(path), (width, 2 * width), quality=80)


def as_jpeg(picture: Image.Image, largest: tuple[int, int], quality: int) -> bytes:
    """The picture as a JPEG of at most this width and height in pixels, never enlarged."""
    smaller = picture.copy()
    smaller.thumbnail(largest)
    buffer = io.BytesIO()
    smaller.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def read_file(path: Path) -> bytes:
    """The bytes of the file. Raises ImageError where it is missing or empty."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise ImageError(f"{path}: this is a folder, not a picture")
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(f"{path}: this is not an ordinary file")
        if status.st_size == 0:
            raise ImageError(f"{path}: the file is empty (0 bytes)")
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ImageError(f"{path}: there is no such file") from error
    except PermissionError as error:
        raise ImageError(f"{path}: no permission to read the file") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise ImageError(f"{path}: cannot be opened: {getattr(error, 'strerror', None) or error}") from error


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
            return PlainPicture(Image.MIME[str(image.format)], *image.size)
    return None


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
        picture = image.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture).convert("RGB")
    return image.convert("RGB")
