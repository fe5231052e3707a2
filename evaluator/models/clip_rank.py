"""A CLIP as a captioner: it chooses the candidate that fits the picture best (Radford et al. 2021).

As in CLIP's zero-shot classification, each candidate is a text, and a softmax over their similarities with
the picture gives probabilities. SigLIP judges each candidate by itself, with a sigmoid.

    evaluator run model=clip-rank model.candidates=pool.txt
    evaluator run model=clip-rank model.candidates=captions.json

A text file is a pool for all pictures, one candidate a line. Any other captions file gives each image the
candidates that the file has for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from annotated_types import Ge

from evaluator.captions_files.candidates import read_candidates
from evaluator.core import (
    RUNTIME_ONLY,
    Dataset,
    Item,
    Outcome,
    Placement,
    Prompt,
    PromptForm,
    Reply,
    WeightsSize,
)
from evaluator.core.errors import CaptionError, DataError
from evaluator.models.checkpoints import Checkpoint, CheckpointLoader, image_processor_and_tokenizer
from evaluator.models.local import memory_for, on_device, picture_of, refuse
from evaluator.models.placement import cpu_threads, memory_options, placement_of
from evaluator.models.weights import weights_size

if TYPE_CHECKING:
    import torch

TEXTS_AT_ONCE = 256


@dataclass(frozen=True)
class CLIPRank:
    """`prefix` is put before each candidate; `kept` is how many candidates the reply keeps."""

    kind: ClassVar[str] = "clip-rank"

    checkpoint: str
    candidates: Path
    revision: str | None = None
    device: str = field(default="auto", metadata=RUNTIME_ONLY)
    dtype: Literal["auto", "float32", "float16", "bfloat16"] = "float32"
    prefix: str = ""
    kept: Annotated[int, Ge(1)] = 5
    safetensors_only: bool = True
    recommended_prompt: str = field(default="none", metadata=RUNTIME_ONLY)
    prompt_forms: tuple[PromptForm, ...] = field(default=("none",), metadata=RUNTIME_ONLY)

    def weights_size(self) -> WeightsSize | None:
        return weights_size(self.checkpoint)

    def for_data(self, data: Dataset | None, items: Sequence[Item]) -> CLIPRankForData:
        """The captioner for a whole data set, by which the file's ids are understood."""
        return CLIPRankForData(self, tuple(items))

    def check(self, prompt: Prompt, items: Sequence[Item]) -> Sequence[str]:
        return self.for_data(None, items).check(prompt, items)

    @contextmanager
    def open(self, prompt: Prompt) -> Iterator[CLIPRankSession]:
        with self.for_data(None, ()).open(prompt) as session:
            yield session

    def loader(self) -> CheckpointLoader:
        return CheckpointLoader(
            name=self.checkpoint,
            revision=self.revision,
            device=self.device,
            dtype=self.dtype,
            safetensors_only=self.safetensors_only,
            group="model",
            used_by="clip-rank",
            model_types=("clip", "siglip"),
            model_class="AutoModel",
            open_processor=image_processor_and_tokenizer,
            otherwise="type model.checkpoint=openai/clip-vit-base-patch32",
        )


@dataclass(frozen=True)
class CLIPRankForData:
    """The ranking captioner and the images of the data set."""

    ranker: CLIPRank
    items: tuple[Item, ...]

    def weights_size(self) -> WeightsSize | None:
        return self.ranker.weights_size()

    def check(self, prompt: Prompt, items: Sequence[Item]) -> Sequence[str]:
        """A warning for images without candidates. Raises an error for the file or the checkpoint."""
        refuse(prompt, ("text", "system", "shots"), "clip-rank chooses among candidates and reads no prompt")
        candidates = read_candidates(self.ranker.candidates, self.items)
        self.ranker.loader().check()
        without = [item.id for item in items if not candidates.of(item.id)]
        if items and len(without) == len(items):
            raise DataError(f"{self.ranker.candidates}: no image of the data set has a candidate")
        if without:
            return (f"{len(without)} of {len(items)} images have no candidate, such as {without[0]!r}",)
        return ()

    @contextmanager
    def open(self, prompt: Prompt) -> Iterator[CLIPRankSession]:
        """Load the checkpoint, and encode a pool once. Raises ModelError with what to type."""
        candidates = read_candidates(self.ranker.candidates, self.items)
        yield CLIPRankSession(self.ranker, self.ranker.loader().open(), candidates.pool, candidates.by_item)


@dataclass(frozen=True)
class CLIPRankSession:
    """A loaded model with its candidates."""

    ranker: CLIPRank
    checkpoint: Checkpoint
    pool: tuple[str, ...]
    by_item: Mapping[str, tuple[str, ...]]

    prepares_apart: ClassVar[bool] = True

    @property
    def cpu_threads(self) -> int:
        return cpu_threads(self.checkpoint.model)

    @property
    def placement(self) -> Placement:
        return placement_of(self.checkpoint.model)

    @property
    def memory_options(self) -> Mapping[str, Any]:
        return memory_options(self.checkpoint.model, {})

    def prepare(self, item: Item) -> tuple[str, torch.Tensor]:
        """The image's id and its pixel values."""
        pixels = self.checkpoint.processor(picture_of(item), return_tensors="pt")["pixel_values"]
        return item.id, pixels[0]

    def caption(self, prepared: Sequence[tuple[str, torch.Tensor]]) -> list[Reply | CaptionError]:
        """The likeliest candidate of each picture. Raises OutOfMemory where the batch is too large."""
        import torch

        model = self.checkpoint.model
        with memory_for(model, len(prepared)):
            pixels = on_device(torch.stack([pixels for _, pixels in prepared]), model)
            images = unit(model.get_image_features(pixel_values=pixels))
        return [self._ranked(item_id, image) for (item_id, _), image in zip(prepared, images, strict=True)]

    def _ranked(self, item_id: str, image: torch.Tensor) -> Reply | CaptionError:
        candidates = self.pool or self.by_item.get(item_id, ())
        if not candidates:
            return CaptionError(Outcome.MISSING, f"{self.ranker.candidates} has no candidate for this image")
        features = self.pool_features if self.pool else self._features(candidates)
        ranked = probabilities(self.checkpoint.model, features @ image)
        best = ranked.argsort(descending=True, stable=True)[: self.ranker.kept].tolist()
        lines = [f"{ranked[index].item():.4f} {candidates[index]}" for index in best]
        text = candidates[best[0]]
        return Reply(text, model_version=self.checkpoint.commit or "local", whole_text="\n".join(lines))

    @cached_property
    def pool_features(self) -> torch.Tensor:
        return self._features(self.pool)

    def _features(self, texts: Sequence[str]) -> torch.Tensor:
        """(texts, D), of length 1. A text that is too long loses its end and keeps its end-of-text token."""
        import torch

        model, tokenizer = self.checkpoint.model, self.checkpoint.tokenizer
        length = model.config.text_config.max_position_embeddings
        padding: dict[str, Any] = {"padding": True}
        texts = [self.ranker.prefix + text for text in texts]
        if model.config.model_type == "siglip":  # trained on small letters, padded to the whole context
            padding = {"padding": "max_length", "return_attention_mask": False}
            texts = [text.lower() for text in texts]
        rows = []
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            some = texts[start : start + TEXTS_AT_ONCE]
            readable = [text.encode(errors="replace").decode() for text in some]
            inputs = tokenizer(
                readable, return_tensors="pt", truncation=True, max_length=length, **padding
            ).to(model.device)
            with memory_for(model, len(some)):
                rows.append(unit(model.get_text_features(**inputs)))
        return torch.cat(rows)


def unit(output: Any) -> torch.Tensor:
    """Features of length 1; transformers wraps them in the output of the tower since version 5."""
    import torch

    return torch.nn.functional.normalize(getattr(output, "pooler_output", output).float(), dim=-1)


def probabilities(model: Any, cosines: torch.Tensor) -> torch.Tensor:
    """(candidates,): a CLIP's sum to 1, a SigLIP's are each from 0 to 1 by themselves."""
    logits: torch.Tensor = cosines * model.logit_scale.float().exp()
    if model.config.model_type == "siglip":
        logits += model.logit_bias.float()
        return logits.sigmoid()
    return logits.softmax(dim=0)
