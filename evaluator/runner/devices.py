"""Which devices a local model runs on: `runner.devices`, one process per device.

auto            every NVIDIA GPU of the machine; where there are fewer than two, what model.device says
0,1             the NVIDIA GPUs with these numbers
cpu*2           two processes on the CPU, which share its cores
cuda:1, cpu     any other names that torch has for devices
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from evaluator.core import Captioner, OnDevice
from evaluator.core.errors import ConfigError

AUTO = "auto"
Device = int | str

TIMES = re.compile(r"(?P<device>.+?)\s*\*\s*(?P<times>\d+)")


def named_devices(devices: Device | Sequence[Device]) -> list[str]:
    """The devices in torch's words, one for each process. Raises ConfigError where there is none.

    >>> named_devices("0, 1"), named_devices([0, "cpu"]), named_devices("cpu*2")
    (['cuda:0', 'cuda:1'], ['cuda:0', 'cpu'], ['cpu', 'cpu'])
    """
    parts = [str(devices)] if isinstance(devices, int | str) else list(map(str, devices))
    found: list[str] = []
    for part in (one.strip() for typed in parts for one in typed.split(",")):
        match = TIMES.fullmatch(part)
        device, times = (match["device"], int(match["times"])) if match else (part, 1)
        if not re.fullmatch(r"[\w:]+", device) or times < 1 or device == AUTO:
            raise ConfigError(f"runner.devices: {part!r} is no device. Type auto, 0,1 or cpu*2")
        found += [f"cuda:{device}" if device.isdecimal() else device] * times
    return found


def devices_for(captioner: Captioner, devices: Device | Sequence[Device]) -> list[str]:
    """The devices of this captioner; none where it decides by itself.

    Raises ConfigError where devices are typed for a captioner that has none.
    """
    if devices == AUTO:
        chosen_by_model = not isinstance(captioner, OnDevice) or captioner.device != AUTO
        return [] if chosen_by_model else several_gpus()
    if not isinstance(captioner, OnDevice):
        raise ConfigError(
            f"runner.devices: {type(captioner).__name__} runs on no device of this machine. "
            "Leave the option out, or type runner.devices=auto"
        )
    return named_devices(devices)


def on_device(captioner: Captioner, device: str) -> Captioner:
    """The same captioner on another device."""
    return replace(captioner, device=device)  # type: ignore[type-var]


def several_gpus() -> list[str]:
    """The NVIDIA GPUs of this machine where it has two or more."""
    import torch

    count = torch.cuda.device_count()
    return [f"cuda:{number}" for number in range(count)] if count > 1 else []
