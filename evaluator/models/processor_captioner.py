"""Captioners that prepare picture and text through the checkpoint's own processor.

A processor knows how many tokens a picture takes, where they stand and how large the picture may be. A family
adds the text that is asked (chat.py: a chat template; plain_prompt.py: one plain text) and what of the answer
is the caption. Whatever the text: its tokens are counted and cut off, so that it is never part of a caption.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.util import find_spec
from textwrap import shorten
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from annotated_types import Ge

from evaluator.core import Item, Placement, Prompt, Question, Reply, Session
from evaluator.core.chat import ends_turn
from evaluator.core.errors import CaptionError, ConfigError, ModelError
from evaluator.files.images import read_picture
from evaluator.models.checkpoints import CheckpointLoader, first_line
from evaluator.models.collate import Inputs, collated
from evaluator.models.local import (
    LocalModel,
    check_image_token,
    counted,
    length_of,
    memory_for,
    on_device,
    picture_of,
    reply_or_empty,
    stop_ids,
)
from evaluator.models.placement import cpu_threads, memory_options, placement_of

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

BLANK = (64, 64)  # pixels
SHOWN = 200  # characters of a text in an error


@dataclass(frozen=True)
class ProcessorCaptioner(LocalModel):
    """`image_options` are further options of the checkpoint's image processor, such as its sizes."""

    no_repeat_ngram_size: Annotated[int, Ge(0)] = 0
    image_options: Mapping[str, Any] = field(default_factory=dict)
    without_prompt: str = ""

    padding: ClassVar[Mapping[str, int]] = {}  # of inputs with one entry per token, where it is not 0
    needs_torchvision: ClassVar[bool] = False  # its code for PIL's pictures is missing or broken

    @abstractmethod
    def text(self, processor: Any, prompt: Prompt) -> str:
        """The whole text before the caption, with the processor's placeholders of pictures.

        Raises ConfigError where the checkpoint cannot be asked in this way.
        """

    def question_text(self, processor: Any, system: str, question: Question) -> str:
        """The whole text of a question by itself. Raises ConfigError for a model that only captions."""
        raise ConfigError(f"{self.checkpoint!r} only captions pictures: it answers no questions")

    def answer(self, processor: Any, ids: Sequence[int], text: str) -> Reply:
        """The caption in the generated ids, and what else they say; `text` was asked."""
        return Reply(processor.tokenizer.decode(ids, skip_special_tokens=True).strip())

    def decoding(self) -> dict[str, Any]:
        return super().decoding() | {"no_repeat_ngram_size": self.no_repeat_ngram_size or None}

    def loader(self) -> CheckpointLoader:
        return replace(super().loader(), open_processor=self._open_processor)

    def check(self, prompt: Prompt, items: Sequence[Item]) -> Sequence[str]:
        """Raises an error for a prompt, a checkpoint or a package that does not do. Loads no weights.

        One blank picture is prepared, so that what no picture can have is said once, before the first one.
        """
        from PIL import Image

        processor = self.loader().check_with_processor()
        text, pictures = self.text(processor, self.asked(prompt)), pictures_of(prompt)
        try:
            self.inputs(processor, text, [*pictures, Image.new("RGB", BLANK)])
        except Exception as error:  # each processor raises its own
            raise ConfigError(
                f"prompt: the processor of {self.checkpoint!r} cannot prepare a picture with it: "
                f"{first_line(error)} (the text is {shorten(text, SHOWN, placeholder='...')!r})"
            ) from error
        return self.doubts(prompt, text)

    def doubts(self, prompt: Prompt, text: str) -> Sequence[str]:
        """Warnings about the text that the prompt has become."""
        return () if text else ("the prompt is empty. Type prompt=one-sentence",)

    def asked(self, prompt: Prompt) -> Prompt:
        """The prompt, with the model's own text where it has none."""
        return prompt if prompt.text else replace(prompt, text=self.without_prompt)

    def preparing(self, prompt: Prompt) -> Callable[[Item], Any]:
        processor = self.loader().check_with_processor()
        text, shots = self.text(processor, self.asked(prompt)), pictures_of(prompt)
        return self.seeding(partial(self.prepared, processor, text, prompt.system, shots))

    def prepared(self, processor: Any, text: str, system: str, shots: Sequence[Image], item: Item) -> Inputs:
        """The model's inputs for one item: its own question, or the text and the examples of the run."""
        if isinstance(item, Question):
            text = self.question_text(processor, system, item)
            return self.inputs(processor, text, [picture_of(item)] if item.image else [])
        return self.inputs(processor, text, [*shots, picture_of(item)])

    @contextmanager
    def open(self, prompt: Prompt) -> Iterator[Session]:
        """Load the checkpoint. Raises ModelError with what to type."""
        checkpoint = self.opened()
        check_image_token(self.checkpoint, checkpoint.config)
        model, processor, tokenizer = checkpoint.model, checkpoint.processor, checkpoint.tokenizer
        session = ProcessorSession(
            captioner=self,
            model=model,
            processor=processor,
            text=self.text(processor, self.asked(prompt)),
            system=prompt.system,
            shots=pictures_of(prompt),
            stop_ids=stop_ids(checkpoint.config, model.generation_config, tokenizer) | turn_ends(tokenizer),
            decoding=self.decoding(),
            version=checkpoint.commit or "local",
        )
        yield self.sampled(session)

    def inputs(self, processor: Any, text: str, pictures: Sequence[Image]) -> Inputs:
        """The model's inputs for one text with its pictures, in order."""
        bos = processor.tokenizer.bos_token
        has_bos = bool(bos) and text.startswith(bos)  # a chat template may have written it
        made = processor(
            text=[text],
            images=self.arranged(pictures) if pictures else None,
            return_tensors="pt",
            **({"add_special_tokens": False} if has_bos else {}),
        )
        return {name: value for name, value in made.items() if value is not None and name != "labels"}

    def arranged(self, pictures: Sequence[Image]) -> list[Any]:
        """The pictures of one text, as the processor takes those of several texts."""
        return [list(pictures)]

    def _open_processor(self, name: str, source: Mapping[str, Any]) -> tuple[Any, Any]:
        """The processor, with pictures through PIL where the family has code for it, and its tokenizer."""
        from transformers import AutoImageProcessor, AutoProcessor

        if self.needs_torchvision and not find_spec("torchvision"):
            raise ImportError("torchvision is not installed")
        backend = "torchvision" if self.needs_torchvision else "pil"
        processor = AutoProcessor.from_pretrained(name, **source)
        if not hasattr(processor, "tokenizer"):  # transformers found one half, and returns that
            raise ModelError(
                f"model.checkpoint: {name!r} has no processor that takes a picture and a text. Choose "
                "another checkpoint, or type model=vit-gpt2 where it is an image encoder and a text decoder"
            )
        processor.image_processor = AutoImageProcessor.from_pretrained(
            name, backend=backend, **source, **self.image_options
        )
        self._check_image_options(processor.image_processor)
        return processor, processor.tokenizer

    def _check_image_options(self, image_processor: Any) -> None:
        """Raises ConfigError for an option that the image processor would keep and never read."""
        known = getattr(getattr(image_processor, "valid_kwargs", None), "__annotations__", {})
        unknown = [name for name in self.image_options if known and name not in known]
        if unknown:
            raise ConfigError(
                f"model.image_options: {type(image_processor).__name__} has no option {unknown[0]!r}. "
                f"It has {', '.join(sorted(known))}"
            )


@dataclass(frozen=True)
class ProcessorSession:
    """A loaded checkpoint with its text and the pictures of its examples."""

    captioner: ProcessorCaptioner
    model: Any
    processor: Any
    text: str
    system: str
    shots: tuple[Image, ...]
    stop_ids: frozenset[int]
    decoding: Mapping[str, Any]
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
        images = dict(self.captioner.image_options)
        return memory_options(self.model, self.decoding, images=images, shots=len(self.shots))

    def prepare(self, item: Item) -> Inputs:
        return self.captioner.prepared(self.processor, self.text, self.system, self.shots, item)

    def shape_of(self, prepared: Inputs) -> Hashable:
        """Pictures with the same number of tokens and crops: a batch of these needs no padding."""
        return tuple((name, getattr(value, "shape", len(value))) for name, value in prepared.items())

    def caption(self, prepared: Sequence[Inputs]) -> list[Reply | CaptionError]:
        """One deterministic caption per picture. Raises OutOfMemory where the batch is too large."""
        batch = collated(prepared, {"input_ids": self.padding_id, **self.captioner.padding})
        with memory_for(self.model, len(prepared)):
            output = self.model.generate(**self._on_device(batch), **self.decoding).cpu()
        rows = output[:, self._echo_length(batch["input_ids"], output) :].tolist()
        return [self._reply(row, one) for row, one in zip(rows, prepared, strict=True)]

    @property
    def padding_id(self) -> int:
        tokenizer = self.processor.tokenizer
        ids = (tokenizer.pad_token_id, tokenizer.eos_token_id, 0)
        return next(each for each in ids if each is not None)

    @property
    def language(self) -> Any:
        """The configuration of the language model."""
        return self.model.config.get_text_config(decoder=True)

    def _on_device(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """The batch on the model's device."""

        def moved(value: Any) -> Any:
            if isinstance(value, list):
                return [moved(each) for each in value]
            return on_device(value, self.model)

        return {name: moved(value) for name, value in batch.items()}

    def _echo_length(self, input_ids: torch.Tensor, output: torch.Tensor) -> int:
        """How many ids of each row are not the caption: the request, or the decoder's start, or none."""
        length = input_ids.shape[1]
        if output.shape[1] >= length and bool((output[:, :length] == input_ids).all()):
            return length
        starts = [config.decoder_start_token_id for config in (self.model.generation_config, self.language)]
        return int(any(start is not None and bool((output[:, :1] == start).all()) for start in starts))

    def _reply(self, ids: Sequence[int], inputs: Inputs) -> Reply | CaptionError:
        length = length_of(ids, self.stop_ids)
        answer = self.captioner.answer(self.processor, ids[:length], self.text)
        tokens, limit = int(inputs["input_ids"].shape[1]), self.decoding["max_new_tokens"]
        reply = counted(answer.text, self.version, tokens, length, limit)
        return reply_or_empty(replace(reply, whole_text=answer.whole_text, boxes=answer.boxes))


def turn_ends(tokenizer: Any) -> frozenset[int]:
    """The ids that end a turn of a chat, also where the checkpoint's generation_config.json lacks them."""
    return frozenset(index for token, index in tokenizer.get_added_vocab().items() if ends_turn(token))


def pictures_of(prompt: Prompt) -> tuple[Image, ...]:
    """The pictures of the prompt's examples. Raises ImageError."""
    return tuple(read_picture(shot.image) for shot in prompt.pictured)
