"""What is counted over a run's captions: outcomes, costs and speed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from evaluator.core import Caption, DeviceUse, Outcome


def count_outcomes(captions: Iterable[Caption]) -> dict[Outcome, int]:
    """How often each outcome occurs, the most frequent first."""
    return dict(Counter(caption.outcome for caption in captions).most_common())


def count_final_failures(captions: Iterable[Caption]) -> int:
    """How many failures no attempt can change, since a captions file holds them."""
    return sum(each.outcome.can_be_retried and not each.can_be_retried for each in captions)


def known_sum(values: Iterable[float | None]) -> float | None:
    """The sum of the values that are known; None where none is.

    >>> known_sum([0.5, None, 0.25]), known_sum([None])
    (0.75, None)
    """
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def images_per_second(captions: Iterable[Caption]) -> float | None:
    """Captions per second of the model's work; None where no caption was made here.

    Batched captions split the batch's time. Concurrent requests count the union of their time spans, those
    that ended in a refusal included, so that pauses without a request in flight do not count.

    >>> two_at_once = [Caption(str(i), Outcome.OK, seconds=2.0, answered_at=9.0 + i // 2) for i in range(4)]
    >>> images_per_second(two_at_once)  # from 7 to 10
    1.3333333333333333
    """
    answers = [each for each in captions if each.source == "model" and not each.outcome.can_be_retried]
    captioned = [each for each in answers if each.outcome is Outcome.OK]
    batches = sum(each.seconds for each in captioned if each.answered_at is None)
    requests = [(at - each.seconds, at) for each in answers if (at := each.answered_at) is not None]
    seconds = batches + union_length(requests)
    return len(captioned) / seconds if captioned and seconds else None


def seconds_to_load(uses: Iterable[DeviceUse]) -> float | None:
    """The longest of all processes, which load at the same time; None where it is not known."""
    return max((use.seconds_to_load for use in uses), default=None)


def peak_memory(uses: Iterable[DeviceUse]) -> int | None:
    """In bytes, the most of one device; None where it is not known."""
    return max((use.peak_memory for use in uses if use.peak_memory is not None), default=None)


def union_length(spans: Iterable[tuple[float, float]]) -> float:
    """The length of the union of spans (start, end).

    >>> union_length([(5.0, 6.0), (0.0, 2.0), (1.0, 3.0)])
    4.0
    """
    total, reached = 0.0, -math.inf
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total
