"""How many threads a model gets on the CPU: as many as it can use and as are free.

A thread that has to wait for a busy core holds up all the others at each of the thousands of small steps of a
model. A small model gains nothing from threads, and loses much.
"""

from __future__ import annotations

import math
import os

# A model gets one thread for so many parameters. The tiny models of the demo are fastest with one.
PARAMETERS_PER_THREAD = 20_000_000
# What says that the user has chosen the number.
CHOSEN_BY = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


def threads_for(parameters: int, allowed_cpus: float, free_cpus: float) -> int:
    """The threads of a model with so many parameters, at least one.

    >>> threads_for(1_000_000, allowed_cpus=8, free_cpus=8), threads_for(200_000_000, 8, 8)
    (1, 8)
    >>> threads_for(200_000_000, allowed_cpus=4, free_cpus=60), threads_for(200_000_000, 8, -3.5)
    (4, 1)
    """
    useful = math.ceil(parameters / PARAMETERS_PER_THREAD)
    return max(1, min(useful, round(allowed_cpus), round(free_cpus)))


def is_chosen_by_user() -> bool:
    return any(os.environ.get(name) for name in CHOSEN_BY)
