"""Money that may be spent: before a request is sent, the most it can cost is set aside.

The money spent and the money set aside never exceed the budget together, so no request can exceed it. When
an answer arrives, what it did not need returns to the budget. The budget is used up only when the next
request does not fit and no request is open.
"""

from __future__ import annotations

import asyncio


class BudgetUsedUp(Exception):
    """The next request could exceed the budget, and no open request can return money to it."""


class Budget:
    """What is left of `budget_usd` within one event loop; None means no limit."""

    def __init__(self, budget_usd: float | None, spent_usd: float = 0.0) -> None:
        self._left_usd = float("inf") if budget_usd is None else budget_usd - spent_usd
        self._open_requests = 0
        self._used_up = False
        self._changed = asyncio.Event()

    async def reserve(self, most_usd: float) -> None:
        """Set money aside for one request. Waits while open requests may return enough money.

        Raises BudgetUsedUp, from then on always.
        """
        while not self._used_up and most_usd > self._left_usd:
            if self._open_requests:
                await self._changed.wait()
            else:
                self._used_up = True
        if self._used_up:
            raise BudgetUsedUp
        self._left_usd -= most_usd
        self._open_requests += 1

    def settle(self, most_usd: float, spent_usd: float) -> None:
        """End a request for which `most_usd` was set aside: the money that it did not spend returns."""
        self._left_usd += most_usd - spent_usd
        self._open_requests -= 1
        self._changed.set()
        self._changed.clear()
