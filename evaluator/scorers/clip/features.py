"""Pictures and texts as feature vectors, of a CLIP (Radford et al. 2021, https://arxiv.org/abs/2103.00020)
or a SigLIP (Zhai et al. 2023, https://arxiv.org/abs/2303.15343).

Pictures are resized and cropped as openai/CLIP does with torchvision: transformers' own crop is one pixel off
where the margin is odd. A text longer than the context loses its end and keeps its end-of-text token, as in
`clip.tokenize(truncate=True)` and in SigLIP's own program. Pictures (identified by the content of their
files) and references are encoded once per checkpoint, however many systems are scored.

    encoder = load_encoder(CLIPScore("openai/clip-vit-base-patch32"), "CLIPScore")
    encoder.images([Path("dog.jpg")]), encoder.texts(["A photo depicts a dog."])
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from evaluator.core.errors import ImageError, MetricError
from evaluator.files.images import decode_picture, read_file
from evaluator.models.checkpoints import is_out_of_memory
from evaluator.scorers.clip.feature_cache import FeatureCache

Features = NDArray[np.float32]
T = TypeVar("T")
R = TypeVar("R")

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
    group: str = "scorer.clipscore"  # where the options stand, for messages

    def images(self, paths: Sequence[Path | None]) -> Features:
        """(N, D); a picture that cannot be read is a row of NaN, and logged.

        Raises MetricError if no picture can be read.
        """
        digests: list[str] = []
        rows: dict[str, Features] = {}
        errors: dict[str, ImageError] = {}
        with ThreadPoolExecutor(READERS) as readers:
            files = _ahead(readers, _read_file, _batches(paths, self.batch_size))
            for batch in _ahead(readers, self._decode, self._unknown(files, digests, rows)):
                errors |= {digest: result for digest, result in batch if isinstance(result, ImageError)}
                rows |= self._encode_pictures(
                    {digest: result for digest, result in batch if not isinstance(result, ImageError)}
                )
        wrong = [errors[digest] for digest in digests if digest in errors]
        if wrong:
            report = f"{len(wrong):,} of {len(paths):,} pictures cannot be read, for example {wrong[0]}"
            if len(wrong) == len(paths):
                raise MetricError(f"{report}. Say where they are with --images DIR, or data.images=DIR")
            logger.warning("%s; they are not scored", report)
        not_read = np.full_like(next(iter(rows.values())), np.nan)
        return np.stack([rows.get(digest, not_read) for digest in digests])

    def _unknown(
        self, files: Iterable[list[PictureFile]], digests: list[str], rows: dict[str, Features]
    ) -> Iterator[list[PictureFile]]:
        """The files to encode, batch by batch: those that neither the cache nor an earlier batch has.

        Adds all digests to `digests`, and what the cache has to `rows`.
        """
        seen: set[str] = set()
        for batch in files:
            digests += [file.digest for file in batch]
            fresh = {file.digest: file for file in batch if file.digest not in seen}
            seen |= fresh.keys()
            cached = self.cache.find(fresh)
            rows |= cached
            yield [file for digest, file in fresh.items() if digest not in cached]

    def texts(self, texts: Sequence[str], what: str = "texts", remember: bool = False) -> Features:
        """(N, D). `remember` keeps the rows in the cache. A text that is too long is cut, which is logged."""
        rows = self.cache.find(texts) if remember else {}
        # Texts of similar length share a batch, since a batch is as long as its longest text.
        fresh = sorted((text for text in dict.fromkeys(texts) if text not in rows), key=len)
        length, too_long = self.context_length, set()
        for batch in _batches(fresh, self.batch_size):
            ids = [self._token_ids(text) for text in batch]
            too_long |= {text for text, row in zip(batch, ids, strict=True) if len(row) > length}
            kept = [row if len(row) <= length else [*row[: length - 1], row[-1]] for row in ids]
            new = dict(zip(batch, self._features("get_text_features", **self._padded(kept)), strict=True))
            if remember:
                self.cache.keep(new)
            rows |= new
        if too_long:
            logger.warning(
                "%s of %s %s are longer than the %d tokens that the model reads: their ends are cut off",
                f"{sum(text in too_long for text in texts):,}",
                f"{len(texts):,}",
                what,
                length,
            )
        return np.stack([rows[text] for text in texts])

    def token_counts(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has, the start and end tokens included."""
        return [len(self._token_ids(text)) for text in texts]

    @property
    def context_length(self) -> int:
        """How many tokens the model reads, the start and end tokens included."""
        return int(self.model.config.text_config.max_position_embeddings)

    @property
    def is_siglip(self) -> bool:
        return bool(self.model.config.model_type == "siglip")

    def _encode_pictures(self, pictures: Mapping[str, Features]) -> Mapping[str, Features]:
        if not pictures:
            return {}
        features = self._features("get_image_features", pixel_values=np.stack(list(pictures.values())))
        rows = dict(zip(pictures, features, strict=True))
        self.cache.keep(rows)
        return rows

    def _token_ids(self, text: str) -> list[int]:
        # Half of a surrogate pair is legal in JSON; the tokenizer refuses it. A SigLIP was trained on small
        # letters, and the tokenizer of SigLIP 2 leaves them to the caller.
        readable = text.encode(errors="replace").decode()
        if self.is_siglip:
            readable = readable.lower()
        ids: list[int] = self.tokenizer(readable, truncation=False, padding=False, verbose=False)["input_ids"]
        return ids

    def _padded(self, ids: list[list[int]]) -> Mapping[str, Any]:
        """SigLIP was trained on texts padded to the whole context, without an attention mask."""
        rows = {"input_ids": ids}
        if not self.is_siglip:
            padded: Mapping[str, Any] = self.tokenizer.pad(rows, return_tensors="np")
            return padded
        whole = {"padding": "max_length", "max_length": self.context_length}
        return {"input_ids": self.tokenizer.pad(rows, return_tensors="np", **whole)["input_ids"]}

    def _decode(self, file: PictureFile) -> tuple[str, Features | ImageError]:
        if isinstance(file.content, ImageError):
            return file.digest, file.content
        try:
            return file.digest, self._pixels(decode_picture(file.content, file.name))
        except ImageError as error:
            return file.digest, error
        except Exception as error:  # a processor's own, or too little memory: this picture's alone
            return file.digest, ImageError(f"{file.name}: {type(error).__name__}: {error}")

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
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            raise MetricError(
                f"there is no memory for a batch of {self.batch_size}. Type {self.group}.batch_size=8"
            ) from None
        # transformers wraps the projected features in the output of the tower since version 5.
        features: Features = getattr(output, "pooler_output", output).float().cpu().numpy()
        return features


class PictureFile(NamedTuple):
    """The content of a picture's file, or why there is none; `digest` tells one from another."""

    name: str
    content: bytes | ImageError
    digest: str


def _read_file(path: Path | None) -> PictureFile:
    try:
        if path is None:
            raise ImageError("an image without a picture")
        content = read_file(path)
        return PictureFile(str(path), content, hashlib.sha256(content).hexdigest())
    except ImageError as error:
        return PictureFile(str(path), error, f"no content: {path}")


def _batches(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def _ahead(
    pool: ThreadPoolExecutor, read: Callable[[T], R], batches: Iterable[Sequence[T]]
) -> Iterator[list[R]]:
    """What `read` gives for each batch; while one is used, the pool works on the next."""
    before: Iterable[R] | None = None
    for batch in batches:
        now = pool.map(read, batch)
        if before is not None:
            yield list(before)
        before = now
    if before is not None:
        yield list(before)


def centre(
    picture: Image.Image, side: int, crop: tuple[int, int], resampling: Image.Resampling
) -> Image.Image:
    """The middle, `crop` wide and high, of the picture resized to a shorter side of `side` pixels."""
    short = min(picture.size)
    width, height = (int(side * length / short) for length in picture.size)
    # round() and not //: half a pixel goes to the even side, as in torchvision's CenterCrop.
    left, top = round((width - crop[0]) / 2), round((height - crop[1]) / 2)
    return picture.resize((width, height), resampling).crop((left, top, left + crop[0], top + crop[1]))
