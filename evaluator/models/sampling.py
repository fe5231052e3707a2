"""Sampled captions of a local model, each of which depends on its own image and draw alone.

A library that samples takes the random numbers of a whole batch from one generator, so that a caption changes
with the pictures beside it. Here each picture has a generator of its own, made from the seed and the item's
id. The likeliest token of scores with Gumbel noise is a sample from their softmax (Gumbel 1954; Maddison et
al. 2014, arXiv 1411.0030, section 2), so the model decodes greedily, and the noise is a step before.

The numbers are those of one kind of device: a GPU draws others than the CPU.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from evaluator.core import HasShapes, Item, Placement, PreparesApart, Reply
from evaluator.core.errors import CaptionError

if TYPE_CHECKING:
    import torch


class Seeded(NamedTuple):
    """A prepared picture and the seed of its random numbers."""

    prepared: Any
    seed: int


def seeded(prepare: Callable[[Item], Any], seed: int, item: Item) -> Seeded:
    """What `prepare` makes of the item, with a seed of its own."""
    digest = hashlib.sha256(f"{seed} {item.id}".encode("utf-8", "surrogatepass")).digest()
    return Seeded(prepare(item), int.from_bytes(digest[:8]) >> 1)  # torch takes 63 bits


@dataclass(frozen=True)
class SampledSession:
    """A session whose captions are samples at `temperature`, of the likeliest tokens (top_p).

    `session` is a dataclass with the options of `generate` in `decoding`, which must be greedy.
    """

    session: Any
    temperature: float
    top_p: float
    seed: int

    @property
    def prepares_apart(self) -> bool:
        return isinstance(self.session, PreparesApart) and self.session.prepares_apart

    @property
    def cpu_threads(self) -> int:
        return self.session.cpu_threads if isinstance(self.session, PreparesApart) else 1

    @property
    def placement(self) -> Placement:
        return self.session.placement  # type: ignore[no-any-return]

    @property
    def memory_options(self) -> Mapping[str, Any]:
        return self.session.memory_options  # type: ignore[no-any-return]

    def prepare(self, item: Item) -> Seeded:
        return seeded(self.session.prepare, self.seed, item)

    def shape_of(self, prepared: Seeded) -> Hashable:
        return self.session.shape_of(prepared.prepared) if isinstance(self.session, HasShapes) else None

    def caption(self, prepared: Sequence[Seeded]) -> Sequence[Reply | CaptionError]:
        """One sampled caption per picture. Raises OutOfMemory where the batch is too large."""
        from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopPLogitsWarper

        steps = LogitsProcessorList([TemperatureLogitsWarper(self.temperature)])
        if self.top_p < 1:
            steps.append(TopPLogitsWarper(self.top_p))
        steps.append(GumbelNoise([one.seed for one in prepared]))
        sampling = replace(self.session, decoding={**self.session.decoding, "logits_processor": steps})
        captions: Sequence[Reply | CaptionError] = sampling.caption([one.prepared for one in prepared])
        return captions


class GumbelNoise:
    """Adds noise to the scores of each row, so that the likeliest token is a sample of the row's softmax."""

    def __init__(self, seeds: Sequence[int]) -> None:
        self._seeds = seeds
        self._generators: list[torch.Generator] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Scores (rows, tokens), one row per seed."""
        import torch

        if not self._generators:
            self._generators = [torch.Generator(scores.device).manual_seed(seed) for seed in self._seeds]
        noise = torch.empty_like(scores)
        for row, generator in zip(noise, self._generators, strict=True):
            row.exponential_(generator=generator)
        return scores - noise.clamp_min_(torch.finfo(noise.dtype).tiny).log_()
