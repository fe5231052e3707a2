"""How a picture is sent to a provider: the file as it is, or else a smaller JPEG by a stated rule.

The original file is sent where the provider accepts its format and size and sees the same as a local model:
the picture is upright, opaque, a single frame of eight bits. Any other picture is decoded as for a local
model and sent as a JPEG of the rule's quality, at most `longest_side` pixels wide and high. While it is
larger than `max_bytes`, its sides shrink by a quarter.

    >>> PictureRule(("image/jpeg", "image/png"), longest_side=1568, max_bytes=5_000_000).text
    'image/jpeg image/png; longest side 1568; at most 5000000 bytes; else JPEG 90'
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field

from evaluator.core import Item, Outcome
from evaluator.core.errors import CaptionError, ImageError
from evaluator.files.images import as_jpeg, decode_picture, plain_picture, read_file


@dataclass(frozen=True)
class PictureRule:
    """What a provider accepts; sides in pixels."""

    media_types: tuple[str, ...]
    longest_side: int
    max_bytes: int
    quality: int = 90

    @property
    def text(self) -> str:
        """The whole rule in one line, for the key of a cached answer."""
        return (
            f"{' '.join(self.media_types)}; longest side {self.longest_side}; "
            f"at most {self.max_bytes} bytes; else JPEG {self.quality}"
        )


@dataclass(frozen=True)
class EncodedPicture:
    """What is sent, and the SHA-256 of the original file."""

    data: bytes = field(repr=False)
    media_type: str
    digest: str

    @property
    def base64(self) -> str:
        return base64.b64encode(self.data).decode("ascii")


def encode_picture(item: Item, rule: PictureRule) -> EncodedPicture:
    """The item's picture as `rule` says. Raises ImageError, or CaptionError where there is no picture."""
    if item.image is None:
        raise CaptionError(Outcome.ERROR, f"image {item.id} has no picture. Give data.images=DIR")
    data = read_file(item.image)
    digest = hashlib.sha256(data).hexdigest()
    plain = plain_picture(data) if len(data) <= rule.max_bytes else None
    if plain and plain.media_type in rule.media_types and max(plain.width, plain.height) <= rule.longest_side:
        return EncodedPicture(data, plain.media_type, digest)
    picture = decode_picture(data, str(item.image))
    side = min(rule.longest_side, max(picture.size))
    while side > 0:
        jpeg = as_jpeg(picture, (side, side), rule.quality)
        if len(jpeg) <= rule.max_bytes:
            return EncodedPicture(jpeg, "image/jpeg", digest)
        side = side * 3 // 4
    raise ImageError(f"{item.image}: cannot be made smaller than {rule.max_bytes} bytes")
