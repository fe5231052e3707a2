"""What model.compile costs and gains: local models on this machine.

    python benchmarks/compiled.py [MODEL ...]

Each model captions 32 of the demo's pictures as it is, and compiled by torch's own compiler: the first time,
when it is compiled, and then several times more. The last line is one JSON object with, for each model, the
seconds of the first batch, the seconds of a batch compiled / as it is (the medians), and how many captions
changed. The models are the demo's unless others are named, such as git, for which the hub is needed.
"""

from __future__ import annotations

import json
import sys
import time
from statistics import median
from typing import Any, NamedTuple

from evaluator.config.run_config import run_configs
from evaluator.core import Prompt, Reply

MODELS = ("tiny-git", "tiny-blip", "tiny-blip2")
PICTURES = 32
ROUNDS = 7


class Timed(NamedTuple):
    """Seconds of each batch, the first one with what is done once, and the captions."""

    seconds: list[float]
    captions: list[str]


def timed(model: str, is_compiled: bool) -> Timed:
    (config,) = run_configs([f"model={model}", "data=demo", f"model.compile={str(is_compiled).lower()}"])
    seconds, replies = [], []
    with config.model.open(Prompt("none")) as opened:
        session: Any = opened
        prepared = [session.prepare(item) for item in list(config.data.load())[:PICTURES]]
        for _ in range(ROUNDS + 1):
            start = time.perf_counter()
            replies = session.caption(prepared)
            seconds.append(time.perf_counter() - start)
    return Timed(seconds, [reply.text if isinstance(reply, Reply) else "" for reply in replies])


def main(models: list[str]) -> None:
    figures = {}
    for model in models:
        plain, compiled = timed(model, False), timed(model, True)
        figures[model] = {
            "first_batch_s": round(compiled.seconds[0], 1),
            "time_ratio": round(median(compiled.seconds[1:]) / median(plain.seconds[1:]), 3),
            "changed": sum(a != b for a, b in zip(plain.captions, compiled.captions, strict=True)),
        }
        print(model, figures[model], flush=True)
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1:] or list(MODELS))
