"""Pictures and texts as feature vectors of a CLIP (Radford et al. 2021, https://arxiv.org/abs/2103.00020).

Pictures are resized and cropped as openai/CLIP does with torchvision: transformers' own crop lies a pixel off
where the margin is odd. A text beyond the context length loses its end and keeps its end-of-text token, as
`clip.tokenize(truncate=True)` does. A picture or a reference is encoded once for each checkpoint within a
process, however many systems are scored.

    encoder = load_encoder("openai/clip-vit-base-patch32")
    encoder.images([Path("dog.jpg")]), encoder.texts(["A photo depicts a dog."])
"""

from __future__ import annotations

import hashlib
import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from evaluator.errors import ImageError, MissingPackage, NotComputed
from evaluator.images import read_picture

Features = NDArray[np.float32]

logger = logging.getLogger(__name__)

READERS = 8  # threads that decode the next batch of pictures while the model works on this one


@dataclass(frozen=True)
class Memory:
    """What one version of a checkpoint has encoded already, one row each."""

    pictures: dict[str, Features] = field(default_factory=dict)  # by the digest of the file
    references: dict[str, Features] = field(default_factory=dict)  # by the text


_memories: defaultdict[tuple[str, ...], Memory] = defaultdict(Memory)


@dataclass(frozen=True)
class Picture:
    """A file that was read: its digest, and its pixels unless its features are known; or what is wrong."""

    digest: str = ""
    pixels: Features | None = None
    error: str = ""


@dataclass(frozen=True)
class Encoder:
    """A loaded CLIP; `version` is the hub's commit or the digest of the checkpoint's files."""

    model: Any
    image_processor: Any
    tokenizer: Any
    batch_size: int
    version: str
    memory: Memory

    def images(self, paths: Sequence[Path | None]) -> Features:
        """(N, D); what cannot be read is a row of NaN, and logged. Raises NotComputed if that is all."""
        pictures: list[Picture] = []
        for batch in self._read_ahead(paths):
            fresh = {picture.digest: picture.pixels for picture in batch if picture.pixels is not None}
            if fresh:
                rows = self._features("get_image_features", pixel_values=np.stack(list(fresh.values())))
                self.memory.pictures.update(zip(fresh, rows, strict=True))
            # Without the pixels: a data set of them is too much to keep.
            pictures += [Picture(picture.digest, error=picture.error) for picture in batch]
        if errors := [picture.error for picture in pictures if picture.error]:
            report = f"{len(errors):,} of {len(paths):,} pictures cannot be read, for example {errors[0]}"
            if len(errors) == len(paths):
                raise NotComputed(f"{report}. Say where they are with --images DIR, or data.images=DIR")
            logger.warning("%s; they are not scored", report)
        unknown = np.full(self.model.config.projection_dim, np.nan, dtype=np.float32)
        return np.stack([self.memory.pictures.get(picture.digest, unknown) for picture in pictures])

    def texts(self, texts: Sequence[str], remember: bool = False) -> Features:
        """(N, D), kept for the next call if asked to. What is too long loses its end, which is logged."""
        rows = self.memory.references if remember else {}
        # Of like lengths together, since a batch is as long as its longest text.
        fresh = sorted((text for text in dict.fromkeys(texts) if text not in rows), key=len)
        length, too_long = self.context_length, 0
        for start in range(0, len(fresh), self.batch_size):
            batch = fresh[start : start + self.batch_size]
            ids = [self._token_ids(text) for text in batch]
            too_long += sum(len(row) > length for row in ids)
            kept = [row if len(row) <= length else [*row[: length - 1], row[-1]] for row in ids]
            padded = self.tokenizer.pad({"input_ids": kept}, return_tensors="np")
            rows.update(zip(batch, self._features("get_text_features", **padded), strict=True))
        if too_long:
            logger.warning(
                "%s of %s texts are longer than the %d tokens that CLIP reads: it does not see their ends",
                f"{too_long:,}",
                f"{len(fresh):,}",
                length,
            )
        return np.stack([rows[text] for text in texts])

    @property
    def context_length(self) -> int:
        """How many tokens the checkpoint reads, the two at the ends included."""
        return int(self.model.config.text_config.max_position_embeddings)

    def _token_ids(self, text: str) -> list[int]:
        # Half of a surrogate pair is legal in JSON; the tokenizer refuses it.
        readable = text.encode(errors="replace").decode()
        ids: list[int] = self.tokenizer(readable, truncation=False, padding=False, verbose=False)["input_ids"]
        return ids

    def _read_ahead(self, paths: Sequence[Path | None]) -> Iterator[list[Picture]]:
        """Batches of pictures; while one is used the next is being read."""
        batches = [paths[start : start + self.batch_size] for start in range(0, len(paths), self.batch_size)]
        with ThreadPoolExecutor(READERS) as readers:
            waiting = readers.map(self._read, batches[0])
            for following in [*batches[1:], ()]:
                batch = list(waiting)
                waiting = readers.map(self._read, following)
                yield batch

    def _read(self, path: Path | None) -> Picture:
        if path is None:
            return Picture(error="an image of which no picture is given")
        try:
            digest = _digest(path).hex() if path.is_file() else ""
            if digest in self.memory.pictures:
                return Picture(digest)
            return Picture(digest, self._pixels(read_picture(path)))
        except (ImageError, OSError) as error:
            return Picture(error=str(error))

    def _pixels(self, picture: Image.Image) -> Features:
        processor, options = self.image_processor, {}
        if processor.do_resize and processor.do_center_crop and (side := processor.size.shortest_edge):
            crop = (processor.crop_size.width, processor.crop_size.height)
            picture = centre(picture, side, crop, Image.Resampling(processor.resample))
            options = {"do_resize": False, "do_center_crop": False}
        pixels: Features = processor(picture, return_tensors="np", **options)["pixel_values"][0]
        return pixels

    def _features(self, method: str, **inputs: Any) -> Features:
        import torch

        try:
            with torch.inference_mode():
                output = getattr(self.model, method)(
                    **{
                        name: torch.as_tensor(array, device=self.model.device)
                        for name, array in inputs.items()
                    }
                )
        except torch.OutOfMemoryError:
            raise NotComputed(
                f"the GPU has no room for a batch of {self.batch_size}. Type scorer.clipscore.batch_size=8"
            ) from None
        # transformers wraps the projected features in the output of the tower since version 5.
        features: Features = getattr(output, "pooler_output", output).float().cpu().numpy()
        return features


def centre(
    picture: Image.Image, side: int, crop: tuple[int, int], resampling: Image.Resampling
) -> Image.Image:
    """The middle, `crop` wide and high, of the picture resized to a shorter side of `side` pixels."""
    short = min(picture.size)
    width, height = (int(side * length / short) for length in picture.size)
    # round() and not //: half a pixel goes to the even side, as in torchvision's CenterCrop.
    left, top = round((width - crop[0]) / 2), round((height - crop[1]) / 2)
    return picture.resize((width, height), resampling).crop((left, top, left + crop[0], top + crop[1]))


def load_encoder(
    checkpoint: str,
    revision: str | None = None,
    device: str = "auto",
    dtype: str = "float32",
    batch_size: int = 64,
    safetensors_only: bool = True,
) -> Encoder:
    """Load a CLIP from the hub or a folder. Raises NotComputed with the reason and what to type."""
    try:
        import torch
        import transformers
    except ImportError as error:
        raise NotComputed(str(MissingPackage(error.name or "torch", "local"))) from error
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    # A revision of None would keep transformers from finding weights that the hub converted to safetensors.
    source = {"revision": revision} if revision else {}
    try:
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        config = transformers.AutoConfig.from_pretrained(checkpoint, **source)
        if config.model_type != "clip":
            raise NotComputed(
                f"{checkpoint!r} is a {config.model_type!r} checkpoint and no CLIP. "
                "Type scorer.clipscore.checkpoint=openai/clip-vit-base-patch32"
            )
        model, loading = transformers.AutoModel.from_pretrained(
            checkpoint,
            dtype=getattr(torch, dtype),
            use_safetensors=True if safetensors_only else None,
            output_loading_info=True,
            **source,
        )
        image_processor = transformers.AutoImageProcessor.from_pretrained(checkpoint, backend="pil", **source)
        tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint, **source)
        version = _version(Path(transformers.utils.cached_file(checkpoint, "config.json", **source)).parent)
        model = model.to(device).eval()
    except NotComputed:
        raise
    except Exception as error:  # each library that reads a part of a checkpoint has errors of its own
        raise NotComputed(_explain(checkpoint, device, error)) from error
    if missing := sorted(set(loading["missing_keys"]) - {"logit_scale"}):
        raise NotComputed(f"{checkpoint!r} lacks {len(missing)} of CLIP's weights ({missing[0]}, ...)")
    memory = _memories[checkpoint, version, dtype, str(model.device)]
    return Encoder(model, image_processor, tokenizer, batch_size, version, memory)


def _version(folder: Path) -> str:
    """The commit of a snapshot in the hub's cache; of any other folder the digest of its files."""
    if folder.parent.name == "snapshots":
        return folder.name
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in (".safetensors", ".bin", ".json", ".txt"):
            digest.update(path.name.encode() + _digest(path))
    return digest.hexdigest()


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _explain(checkpoint: str, device: str, error: Exception) -> str:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if "safetensors" in str(error):
        return f"{checkpoint!r}: {reason}. If you trust it, type scorer.clipscore.safetensors_only=false"
    if isinstance(error, RuntimeError | AssertionError):
        return f"{checkpoint!r} cannot be used on {device!r}: {reason}. Type scorer.clipscore.device=auto"
    return (
        f"{checkpoint!r} cannot be loaded: {reason} A hub name needs the network, or its files in the hub's "
        "cache; or type scorer.clipscore.checkpoint=DIR with a folder that holds a CLIP"
    )
