"""requests.jsonl: each request to a remote model, written down before it is sent.

    {"request": 17, "item_id": "42", "most_usd": 0.0012, "sent_at": 1764097829.5}
    {"request": 17, "error": "malformed answer", "cost_usd": 0.001, "input_tokens": 90, "output_tokens": 10}

The first line says what the request can cost at most. The second exists only where a request brought no
caption. A caption names its requests (`requests` in captions.jsonl), and its cost is theirs. All other
requests count with the cost of their last line here: with the most they can have cost, where a kill came
between the first line and the answer. A request that is part of a batch names its `job`, and the `key` of its
answer in the cache, so that whichever command comes back knows where the answer belongs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from evaluator.core import Caption

NAME = "requests.jsonl"


@dataclass(frozen=True)
class RequestLine:
    """One line; a line of a request that was sent has an item, a line of one that ended has an error."""

    request: int
    item_id: str = ""
    most_usd: float | None = None
    sent_at: float | None = None  # Unix seconds
    error: str = ""
    cost_usd: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    job: str = ""  # of batches.jsonl, which has it
    key: str = ""

    @property
    def has_ended(self) -> bool:
        return not self.item_id

    @property
    def usd(self) -> float | None:
        """What the request counts with; None where that is not known."""
        return booked_usd(self.cost_usd if self.has_ended else self.most_usd)

    @property
    def document(self) -> dict[str, Any]:
        """What the line says; what is not known is left out."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "")}


def unsettled(lines: Iterable[RequestLine], captions: Iterable[Caption]) -> dict[int, RequestLine]:
    """By number, the last line of each request that no caption names.

    >>> sent = [RequestLine(1, "a", 0.5), RequestLine(2, "b", 0.5)]
    >>> last = unsettled([*sent, RequestLine(2, error="torn", cost_usd=0.1)], [])
    >>> {number: line.usd for number, line in last.items()}
    {1: 0.5, 2: 0.1}
    """
    last = {line.request: line for line in lines}
    for caption in captions:
        for request in caption.requests:
            last.pop(request, None)
    return last


def booked_usd(cost_usd: float | None) -> float | None:
    """A recorded cost; None for one that no provider can have meant: negative, infinite or no number."""
    return cost_usd if cost_usd is not None and math.isfinite(cost_usd) and cost_usd >= 0 else None
