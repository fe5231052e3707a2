"""One batch from what a checkpoint's processor made of each picture by itself.

A processor could take all pictures of a batch at once. Called for one picture, it can run ahead of the model
in worker threads. The batch is the one that the processor would have made itself, padded on the left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

Inputs = Mapping[str, Any]  # a processor's tensors by name; a tensor of tokens is (1, tokens, ...)


def collated(inputs: Sequence[Inputs], padding: Mapping[str, int]) -> dict[str, Any]:
    """The tensors of several pictures as those of one batch.

    What has one entry per token is padded on the left, with `padding` of its name, else with 0. Pictures of
    different shapes are padded with 0 at the ends of their sides. Lists are joined.
    """
    batch: dict[str, Any] = {}
    for name, first in inputs[0].items():
        values = [one[name] for one in inputs]
        if isinstance(first, list):
            batch[name] = [each for value in values for each in value]
        elif is_per_token(first, inputs[0]):
            batch[name] = joined(values, padding.get(name, 0), from_left=True)
        else:
            batch[name] = joined(values, 0, from_left=False)
    return batch


def is_per_token(tensor: torch.Tensor, inputs: Inputs) -> bool:
    """Whether a tensor of one picture has one entry for each of its tokens."""
    return tensor.dim() >= 2 and tuple(tensor.shape[:2]) == tuple(inputs["input_ids"].shape)


def joined(tensors: Sequence[torch.Tensor], padding: int, from_left: bool) -> torch.Tensor:
    """The tensors along their first side; where other sides differ, filled up to the longest."""
    import torch

    longest = [max(sizes) for sizes in zip(*(tensor.shape[1:] for tensor in tensors), strict=True)]
    whole = []
    for tensor in tensors:
        widths: list[int] = []
        for size, most in zip(reversed(tensor.shape[1:]), reversed(longest), strict=True):
            widths += [most - size, 0] if from_left else [0, most - size]
        whole.append(torch.nn.functional.pad(tensor, widths, value=padding) if any(widths) else tensor)
    return torch.cat(whole)
