"""Money that may be spent: before a request is sent, the most it can cost is set aside.

The money spent and the money set aside never exceed the budget together, so no request can exceed it. When
an answer arrives, what it did not need returns to the budget. The budget is used up only when the next
request does not fit and no request is open.
"""

from __future__ import annotations

import asyncio
from types import TracebackType


class BudgetUsedUp(Exception):
    """The next request could exceed the budget, and no open request can return money to it."""


class Budget:
    """What is left of `budget_usd` within one event loop; None means no limit."""

    def __init__(self, budget_usd: float | None, spent_usd: float = 0.0) -> None:
        self._left_usd = float("inf") if budget_usd is None else budget_usd - spent_usd
        self._open_requests = 0
        self._used_up = False
        self._changed = asyncio.Event()

    def reserve(self, most_usd: float) -> Reservation:
        """`async with budget.reserve(0.01) as reservation`: sets the money aside for one request.

        Waits while open requests may still return enough money. Raises BudgetUsedUp, from then on always.
        """
        return Reservation(self, most_usd)

    async def _set_aside(self, usd: float) -> None:
        while not self._used_up and usd > self._left_usd:
            if self._open_requests:
                await self._changed.wait()
            else:
                self._used_up = True
        if self._used_up:
            raise BudgetUsedUp
        self._left_usd -= usd
        self._open_requests += 1

    def _return(self, usd: float) -> None:
        self._left_usd += usd
        self._open_requests -= 1
        self._changed.set()
        self._changed.clear()


class Reservation:
    """Money set aside for one request. Whoever sends the request sets `spent_usd` when its cost is known."""

    def __init__(self, budget: Budget, most_usd: float) -> None:
        self._budget, self._most_usd = budget, most_usd
        self.spent_usd = 0.0

    async def __aenter__(self) -> Reservation:
        await self._budget._set_aside(self._most_usd)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._budget._return(self._most_usd - self.spent_usd)
