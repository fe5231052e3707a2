"""Where a loaded model is, and what it needs of the memory there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evaluator.core import Placement


def placement_of(model: Any) -> Placement:
    """The device, hardware and numbers of a loaded model of transformers."""
    import torch

    device = model.device
    hardware = torch.cuda.get_device_name(device) if device.type == "cuda" else ""
    return Placement(str(device), hardware, str(model.dtype).removeprefix("torch."))


def cpu_threads(model: Any) -> int:
    """How many CPUs the model keeps busy while it captions; on a GPU, the one that gives it its work."""
    import torch

    return torch.get_num_threads() if model.device.type == "cpu" else 1


def memory_options(model: Any, decoding: Mapping[str, Any], **inputs: Any) -> Mapping[str, Any]:
    """What decides how many pictures fit into memory beside a model; `inputs` say how large each is."""
    return {
        "checkpoint": model.name_or_path,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "beams": decoding.get("num_beams", 1),
        "tokens": decoding.get("max_new_tokens", 0),
        **inputs,
    }
