"""What every local transformers captioner shares: options, batches of pictures, decoding, memory.

A family (git.py, blip.py, blip2.py) adds two things: how its prompt becomes token ids, and how many ids
at the start of its output are not the caption. All images of a run share one prompt, so a batch needs no
padding and a caption does not depend on the batch size. Decoding is deterministic, and each of its options
is passed explicitly, so that the checkpoint's own generation_config.json cannot change a score.

    evaluator run model=git model.checkpoint=microsoft/git-base-coco
    evaluator run model=git model.checkpoint=./my-finetuned-git
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from annotated_types import Ge

from evaluator.core import RUNTIME_ONLY, Item, Outcome, Prompt, PromptForm, Reply, WeightsSize
from evaluator.core.errors import CaptionError, ConfigError, OutOfMemory
from evaluator.files.images import read_picture
from evaluator.models.checkpoints import CheckpointLoader, is_out_of_memory
from evaluator.models.weights import weights_size

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class LocalCaptioner(ABC):
    """The options of every family; lengths in tokens, image_size in pixels (None: the checkpoint's own)."""

    checkpoint: str
    revision: str | None = None
    device: str = field(default="auto", metadata=RUNTIME_ONLY)
    dtype: Literal["auto", "float32", "float16", "bfloat16"] = "auto"
    image_size: Annotated[int, Ge(1)] | None = None
    num_beams: Annotated[int, Ge(1)] = 1
    min_new_tokens: Annotated[int, Ge(0)] = 0
    max_new_tokens: Annotated[int, Ge(1)] = 30
    length_penalty: float = 1.0
    repetition_penalty: float = 1.0
    safetensors_only: bool = True
    trust_remote_code: bool = False
    recommended_prompt: str = field(default="none", metadata=RUNTIME_ONLY)
    prompt_forms: tuple[PromptForm, ...] = field(default=(), metadata=RUNTIME_ONLY)

    model_types: ClassVar[tuple[str, ...]]

    @abstractmethod
    def prompt_ids(self, config: Any, tokenizer: Any, text: str) -> list[int]:
        """The input ids before the caption."""

    @abstractmethod
    def echo_length(self, config: Any, prompt_ids: Sequence[int]) -> int:
        """How many ids at the start of the output are not the caption."""

    def check(self, prompt: Prompt, items: Sequence[Item]) -> Sequence[str]:
        """Raises an error for a chat prompt, which no family takes, and for a missing checkpoint."""
        for name in ("system", "shots"):
            if getattr(prompt, name):
                raise ConfigError(
                    f"prompt.{name}: {type(self).__name__} takes a text prefix only. "
                    f"Choose a prompt without it, or type prompt.{name}= to leave it out"
                )
        self.loader().check()
        return ()

    @contextmanager
    def open(self, prompt: Prompt) -> Iterator[LocalSession]:
        """Load the checkpoint. Raises ModelError with what to type."""
        checkpoint = self.loader().open()
        config, tokenizer = checkpoint.config, checkpoint.tokenizer
        image_processor, decoding = checkpoint.image_processor, self.decoding()
        if self.image_size is not None:
            image_processor = resized(image_processor, self.image_size)
            decoding["interpolate_pos_encoding"] = self.image_size != config.vision_config.image_size
        prompt_ids = self.prompt_ids(config, tokenizer, prompt.text)
        yield LocalSession(
            model=checkpoint.model,
            image_processor=image_processor,
            tokenizer=tokenizer,
            prompt_ids=prompt_ids,
            echo_length=self.echo_length(config, prompt_ids),
            stop_ids=stop_ids(config, checkpoint.model.generation_config, tokenizer),
            decoding=decoding,
            version=checkpoint.commit or "local",
        )

    def weights_size(self) -> WeightsSize | None:
        return weights_size(self.checkpoint)

    def decoding(self) -> dict[str, Any]:
        """The keyword arguments of `generate`."""
        return {
            "do_sample": False,
            "num_beams": self.num_beams,
            "min_new_tokens": self.min_new_tokens or None,
            "max_new_tokens": self.max_new_tokens,
            "repetition_penalty": self.repetition_penalty,
            **({"length_penalty": self.length_penalty} if self.num_beams > 1 else {}),
        }

    def loader(self) -> CheckpointLoader:
        return CheckpointLoader(
            name=self.checkpoint,
            revision=self.revision,
            device=self.device,
            dtype=self.dtype,
            safetensors_only=self.safetensors_only,
            trust_remote_code=self.trust_remote_code,
            group="model",
            used_by=type(self).__name__,
            model_types=self.model_types,
            model_class="AutoModelForImageTextToText",
            open_processor=open_processor,
            otherwise="another model=...",
            tolerated_missing_share=0.01,  # a checkpoint may lack a buffer that nothing reads
        )


@dataclass(frozen=True)
class LocalSession:
    """A loaded checkpoint with its prompt."""

    model: Any
    image_processor: Any
    tokenizer: Any
    prompt_ids: Sequence[int]
    echo_length: int
    stop_ids: frozenset[int]
    decoding: dict[str, Any]
    version: str

    def prepare(self, item: Item) -> torch.Tensor:
        """The picture as the model's pixel values, (3, height, width)."""
        if item.image is None:
            raise CaptionError(Outcome.ERROR, f"image {item.id} has no picture. Give data.images=DIR")
        pixels = self.image_processor(read_picture(item.image), return_tensors="pt")["pixel_values"]
        return pixels[0]  # type: ignore[no-any-return]

    def caption(self, prepared: Sequence[torch.Tensor]) -> list[Reply | CaptionError]:
        """One deterministic caption per picture. Raises OutOfMemory where the batch is too large."""
        import torch

        try:
            pixels = torch.stack(list(prepared)).to(self.model.device, self.model.dtype)
            input_ids = torch.tensor([list(self.prompt_ids)] * len(prepared), device=self.model.device)
            with torch.inference_mode():
                output = self.model.generate(
                    pixel_values=pixels,
                    input_ids=input_ids,
                    attention_mask=torch.ones_like(input_ids),
                    **self.decoding,
                )
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            if self.model.device.type == "cuda":
                torch.cuda.empty_cache()
            raise OutOfMemory(f"a batch of {len(prepared)} pictures does not fit into memory") from error
        return [self._reply(row[self.echo_length :]) for row in output.tolist()]

    def _reply(self, ids: Sequence[int]) -> Reply | CaptionError:
        length = next((index for index, token in enumerate(ids) if token in self.stop_ids), len(ids))
        reply = Reply(
            self.tokenizer.decode(ids[:length], skip_special_tokens=True).strip(),
            model_version=self.version,
            input_tokens=len(self.prompt_ids),
            output_tokens=length,
            finish_reason="stop" if length < self.decoding["max_new_tokens"] else "length",
        )
        return reply if reply.text else CaptionError(Outcome.EMPTY, "the model generated no text", reply)


def open_processor(name: str, source: Mapping[str, Any]) -> tuple[Any, Any]:
    """The image processor and the tokenizer of a captioner."""
    from transformers import AutoProcessor

    processor = AutoProcessor.from_pretrained(name, **source)
    return processor.image_processor, processor.tokenizer


def resized(image_processor: Any, size: int) -> Any:
    """The image processor for pictures of `size` pixels, cropped if and as it crops at its own size."""
    options = image_processor.to_dict()
    for name in ("size", "crop_size"):
        if sides := {side: size for side, pixels in dict(options.get(name) or {}).items() if pixels}:
            options[name] = sides
    return type(image_processor).from_dict(options)


def stop_ids(config: Any, generation_config: Any, tokenizer: Any) -> frozenset[int]:
    """Every id that ends a caption or pads it."""
    ids: set[int] = set()
    for source in (generation_config, getattr(config, "text_config", config), tokenizer):
        for name in ("eos_token_id", "sep_token_id", "pad_token_id"):
            value = getattr(source, name, None)
            ids.update(value if isinstance(value, list) else [] if value is None else [value])
    return frozenset(ids)
