"""The options of scorers that load a checkpoint, and how it is opened with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from evaluator.core.errors import MetricError, MissingPackage, ModelError
from evaluator.models.checkpoints import Checkpoint, CheckpointLoader, image_processor_and_tokenizer

# By the checkpoint's name and source: its processor, and its tokenizer.
ProcessorOpener = Callable[[str, Mapping[str, Any]], tuple[Any, Any]]


class FromCheckpoint(Protocol):
    """A scorer that loads a checkpoint of the hub or of a folder."""

    @property
    def group(self) -> str:
        """Where its options stand, such as `scorer.itm`."""

    @property
    def checkpoint(self) -> str: ...

    @property
    def revision(self) -> str | None: ...

    @property
    def device(self) -> str: ...

    @property
    def dtype(self) -> str: ...

    @property
    def batch_size(self) -> int: ...

    @property
    def safetensors_only(self) -> bool: ...


def open_checkpoint(
    scorer: FromCheckpoint,
    used_by: str,
    usual: str,
    open_processor: ProcessorOpener = image_processor_and_tokenizer,
    **requirements: Any,
) -> Checkpoint:
    """The checkpoint that the options name. Raises MetricError with the reason and what to type.

    `usual` is a checkpoint that fits, and `requirements` are further options of `CheckpointLoader`.
    """
    loader = CheckpointLoader(
        name=scorer.checkpoint,
        revision=scorer.revision,
        device=scorer.device,
        dtype=scorer.dtype,
        safetensors_only=scorer.safetensors_only,
        group=scorer.group,
        used_by=used_by,
        open_processor=open_processor,
        otherwise=f"type {scorer.group}.checkpoint={usual}",
        **requirements,
    )
    try:
        return loader.open()
    except (ModelError, MissingPackage) as error:
        raise MetricError(str(error)) from error
