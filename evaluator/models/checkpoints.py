"""How any transformers checkpoint is opened safely: the one loader of captioners and of the CLIP scorer.

Weights come from safetensors alone and no code of a checkpoint runs, unless the user says otherwise. What is
wrong with a checkpoint becomes one kind of error, which names the option and what to type.

    wanted = Wanted("GIT", ("git",), "AutoModelForImageTextToText", open_processor, "another model=...")
    checkpoint = open_checkpoint(CheckpointOptions("microsoft/git-base-coco"), wanted)
    checkpoint.model.generate(...)
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluator.core.errors import MissingPackage, ModelError

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CheckpointOptions:
    """What the user chose. `group` is where the options stand, such as `model` or `scorer.clipscore`."""

    name: str
    revision: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    safetensors_only: bool = True
    trust_remote_code: bool | None = None  # None: the component has no such option, and never runs any
    group: str = "model"

    @property
    def source(self) -> dict[str, Any]:
        """The keyword arguments of every `from_pretrained`."""
        source: dict[str, Any] = {"trust_remote_code": bool(self.trust_remote_code)}
        if self.revision:  # a revision of None would hide weights that the hub converted to safetensors
            source["revision"] = self.revision
        return source


@dataclass(frozen=True)
class Wanted:
    """What a component can use. `open_processor` gives the image processor and the tokenizer."""

    used_by: str
    model_types: tuple[str, ...]
    model_class: str  # the name of transformers' Auto class
    open_processor: Callable[[str, Mapping[str, Any]], tuple[Any, Any]]
    otherwise: str  # what to type where a checkpoint is of another type
    unused_weights: frozenset[str] = frozenset()
    tolerated_missing_share: float = 0.0  # of the weights


@dataclass(frozen=True)
class Checkpoint:
    """An opened checkpoint: the model on its device, in evaluation mode."""

    config: Any
    model: Any
    image_processor: Any
    tokenizer: Any
    folder: Path  # with its files; for a checkpoint of the hub, in the hub's cache

    @property
    def commit(self) -> str | None:
        """The commit of a checkpoint of the hub; None for any other folder."""
        return self.folder.name if self.folder.parent.name == "snapshots" else None


def open_checkpoint(options: CheckpointOptions, wanted: Wanted) -> Checkpoint:
    """Open a checkpoint of the hub or a folder.

    Raises ModelError with what to type, MissingPackage where torch or transformers is not installed.
    """
    try:
        import torch  # noqa: F401  (without it transformers fails late, and not clearly)
        import transformers
    except ImportError as error:
        raise MissingPackage(error.name or "torch", "local") from error
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    device = choose_device(options.device, options.group)
    dtype = choose_dtype(options.dtype, device)
    try:
        config = transformers.AutoConfig.from_pretrained(options.name, **options.source)
        check_type(options, wanted, config.model_type)
        image_processor, tokenizer = wanted.open_processor(options.name, options.source)
        model, loading = getattr(transformers, wanted.model_class).from_pretrained(
            options.name,
            dtype=dtype,
            use_safetensors=True if options.safetensors_only else None,
            output_loading_info=True,
            **options.source,
        )
        revision = {"revision": options.revision} if options.revision else {}
        folder = Path(transformers.utils.cached_file(options.name, "config.json", **revision)).parent
    except ModelError:
        raise
    except Exception as error:  # each library that reads a part of a checkpoint has errors of its own
        raise ModelError(explain(options, error)) from error
    check_weights(options, wanted, model, loading["missing_keys"])
    check_tokenizer(options, config, tokenizer)
    try:
        model = model.to(device).eval()
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        message = f"does not fit into the memory of {device}. Type {options.group}.device=cpu"
        raise ModelError(f"{subject(options)} {message}") from error
    parameters = sum(parameter.numel() for parameter in model.parameters())
    logger.info(
        "%s: %.1f million parameters on %s, %s", options.name, parameters / 1e6, device, str(dtype)[6:]
    )
    return Checkpoint(config, model, image_processor, tokenizer, folder)


def choose_device(device: str, group: str = "model") -> torch.device:
    """`auto` is the first NVIDIA GPU, else Apple's GPU, else the CPU. Raises ModelError for other names."""
    import torch

    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        return torch.empty(0, device=device).device
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(
            f"{group}.device: cannot use {device!r} ({reason}). Type {group}.device=auto"
        ) from error


def choose_dtype(dtype: str, device: torch.device) -> torch.dtype:
    """`auto` is float16 on a CUDA GPU, as the published numbers were made, and float32 elsewhere."""
    import torch

    if dtype == "auto":
        dtype = "float16" if device.type == "cuda" else "float32"
    return getattr(torch, dtype)  # type: ignore[no-any-return]


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether a device has too little memory: only CUDA has an error type for it, the others only words."""
    import torch

    words = ("allocate memory", "out of memory")
    return isinstance(error, torch.OutOfMemoryError) or any(word in str(error) for word in words)


def vocabulary_size(config: Any) -> int:
    """The vocabulary of the language model, which has a config of its own in all families but GIT."""
    return int(getattr(config, "text_config", config).vocab_size)


def check_type(options: CheckpointOptions, wanted: Wanted, model_type: str) -> None:
    if model_type not in wanted.model_types:
        raise ModelError(
            f"{subject(options)} is a {model_type!r} checkpoint, and {wanted.used_by} loads "
            f"{' or '.join(wanted.model_types)}. Choose another checkpoint, or {wanted.otherwise}"
        )


def check_weights(options: CheckpointOptions, wanted: Wanted, model: Any, missing_keys: set[str]) -> None:
    missing = sorted(set(missing_keys) - wanted.unused_weights)
    if len(missing) > wanted.tolerated_missing_share * len(list(model.parameters())):
        raise ModelError(
            f"{subject(options)} lacks {len(missing)} of the model's weights ({missing[0]}, ...): its "
            f"results would be noise. Choose a complete checkpoint, or {wanted.otherwise}"
        )


def check_tokenizer(options: CheckpointOptions, config: Any, tokenizer: Any) -> None:
    """Where a checkpoint has no tokenizer, transformers makes one up, of a few tokens."""
    tokens, vocabulary = len(tokenizer), vocabulary_size(config)
    if tokens < vocabulary / 2:
        raise ModelError(
            f"{subject(options)} lacks its tokenizer: its files define {tokens} tokens, and the model has "
            f"{vocabulary}. Save it again with processor.save_pretrained"
        )


def subject(options: CheckpointOptions) -> str:
    return f"{options.group}.checkpoint: {options.name!r}"


def explain(options: CheckpointOptions, error: Exception) -> str:
    """What an error of the libraries means for the user."""
    text = str(error).strip()
    reason = text.splitlines()[0] if text else type(error).__name__
    if "safetensors" in text and isinstance(error, OSError) and options.safetensors_only:
        return (
            f"{subject(options)} has no safetensors weights. "
            f"If you trust it, type {options.group}.safetensors_only=false"
        )
    if "trust_remote_code" in text:
        trust = f"If you trust it, type {options.group}.trust_remote_code=true"
        refuse = "Choose a checkpoint that needs none"
        advice = refuse if options.trust_remote_code is None else trust
        return f"{subject(options)} brings code of its own, which is not run. {advice}"
    return (
        f"{subject(options)} cannot be loaded: {reason} Check the spelling. A hub name needs the network, or "
        "its files in the hub's cache; a folder needs config.json and model.safetensors: "
        f"{options.group}.checkpoint=DIR"
    )
