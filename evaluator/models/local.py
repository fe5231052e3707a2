"""What every local transformers captioner shares: loading, batches of pictures, decoding, memory.

A family (git.py, blip.py, blip2.py) adds two things: how its prompt becomes token ids, and how many ids
at the start of its output are not the caption. All images of a run share one prompt, so that a batch
needs no padding and a caption is the same at any batch size. Decoding is deterministic, and each of its
options is passed explicitly: whatever generation_config.json a checkpoint brings cannot change a score.

    evaluator run model=git model.checkpoint=microsoft/git-base-coco
    evaluator run model=git model.checkpoint=./my-finetuned-git
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from annotated_types import Ge

from evaluator.core import NOT_IDENTITY, Item, Outcome, Prompt, Reply
from evaluator.core.errors import CaptionError, ConfigError, MissingPackage, ModelError, OutOfMemory
from evaluator.files.images import read_picture

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)

# A checkpoint may lack a buffer that nothing reads; beyond this share its captions would be noise.
TOLERATED_MISSING_WEIGHTS = 0.01


@dataclass(frozen=True)
class LocalCaptioner(ABC):
    """Options that every family has; lengths in tokens, image_size in pixels (None: the checkpoint's own)."""

    checkpoint: str
    revision: str | None = None
    device: str = field(default="auto", metadata=NOT_IDENTITY)
    dtype: Literal["auto", "float32", "float16", "bfloat16"] = "auto"
    image_size: Annotated[int, Ge(1)] | None = None
    num_beams: Annotated[int, Ge(1)] = 1
    min_new_tokens: Annotated[int, Ge(0)] = 0
    max_new_tokens: Annotated[int, Ge(1)] = 30
    length_penalty: float = 1.0
    repetition_penalty: float = 1.0
    safetensors_only: bool = True
    trust_remote_code: bool = False

    model_types: ClassVar[tuple[str, ...]]

    @abstractmethod
    def prompt_ids(self, config: Any, tokenizer: Any, text: str) -> list[int]:
        """The input ids that stand before the caption."""

    @abstractmethod
    def echo_length(self, config: Any, prompt_ids: Sequence[int]) -> int:
        """How many ids at the start of the output are not the caption."""

    def check(self, prompt: Prompt, items: Sequence[Item]) -> Sequence[str]:
        """A family without chat has nowhere to put a system text or examples."""
        for name in ("system", "shots"):
            if getattr(prompt, name):
                raise ConfigError(
                    f"prompt.{name}: {type(self).__name__} takes a text prefix only. "
                    f"Choose a prompt without it, or type prompt.{name}= to leave it out"
                )
        return ()

    @contextmanager
    def open(self, prompt: Prompt) -> Iterator[LocalSession]:
        yield load(self, prompt.text)

    def decoding(self) -> dict[str, Any]:
        """The keyword arguments of `generate`."""
        beams: dict[str, Any] = {"length_penalty": self.length_penalty} if self.num_beams > 1 else {}
        return beams | {
            "do_sample": False,
            "num_beams": self.num_beams,
            "min_new_tokens": self.min_new_tokens or None,
            "max_new_tokens": self.max_new_tokens,
            "repetition_penalty": self.repetition_penalty,
        }


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
        """One deterministic caption a picture."""
        return [self._reply(row) for row in self._generate(prepared)]

    def _generate(self, prepared: Sequence[torch.Tensor]) -> list[list[int]]:
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
        except RuntimeError as error:  # CUDA's has a type of its own, the CPU's only its words
            if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in str(error):
                raise
            if self.model.device.type == "cuda":
                torch.cuda.empty_cache()
            raise OutOfMemory(f"a batch of {len(prepared)} pictures does not fit into memory") from error
        return [row[self.echo_length :] for row in output.tolist()]

    def _reply(self, ids: Sequence[int]) -> Reply | CaptionError:
        length = next((place for place, token in enumerate(ids) if token in self.stop_ids), len(ids))
        reply = Reply(
            self.tokenizer.decode(ids[:length], skip_special_tokens=True).strip(),
            model_version=self.version,
            input_tokens=len(self.prompt_ids),
            output_tokens=length,
            finish_reason="stop" if length < self.decoding["max_new_tokens"] else "length",
        )
        if not reply.text:
            return CaptionError(Outcome.EMPTY, "the model said nothing", reply)
        return reply


def load(options: LocalCaptioner, prompt_text: str) -> LocalSession:
    """Load a checkpoint from the hub or a folder. Raises ModelError with what to type."""
    try:
        import torch  # noqa: F401  (transformers without it fails late and unclearly)
        import transformers
        from safetensors import SafetensorError
    except ImportError as error:
        raise MissingPackage(error.name or "torch", "local") from error
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    source: dict[str, Any] = {"trust_remote_code": options.trust_remote_code}
    if options.revision:  # given as None it would keep transformers from weights that the hub converted
        source["revision"] = options.revision
    device = choose_device(options.device)
    dtype = choose_dtype(options.dtype, device)
    try:
        config = transformers.AutoConfig.from_pretrained(options.checkpoint, **source)
        if config.model_type not in options.model_types:
            raise ModelError(
                f"model.checkpoint: {options.checkpoint!r} is a {config.model_type!r} checkpoint, and "
                f"{type(options).__name__} loads {' or '.join(options.model_types)}. "
                "Choose another checkpoint or another model=..."
            )
        processor = transformers.AutoProcessor.from_pretrained(options.checkpoint, **source)
        model, loading = transformers.AutoModelForImageTextToText.from_pretrained(
            options.checkpoint,
            dtype=dtype,
            use_safetensors=True if options.safetensors_only else None,
            output_loading_info=True,
            **source,
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise ModelError(_explain(options, error)) from error
    missing = sorted(loading["missing_keys"])
    if len(missing) > TOLERATED_MISSING_WEIGHTS * len(list(model.parameters())):
        raise ModelError(
            f"model.checkpoint: {options.checkpoint!r} lacks {len(missing)} of the model's weights "
            f"({missing[0]} ...): its captions would be noise. Choose a checkpoint trained for captioning"
        )
    # transformers makes up a tokenizer of a few tokens where a checkpoint brings none.
    if (tokens := len(processor.tokenizer)) < (vocabulary := vocabulary_size(config)) / 2:
        raise ModelError(
            f"model.checkpoint: {options.checkpoint!r} lacks its tokenizer: {tokens} tokens were found, of "
            f"a vocabulary of {vocabulary}. Save it again with processor.save_pretrained"
        )
    model = model.to(device).eval()
    image_processor, decoding = processor.image_processor, options.decoding()
    if options.image_size is not None:
        image_processor = resized(image_processor, options.image_size)
        decoding["interpolate_pos_encoding"] = options.image_size != config.vision_config.image_size
    parameters = sum(parameter.numel() for parameter in model.parameters())
    logger.info(
        "%s: %.1f million parameters on %s, %s", options.checkpoint, parameters / 1e6, device, str(dtype)[6:]
    )
    prompt_ids = options.prompt_ids(config, processor.tokenizer, prompt_text)
    return LocalSession(
        model=model,
        image_processor=image_processor,
        tokenizer=processor.tokenizer,
        prompt_ids=prompt_ids,
        echo_length=options.echo_length(config, prompt_ids),
        stop_ids=stop_ids(config, model.generation_config, processor.tokenizer),
        decoding=decoding,
        version=checkpoint_version(options.checkpoint, options.revision),
    )


def checkpoint_version(checkpoint: str, revision: str | None) -> str:
    """The commit of a checkpoint of the hub, from its place in the hub's cache; "local" for a folder."""
    from transformers.utils import cached_file

    source = {"revision": revision} if revision else {}
    folder = Path(cached_file(checkpoint, "config.json", **source)).parent
    return folder.name if folder.parent.name == "snapshots" else "local"


def choose_device(device: str) -> torch.device:
    """`auto` is the first GPU, else the CPU. Raises ConfigError for a device that is not there."""
    import torch

    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        return torch.empty(0, device=device).device
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"model.device: cannot use {device!r} ({reason}). Type model.device=auto"
        ) from error


def choose_dtype(dtype: str, device: torch.device) -> torch.dtype:
    """`auto` is float16 on a CUDA GPU, as the published numbers were made, and float32 elsewhere."""
    import torch

    if dtype == "auto":
        dtype = "float16" if device.type == "cuda" else "float32"
    return getattr(torch, dtype)  # type: ignore[no-any-return]


def resized(image_processor: Any, size: int) -> Any:
    """The image processor for pictures of `size` pixels, cropped if and as it crops at its own size."""
    options = image_processor.to_dict()
    for name in ("size", "crop_size"):
        if sides := {side: size for side, pixels in dict(options.get(name) or {}).items() if pixels}:
            options[name] = sides
    return type(image_processor).from_dict(options)


def vocabulary_size(config: Any) -> int:
    """Of the language model, which has a config of its own in all families but GIT."""
    return int(getattr(config, "text_config", config).vocab_size)


def stop_ids(config: Any, generation_config: Any, tokenizer: Any) -> frozenset[int]:
    """Every id that ends a caption or pads it."""
    found: set[int] = set()
    for source in (generation_config, getattr(config, "text_config", config), tokenizer):
        for name in ("eos_token_id", "sep_token_id", "pad_token_id"):
            value = getattr(source, name, None)
            found.update(value if isinstance(value, list) else [] if value is None else [value])
    return frozenset(found)


def _explain(options: LocalCaptioner, error: Exception) -> str:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    name = f"model.checkpoint: {options.checkpoint!r}"
    if "safetensors" in str(error) and isinstance(error, OSError) and options.safetensors_only:
        return f"{name} has no safetensors weights. If you trust it, type model.safetensors_only=false"
    if "trust_remote_code" in str(error):
        return f"{name} brings code of its own. If you trust it, type model.trust_remote_code=true"
    return (
        f"{name} cannot be loaded: {reason} Check the spelling; a folder needs config.json and "
        "model.safetensors, a hub name needs the network (or its files in the hub's cache)"
    )
