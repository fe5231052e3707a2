"""A model that is compiled before it captions (torch.compile): slower to start, faster for many images.

Where transformers can compile the whole step from token to token, it is given a cache of fixed size, which it
does only with one (and on a GPU captures as a CUDA graph). All other models are compiled part by part.
"""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from typing import Any

from evaluator.core.errors import ModelError

BACKEND = "inductor"  # torch's own
COMPILERS = ("g++", "clang++", "c++")


def compile_model(model: Any) -> None:
    """Let every part of a model that generates text be compiled when it is first called.

    Raises ModelError where this machine lacks what that takes.
    """
    from transformers import CompileConfig

    check_compiler(model.device.type)
    for part in model.modules():
        generation = getattr(part, "generation_config", None)
        if generation is None:
            continue
        if getattr(part, "_can_compile_fullgraph", False):
            generation.cache_implementation = "static"
            generation.compile_config = CompileConfig(backend=BACKEND, mode="default")
            generation.compile_config._compile_all_devices = True
        else:
            part.compile(dynamic=True, backend=BACKEND)


def check_compiler(device: str) -> None:
    """Raises ModelError with what to install: torch writes C++ and, for a GPU, Triton's programs."""
    chosen = os.environ.get("CXX")
    if not any(map(shutil.which, [chosen] if chosen else COMPILERS)):
        raise ModelError(
            "model.compile: torch needs a C++ compiler. Type: apt install g++, or model.compile=false"
        )
    if device == "cuda" and not find_spec("triton"):
        raise ModelError(
            "model.compile: torch needs Triton. Type: pip install triton, or model.compile=false"
        )
