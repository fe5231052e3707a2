"""How any transformers checkpoint is opened safely: the one loader of captioners and of the CLIP scorer.

Weights come from safetensors alone and no code of a checkpoint runs, unless the user says otherwise. What is
wrong with a checkpoint becomes one kind of error, which names the option and what to type.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluator.core.cpus import allowed_cpus, free_cpus
from evaluator.core.errors import EvaluatorError, MissingPackage, ModelError
from evaluator.files import hub
from evaluator.models.checkpoint_files import fault_of, lacks_processor
from evaluator.models.threads import is_chosen_by_user, threads_for

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """An opened checkpoint: the model on its device, in evaluation mode."""

    config: Any
    model: Any
    processor: Any  # of pictures, or of pictures and texts
    tokenizer: Any
    folder: Path  # with its files; for a checkpoint of the hub, in the hub's cache

    @property
    def commit(self) -> str | None:
        """The commit of a checkpoint of the hub; None for any other folder."""
        return self.folder.name if self.folder.parent.name == "snapshots" else None


@dataclass(frozen=True, kw_only=True)
class CheckpointLoader:
    """The user's options, and what the component can use."""

    name: str
    revision: str | None
    device: str
    dtype: str
    safetensors_only: bool
    trust_remote_code: bool | None = None  # None: the component has no such option, and never runs any
    group: str  # where the options stand, such as `model` or `scorer.clipscore`
    used_by: str
    model_types: tuple[str, ...] | None  # None: all that the Auto class loads
    model_class: str | Mapping[str, str]  # transformers' Auto class by its name, or a class for each type
    open_processor: Callable[[str, Mapping[str, Any]], tuple[Any, Any]]  # processor and tokenizer
    otherwise: str  # what to type where a checkpoint is of another type
    unused_weights: frozenset[str] = frozenset()
    tolerated_missing_share: float = 0.0  # of the weights

    def check(self) -> None:
        """Raises what `open` raises for a missing package, device or checkpoint; loads no weights."""
        self._begin()
        try:
            self._config(self._source)
            folder = Path(self.name)
            if self.safetensors_only and folder.is_dir() and not any(folder.glob("*.safetensors")):
                raise ModelError(self._no_safetensors)
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(self._explain(error)) from error

    def check_with_processor(self) -> Any:
        """Raises what `check` raises, and what is wrong with the processor, which it returns."""
        self.check()
        try:
            return self.open_processor(self.name, self._source)[0]
        except EvaluatorError:
            raise
        except Exception as error:
            raise ModelError(self._explain(error)) from error

    def open(self) -> Checkpoint:
        """Open a checkpoint of the hub or a folder.

        Raises ModelError with what to type, MissingPackage where torch or transformers is not installed.
        """
        device = self._begin()
        import transformers

        source = self._source
        try:
            config = self._config(source)
            dtype = choose_dtype(self.dtype, device, saved_dtype(config))
            processor, tokenizer = self.open_processor(self.name, source)
            model, loading = getattr(transformers, self._class_for(config)).from_pretrained(
                self.name,
                dtype=dtype,
                use_safetensors=True if self.safetensors_only else None,
                output_loading_info=True,
                **source,
            )
            file = transformers.utils.cached_file(self.name, "config.json", revision=self.revision or None)
        except EvaluatorError:
            raise
        except Exception as error:  # each library that reads a part of a checkpoint has errors of its own
            raise ModelError(self._explain(error)) from error
        self._check_weights(model, loading["missing_keys"])
        self._check_tokenizer(config, tokenizer)
        try:
            model = model.to(device).eval()
        except ValueError as error:  # some quantized weights cannot be moved
            raise ModelError(f"{self._subject} cannot be used on {device}: {first_line(error)}") from error
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            message = f"does not fit into the memory of {device}. Type {self.group}.device=cpu"
            raise ModelError(f"{self._subject} {message}") from error
        parameters = sum(parameter.numel() for parameter in model.parameters())
        where = f"{device}, {str(dtype)[6:]}"
        if device.type == "cpu":
            where += f", threads: {choose_threads(parameters)}"
        logger.info("%s: %.1f million parameters on %s", self.name, parameters / 1e6, where)
        return Checkpoint(config, model, processor, tokenizer, Path(file).parent)

    def _begin(self) -> torch.device:
        """The device. Raises MissingPackage, and ModelError for a device that is not there."""
        try:
            import torch  # noqa: F401  (without it transformers fails late, and not clearly)
            import transformers
        except ImportError as error:
            raise MissingPackage(error.name or "torch", "local") from error
        transformers.utils.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
        return choose_device(self.device, self.group)

    @property
    def _source(self) -> dict[str, Any]:
        source: dict[str, Any] = {"trust_remote_code": bool(self.trust_remote_code)}
        if self.revision:  # a revision of None would hide weights that the hub converted to safetensors
            source["revision"] = self.revision
        return source

    def _config(self, source: Mapping[str, Any]) -> Any:
        """The checkpoint's configuration. Raises ModelError for a model of another type."""
        import transformers

        if fault := fault_of(self.name, f"{self.group}.checkpoint"):
            raise ModelError(f"{self._subject} cannot be loaded: {fault}")
        self._check_hub()
        config = transformers.AutoConfig.from_pretrained(self.name, **source)
        if self.model_types is None:
            if self._is_loaded_by_auto_class(config):
                return config
            loads = f"models that transformers' {self._class_for(config)} loads"
        elif config.model_type in self.model_types:
            return config
        else:
            loads = " or ".join(self.model_types)
        raise ModelError(
            f"{self._subject} is a {config.model_type!r} checkpoint, and {self.used_by} loads {loads}. "
            f"Choose another checkpoint, or {self.otherwise}"
        )

    def _check_hub(self) -> None:
        """Raises ModelError where the checkpoint must come from the hub and the hub is out of reach."""
        is_here = Path(self.name).exists() or hub.model_folder(self.name).exists()
        if not is_here and not hub.is_offline() and not hub.is_reachable():
            raise ModelError(
                f"{self._subject} is not on this machine, and {hub.hub_address()} cannot be reached. "
                f"Download it where there is a network, with hf download {self.name} --local-dir DIR, and "
                f"type {self.group}.checkpoint=DIR"
            )

    def _is_loaded_by_auto_class(self, config: Any) -> bool:
        """Whether the Auto class knows the model, or the checkpoint brings code for it that may run."""
        import transformers

        name, own_code = self._class_for(config), getattr(config, "auto_map", None) or {}
        if self.trust_remote_code and name in own_code:
            return True
        return type(config) in getattr(transformers, name)._model_mapping

    def _class_for(self, config: Any) -> str:
        return self.model_class if isinstance(self.model_class, str) else self.model_class[config.model_type]

    @property
    def _subject(self) -> str:
        return f"{self.group}.checkpoint: {self.name!r}"

    def _check_weights(self, model: Any, missing_keys: set[str]) -> None:
        missing = sorted(set(missing_keys) - self.unused_weights)
        if len(missing) > self.tolerated_missing_share * len(list(model.parameters())):
            raise ModelError(
                f"{self._subject} lacks {len(missing)} of the model's weights ({missing[0]}, ...): its "
                f"results would be noise. Choose a complete checkpoint, or {self.otherwise}"
            )

    def _check_tokenizer(self, config: Any, tokenizer: Any) -> None:
        """Where a checkpoint has no tokenizer, transformers makes one up, of a few tokens."""
        # The language model has a config of its own in all families but GIT.
        language = getattr(config, "text_config", None) or getattr(config, "decoder", None) or config
        tokens, vocabulary = len(tokenizer), getattr(language, "vocab_size", 0)
        if tokens < vocabulary / 2:
            raise ModelError(
                f"{self._subject} lacks its tokenizer: its files define {tokens} tokens, and the model has "
                f"{vocabulary}. Save it again with processor.save_pretrained"
            )

    @property
    def _no_safetensors(self) -> str:
        return (
            f"{self._subject} has no safetensors weights. "
            f"If you trust it, type {self.group}.safetensors_only=false"
        )

    def _explain(self, error: Exception) -> str:
        """What an error of the libraries means for the user."""
        text, reason = str(error).strip(), first_line(error)
        if "deserializing header" in text:
            return f"{self._subject} has weights that are damaged or not complete. Download or save it again"
        if "safetensors" in text and isinstance(error, OSError) and self.safetensors_only:
            return self._no_safetensors
        if "trust_remote_code" in text:
            return self._own_code
        if "does not recognize this architecture" in text:
            newer = "Type pip install -U transformers, or"
            return (
                f"{self._subject} is of a type that this transformers does not know. {newer} {self.otherwise}"
            )
        if isinstance(error, ImportError):
            known = ("torchvision", "num2words", "timm", "einops")
            if missing := [name for name in known if name in text.lower()]:
                needed = " and ".join(missing)
                return f"{self._subject} has a processor that needs {needed}. {packages_advice(missing)}"
            return f"{self._subject} needs a package that is not installed: {reason}"
        if lacks_processor(Path(self.name)):
            return (
                f"{self._subject} cannot be loaded: it has weights, but not all files of a processor. Save "
                "that of the model that was trained: AutoProcessor.from_pretrained(NAME).save_pretrained(DIR)"
            )
        return (
            f"{self._subject} cannot be loaded: {reason.rstrip('.')}. Check the spelling. A hub name needs "
            "the network, or its files in the hub's cache; a folder needs config.json and model.safetensors: "
            f"{self.group}.checkpoint=DIR"
        )

    @property
    def _own_code(self) -> str:
        """What to do about a checkpoint whose classes are not in transformers."""
        import transformers

        brings = f"{self._subject} brings code of its own"
        entries, _ = transformers.PreTrainedConfig.get_config_dict(self.name, revision=self.revision)
        models = [name for name in entries.get("auto_map", {}) if name.startswith("AutoModel")]
        if models and self.model_class not in models:
            return (
                f"{brings}, which has no {self.model_class}, so that it cannot be loaded here. Choose one of "
                f"transformers' own form, whose name often ends in -hf, or {self.otherwise}"
            )
        if self.trust_remote_code is None:
            return f"{brings}, which is not run. Choose a checkpoint that needs none"
        return f"{brings}, which is not run. If you trust it, type {self.group}.trust_remote_code=true"


def first_line(error: Exception) -> str:
    """The beginning of a message that may have many lines; the kind of error where it has none."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def packages_advice(missing: Collection[str]) -> str:
    """What to type for packages that a processor needs; torchvision must be the one that fits torch.

    Their minor versions differ by 15: torch 2.14 has torchvision 0.29.
    """
    import torch

    major, minor = torch.__version__.split(".")[:2]
    fitting = f"torchvision==0.{int(minor) + 15}.*" if major == "2" else "torchvision"
    names = [f"'{fitting}'" if name == "torchvision" else name for name in missing]
    note = f" (for torch {major}.{minor}, from the same index as torch)" if "torchvision" in missing else ""
    return f"Type: pip install {' '.join(names)}{note}"


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
        reason = first_line(error).split(". ")[0]
        if reason.startswith("Expected one of"):
            reason = "torch knows no such device"
        elif reason.startswith("Could not run"):
            reason = "this machine or this torch has none"
        advice = f"Type {group}.device=auto, or one of cpu, cuda, cuda:1 and mps that this machine has"
        raise ModelError(f"{group}.device: cannot use {device!r} ({reason}). {advice}") from error


def choose_threads(parameters: int) -> int:
    """Let torch use as many threads as fit the model and this machine, unless the user chose a number."""
    import torch

    if not is_chosen_by_user():
        torch.set_num_threads(threads_for(parameters, allowed_cpus(), free_cpus()))
    return torch.get_num_threads()


def choose_dtype(dtype: str, device: torch.device, saved: torch.dtype | None) -> torch.dtype:
    """The type of the weights; `saved` is that of the checkpoint's files, if they say it.

    `auto` is float32, except on a CUDA GPU. There, a checkpoint that was saved in bfloat16 stays in it, since
    float16 has not its range, if the GPU computes in it. All others are float16, as the numbers of GIT, BLIP
    and BLIP-2 were made.
    """
    import torch

    if dtype != "auto":
        return getattr(torch, dtype)  # type: ignore[no-any-return]
    if device.type != "cuda":
        return torch.float32
    if saved is not torch.bfloat16:
        return torch.float16
    return saved if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32


def saved_dtype(config: Any) -> torch.dtype | None:
    """The type in which a checkpoint was saved, by its configuration or that of its language model."""
    import torch

    for part in (config, getattr(config, "text_config", None)):
        dtype = getattr(part, "dtype", None)
        dtype = getattr(torch, dtype, None) if isinstance(dtype, str) else dtype
        if isinstance(dtype, torch.dtype):
            return dtype
    return None


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether a device has too little memory: only CUDA has an error type for it, the others only words."""
    import torch

    words = ("allocate memory", "out of memory")
    return isinstance(error, torch.OutOfMemoryError) or any(word in str(error) for word in words)


def image_processor_and_tokenizer(name: str, source: Mapping[str, Any]) -> tuple[Any, Any]:
    """The image processor, which works on PIL's pictures whatever is installed, and the tokenizer."""
    from transformers import AutoImageProcessor, AutoTokenizer

    load: Callable[..., Any] = AutoImageProcessor.from_pretrained
    return load(name, backend="pil", **source), AutoTokenizer.from_pretrained(name, **source)
