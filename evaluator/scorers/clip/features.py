"""Pictures and texts as feature vectors, of a CLIP (Radford et al. 2021, https://arxiv.org/abs/2103.00020)
or a SigLIP (Zhai et al. 2023, https://arxiv.org/abs/2303.15343).

Pictures are resized and cropped as openai/CLIP does with torchvision: transformers' own crop lies a pixel off
where the margin is odd. A text beyond the context length loses its end and keeps its end-of-text token, as
`clip.tokenize(truncate=True)` does, and SigLIP's own program likewise. Pictures, by the content of their
file, and references are encoded once for each checkpoint, however many systems are scored.

    from evaluator.scorers.clip.checkpoint import load_encoder
    encoder = load_encoder("openai/clip-vit-base-patch32")
    encoder.images([Path("dog.jpg")]), encoder.texts(["A photo depicts a dog."])
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from evaluator.core.errors import ImageError, NotComputed
from evaluator.files.images import read_picture
from evaluator.scorers.clip.feature_cache import FeatureCache

Features = NDArray[np.float32]

logger = logging.getLogger(__name__)

READERS = 8  # threads that decode the next batch of pictures while the model works on this one


@dataclass(frozen=True)
class Encoder:
    """A loaded model; `version` is the hub's commit or the digest of the checkpoint's files."""

    model: Any
    image_processor: Any
    tokenizer: Any
    batch_size: int
    version: str
    cache: FeatureCache

    def images(self, paths: Sequence[Path | None]) -> Features:
        """(N, D); what cannot be read is a row of NaN, and logged. Raises NotComputed if that is all."""
        with ThreadPoolExecutor(READERS) as readers:
            digests = list(readers.map(_digest, paths))
            errors: dict[str | ImageError, ImageError] = {
                digest: digest for digest in digests if isinstance(digest, ImageError)
            }
            path_of = {
                digest: path
                for digest, path in zip(digests, paths, strict=True)
                if path and isinstance(digest, str)
            }
            rows = self.cache.find(path_of)
            unknown = [(digest, path) for digest, path in path_of.items() if digest not in rows]
            for batch in _ahead(readers, self._read, unknown, self.batch_size):
                errors |= {digest: found for digest, found in batch if isinstance(found, ImageError)}
                rows |= self._encode_pictures(
                    {digest: found for digest, found in batch if not isinstance(found, ImageError)}
                )
        wrong = [errors[digest] for digest in digests if digest in errors]
        if wrong:
            report = f"{len(wrong):,} of {len(paths):,} pictures cannot be read, for example {wrong[0]}"
            if len(wrong) == len(paths):
                raise NotComputed(f"{report}. Say where they are with --images DIR, or data.images=DIR")
            logger.warning("%s; they are not scored", report)
        not_read = np.full_like(next(iter(rows.values())), np.nan)
        return np.stack([rows.get(str(digest), not_read) for digest in digests])

    def texts(self, texts: Sequence[str], what: str = "texts", remember: bool = False) -> Features:
        """(N, D), kept for the next call if asked to. What is too long loses its end, which is logged."""
        rows = self.cache.find(texts) if remember else {}
        # Of like lengths together, since a batch is as long as its longest text.
        fresh = sorted((text for text in dict.fromkeys(texts) if text not in rows), key=len)
        length, too_long = self.context_length, set()
        for batch in _batches(fresh, self.batch_size):
            ids = [self._token_ids(text) for text in batch]
            too_long |= {text for text, row in zip(batch, ids, strict=True) if len(row) > length}
            kept = [row if len(row) <= length else [*row[: length - 1], row[-1]] for row in ids]
            found = self._features("get_text_features", **self._padded(kept))
            new = dict(zip(batch, found, strict=True))
            if remember:
                self.cache.keep(new)
            rows |= new
        if too_long:
            logger.warning(
                "%s of %s %s are longer than the %d tokens that the model reads: their ends are not seen",
                f"{sum(text in too_long for text in texts):,}",
                f"{len(texts):,}",
                what,
                length,
            )
        return np.stack([rows[text] for text in texts])

    @property
    def context_length(self) -> int:
        """How many tokens the checkpoint reads, those at the ends included."""
        return int(self.model.config.text_config.max_position_embeddings)

    @property
    def is_siglip(self) -> bool:
        return bool(self.model.config.model_type == "siglip")

    def _encode_pictures(self, pictures: Mapping[str, Features]) -> Mapping[str, Features]:
        if not pictures:
            return {}
        found = self._features("get_image_features", pixel_values=np.stack(list(pictures.values())))
        rows = dict(zip(pictures, found, strict=True))
        self.cache.keep(rows)
        return rows

    def _token_ids(self, text: str) -> list[int]:
        # Half of a surrogate pair is legal in JSON; the tokenizer refuses it.
        readable = text.encode(errors="replace").decode()
        ids: list[int] = self.tokenizer(readable, truncation=False, padding=False, verbose=False)["input_ids"]
        return ids

    def _padded(self, ids: list[list[int]]) -> Mapping[str, Any]:
        """SigLIP learned from texts that are all of its context's length, and knows no attention mask."""
        rows = {"input_ids": ids}
        if not self.is_siglip:
            padded: Mapping[str, Any] = self.tokenizer.pad(rows, return_tensors="np")
            return padded
        whole = {"padding": "max_length", "max_length": self.context_length}
        return {"input_ids": self.tokenizer.pad(rows, return_tensors="np", **whole)["input_ids"]}

    def _read(self, file: tuple[str, Path]) -> tuple[str, Features | ImageError]:
        digest, path = file
        try:
            return digest, self._pixels(read_picture(path))
        except (ImageError, OSError) as error:
            return digest, ImageError(str(error))

    def _pixels(self, picture: Image.Image) -> Features:
        processor, options = self.image_processor, {}
        crops = processor.do_resize and getattr(processor, "do_center_crop", False)
        if crops and (side := processor.size.shortest_edge):
            crop = (processor.crop_size.width, processor.crop_size.height)
            picture = centre(picture, side, crop, Image.Resampling(processor.resample))
            options = {"do_resize": False, "do_center_crop": False}
        pixels: Features = processor(picture, return_tensors="np", **options)["pixel_values"][0]
        return pixels

    def _features(self, method: str, **inputs: Any) -> Features:
        import torch

        tensors = {name: torch.as_tensor(array, device=self.model.device) for name, array in inputs.items()}
        try:
            with torch.inference_mode():
                output = getattr(self.model, method)(**tensors)
        except (torch.OutOfMemoryError, RuntimeError) as error:
            # A CPU without memory is a RuntimeError that names its allocator.
            if isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error):
                raise NotComputed(
                    f"there is no memory for a batch of {self.batch_size}. Type scorer.clipscore.batch_size=8"
                ) from None
            raise
        # transformers wraps the projected features in the output of the tower since version 5.
        features: Features = getattr(output, "pooler_output", output).float().cpu().numpy()
        return features


def _digest(path: Path | None) -> str | ImageError:
    """Of the file's content, or what is wrong."""
    if path is None:
        return ImageError("an image of which no picture is given")
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ImageError(f"{path}: there is no such file")
    except OSError as error:
        return ImageError(f"{path}: {error.strerror or error}")


def _batches(values: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [values[start : start + size] for start in range(0, len(values), size)]


def _ahead(
    pool: ThreadPoolExecutor, read: Callable[[Any], Any], values: Sequence[Any], size: int
) -> Iterator[list[Any]]:
    """Batches of what `read` makes of the values; while one is used the next is being read."""
    waiting: Iterable[Any] = ()
    for batch in [*_batches(values, size), ()]:
        before, waiting = waiting, pool.map(read, batch)
        if found := list(before):
            yield found


def centre(
    picture: Image.Image, side: int, crop: tuple[int, int], resampling: Image.Resampling
) -> Image.Image:
    """The middle, `crop` wide and high, of the picture resized to a shorter side of `side` pixels."""
    short = min(picture.size)
    width, height = (int(side * length / short) for length in picture.size)
    # round() and not //: half a pixel goes to the even side, as in torchvision's CenterCrop.
    left, top = round((width - crop[0]) / 2), round((height - crop[1]) / 2)
    return picture.resize((width, height), resampling).crop((left, top, left + crop[0], top + crop[1]))
