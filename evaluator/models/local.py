"""What every local transformers captioner shares: options, batches of pictures, decoding, memory.

A family (git.py, blip.py, blip2.py) adds two things: how its prompt becomes token ids, and how many ids
at the start of its output are not the caption. All images of a run share one prompt, so a batch needs no
padding and a caption does not depend on the batch size. Decoding is deterministic, and each of its options
is passed explicitly, so that the checkpoint's own generation_config.json cannot change a score. With a
temperature, captions are samples that the seed, the image and the draw decide (sampling.py).

    evaluator run model=git model.checkpoint=microsoft/git-base-coco
    evaluator run model=git model.checkpoint=./my-finetuned-git
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Gt, Le

from evaluator.core import (
    LEFT_OUT_BY_DEFAULT,
    RUNTIME_ONLY,
    Item,
    Outcome,
    Placement,
    Prompt,
    PromptForm,
    Reply,
    Session,
    WeightsSize,
)
from evaluator.core.errors import CaptionError, ConfigError, ModelError, OutOfMemory
from evaluator.files.images import read_picture
from evaluator.models.checkpoints import Checkpoint, CheckpointLoader, is_out_of_memory
from evaluator.models.compiled import compile_model
from evaluator.models.placement import cpu_threads, memory_options, placement_of
from evaluator.models.sampling import SampledSession, seeded
from evaluator.models.weights import weights_size

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image


@dataclass(frozen=True)
class LocalModel(ABC):
    """The options of every local captioner; lengths in tokens."""

    checkpoint: str
    revision: str | None = None
    device: str = field(default="auto", metadata=RUNTIME_ONLY)
    dtype: Literal["auto", "float32", "float16", "bfloat16"] = "auto"
    compile: bool = field(default=False, metadata=RUNTIME_ONLY)
    num_beams: Annotated[int, Ge(1)] = 1
    min_new_tokens: Annotated[int, Ge(0)] = 0
    max_new_tokens: Annotated[int, Ge(1)] = 30
    length_penalty: float = 1.0
    repetition_penalty: float = 1.0
    temperature: Annotated[float, Ge(0)] = field(default=0.0, metadata=LEFT_OUT_BY_DEFAULT)
    top_p: Annotated[float, Gt(0), Le(1)] = field(default=1.0, metadata=LEFT_OUT_BY_DEFAULT)
    seed: Annotated[int, Ge(0)] = field(default=0, metadata=LEFT_OUT_BY_DEFAULT)
    safetensors_only: bool = True
    trust_remote_code: bool = False
    recommended_prompt: str = field(default="none", metadata=RUNTIME_ONLY)
    prompt_forms: tuple[PromptForm, ...] = field(default=(), metadata=RUNTIME_ONLY)

    model_types: ClassVar[tuple[str, ...]]

    def __post_init__(self) -> None:
        """Raises ConfigError for options that contradict each other."""
        if self.temperature and self.num_beams > 1:
            raise ConfigError(
                f"model.temperature={self.temperature:g} samples captions, and "
                f"model.num_beams={self.num_beams} searches for the likeliest. Type model.num_beams=1 with it"
            )

    def fixed_by(self) -> str:
        return "" if self.temperature else "temperature=0"

    def weights_size(self) -> WeightsSize | None:
        return weights_size(self.checkpoint)

    def decoding(self) -> dict[str, Any]:
        """The keyword arguments of `generate`."""
        return {
            "do_sample": False,  # also at a temperature: sampling.py samples each picture by itself
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

    def sampled(self, session: Session) -> Session:
        """The session, as one that samples where there is a temperature."""
        if not self.temperature:
            return session
        return SampledSession(session, self.temperature, self.top_p, self.seed)

    def seeding(self, prepare: Callable[[Item], Any]) -> Callable[[Item], Any]:
        """What prepares pictures for such a session."""
        return partial(seeded, prepare, self.seed) if self.temperature else prepare

    def opened(self) -> Checkpoint:
        """The loaded checkpoint, whose own generation_config.json decides nothing but its special ids."""
        checkpoint = self.loader().open()
        for module in checkpoint.model.modules():  # a language model within a model has its own
            if (own := getattr(module, "generation_config", None)) is not None:
                module.generation_config = only_ids(own)
        if self.compile:
            compile_model(checkpoint.model)
        return checkpoint


@dataclass(frozen=True)
class LocalCaptioner(LocalModel):
    """A family that continues token ids: image_size in pixels (None: the checkpoint's own)."""

    image_size: Annotated[int, Ge(1)] | None = None

    @abstractmethod
    def prompt_ids(self, config: Any, tokenizer: Any, text: str) -> list[int]:
        """The input ids before the caption."""

    @abstractmethod
    def echo_length(self, config: Any, prompt_ids: Sequence[int]) -> int:
        """How many ids at the start of the output are not the caption."""

    def check(self, prompt: Prompt, items: Sequence[Item]) -> Sequence[str]:
        """Raises an error for a chat prompt, which no family takes, and for a missing checkpoint."""
        refuse(prompt, ("system", "shots"), f"{type(self).__name__} takes a text prefix only")
        self.loader().check()
        return ()

    def preparing(self, prompt: Prompt) -> Callable[[Item], Any]:
        return self.seeding(partial(pixel_values, self._resized(self.loader().check_with_processor())))

    def _resized(self, image_processor: Any) -> Any:
        return resized(image_processor, self.image_size) if self.image_size else image_processor

    def _check_length(self, config: Any, prompt_ids: Sequence[int]) -> None:
        """Raises ConfigError where prompt and caption are longer than the model has positions for."""
        positions = getattr(config.get_text_config(decoder=True), "max_position_embeddings", None)
        if positions and len(prompt_ids) + self.max_new_tokens > positions:
            raise ConfigError(
                f"prompt: it has {len(prompt_ids)} tokens, and {self.checkpoint!r} reads and writes "
                f"{positions} at most. Type a shorter one, or fewer model.max_new_tokens"
            )

    @contextmanager
    def open(self, prompt: Prompt) -> Iterator[Session]:
        """Load the checkpoint. Raises ModelError with what to type."""
        checkpoint = self.opened()
        config, tokenizer = checkpoint.config, checkpoint.tokenizer
        image_processor, decoding = self._resized(checkpoint.processor), self.decoding()
        if self.image_size is not None:
            decoding["interpolate_pos_encoding"] = self.image_size != config.vision_config.image_size
        prompt_ids = self.prompt_ids(config, tokenizer, prompt.text)
        self._check_length(config, prompt_ids)
        session = LocalSession(
            model=checkpoint.model,
            image_processor=image_processor,
            tokenizer=tokenizer,
            prompt_ids=prompt_ids,
            echo_length=self.echo_length(config, prompt_ids),
            stop_ids=stop_ids(config, checkpoint.model.generation_config, tokenizer),
            decoding=decoding,
            version=checkpoint.commit or "local",
        )
        yield self.sampled(session)


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

    prepares_apart: ClassVar[bool] = True

    @property
    def cpu_threads(self) -> int:
        return cpu_threads(self.model)

    @property
    def placement(self) -> Placement:
        return placement_of(self.model)

    @property
    def memory_options(self) -> Mapping[str, Any]:
        return memory_options(self.model, self.decoding, pixels=self.image_processor.to_dict()["size"])

    def prepare(self, item: Item) -> torch.Tensor:
        return pixel_values(self.image_processor, item)

    def caption(self, prepared: Sequence[torch.Tensor]) -> list[Reply | CaptionError]:
        """One deterministic caption per picture. Raises OutOfMemory where the batch is too large."""
        import torch

        with memory_for(self.model, len(prepared)):
            pixels = on_device(torch.stack(list(prepared)), self.model)
            input_ids = torch.tensor([list(self.prompt_ids)] * len(prepared), device=self.model.device)
            output = self.model.generate(
                pixel_values=pixels,
                input_ids=input_ids,
                attention_mask=torch.ones_like(input_ids),
                **self.decoding,
            )
        return [self._reply(row[self.echo_length :]) for row in output.tolist()]

    def _reply(self, ids: Sequence[int]) -> Reply | CaptionError:
        length = length_of(ids, self.stop_ids)
        text = self.tokenizer.decode(ids[:length], skip_special_tokens=True).strip()
        limit = self.decoding["max_new_tokens"]
        return reply_or_empty(counted(text, self.version, len(self.prompt_ids), length, limit))


def check_image_token(checkpoint: str, config: Any) -> None:
    """Raises ModelError for a BLIP-2 or InstructBLIP saved before pictures had a token of their own."""
    if getattr(config, "image_token_index", 0) is None:
        raise ModelError(
            f"model.checkpoint: {checkpoint!r} was saved without image_token_index. "
            "Save it again with a newer transformers, or choose a newer model.revision"
        )


def refuse(prompt: Prompt, parts: Sequence[str], reason: str) -> None:
    """Raises ConfigError for the parts of a prompt that the model cannot take."""
    for name in parts:
        if getattr(prompt, name):
            raise ConfigError(
                f"prompt.{name}: {reason}. Choose a prompt without it, or type prompt.{name}= to leave it out"
            )


def picture_of(item: Item) -> Image:
    """The item's picture. Raises CaptionError where it has none, ImageError where it cannot be read."""
    if item.image is None:
        raise CaptionError(Outcome.ERROR, f"image {item.id} has no picture. Give data.images=DIR")
    return read_picture(item.image)


def pixel_values(image_processor: Any, item: Item) -> torch.Tensor:
    """The item's picture as the model takes it, (3, height, width)."""
    pixels = image_processor(picture_of(item), return_tensors="pt")["pixel_values"]
    return pixels[0]  # type: ignore[no-any-return]


def on_device(tensor: torch.Tensor, model: Any) -> torch.Tensor:
    """The tensor where the model is, floating-point numbers in the model's type.

    A GPU copies from pinned memory while the program goes on.
    """
    is_cuda = model.device.type == "cuda"
    source = tensor.pin_memory() if is_cuda else tensor
    moved = source.to(model.device, non_blocking=is_cuda)
    return moved.to(model.dtype) if moved.is_floating_point() else moved


@contextmanager
def memory_for(model: Any, count: int) -> Iterator[None]:
    """Runs the model without gradients. Raises OutOfMemory where `count` pictures are too many for it."""
    import torch

    try:
        with torch.inference_mode():
            yield
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        if model.device.type == "cuda":
            torch.cuda.empty_cache()
        raise OutOfMemory(f"a batch of {count} pictures does not fit into memory") from error


def length_of(ids: Sequence[int], stop_ids: Container[int]) -> int:
    """How many ids come before the first that ends the caption."""
    return next((index for index, token in enumerate(ids) if token in stop_ids), len(ids))


def counted(text: str, version: str, input_tokens: int, output_tokens: int, limit: int) -> Reply:
    """A reply with its numbers of tokens, and whether it ended by itself."""
    return Reply(
        text,
        model_version=version,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        finish_reason="stop" if output_tokens < limit else "length",
    )


def reply_or_empty(reply: Reply) -> Reply | CaptionError:
    return reply if reply.text else CaptionError(Outcome.EMPTY, "the model generated no text", reply)


def open_processor(name: str, source: Mapping[str, Any]) -> tuple[Any, Any]:
    """The image processor, which works on PIL's pictures whatever is installed, and the tokenizer."""
    from transformers import AutoImageProcessor, AutoProcessor

    processor = AutoProcessor.from_pretrained(name, **source)
    return AutoImageProcessor.from_pretrained(name, backend="pil", **source), processor.tokenizer


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


def only_ids(generation_config: Any) -> Any:
    """A generation config with nothing of the checkpoint's but which ids begin, end, pad or never come."""
    names = (
        *("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id"),
        *("forced_bos_token_id", "forced_eos_token_id", "bad_words_ids"),
        *("suppress_tokens", "begin_suppress_tokens"),
    )
    return type(generation_config)(**{name: getattr(generation_config, name, None) for name in names})
