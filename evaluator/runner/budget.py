"""Money that may be spent: before a request is sent, the most it can cost is set aside.

The money spent and the money set aside never exceed the budget together. When an answer arrives, what it did
not need returns to the budget. The budget is used up only when the next request does not fit and no request
is open. An answer that is dearer than the most expected raises that bound, also for the requests that are
open: the budget can then be exceeded by what these cost more than was set aside for them, and by no more.
"""

from __future__ import annotations

import asyncio
import logging

logger = logging.getLogger(__name__)

TOLERANCE = 1e-9  # sums of the same prices in another order differ by less


class BudgetUsedUp(Exception):
    """The next request could exceed the budget, and no open request can return money to it."""


class Budget:
    """What is left of `budget_usd` within one event loop; None means no limit.

    `most_usd` is the most that one request can cost.
    """

    def __init__(self, budget_usd: float | None, most_usd: float, spent_usd: float = 0.0) -> None:
        self.most_usd = most_usd
        self._budget_usd, self._spent_usd = budget_usd, spent_usd
        self._open_requests = 0
        self._used_up = False
        self._changed = asyncio.Event()

    async def reserve(self) -> None:
        """Set money aside for one request. Waits while open requests may return enough money.

        Raises BudgetUsedUp, from then on always.
        """
        while not self._used_up and not self._fits_one_more():
            if self._open_requests:
                await self._changed.wait()
            else:
                self._used_up = True
        if self._used_up:
            raise BudgetUsedUp
        self._open_requests += 1

    def settle(self, spent_usd: float) -> None:
        """End a request: the money that it did not spend returns."""
        self._spent_usd += spent_usd
        self._open_requests -= 1
        if spent_usd > self.most_usd * (1 + TOLERANCE):
            self._raise_bound(spent_usd)
        self._changed.set()
        self._changed.clear()

    def _fits_one_more(self) -> bool:
        if self._budget_usd is None:
            return True
        return self._spent_usd + (self._open_requests + 1) * self.most_usd <= self._budget_usd

    def _raise_bound(self, spent_usd: float) -> None:
        if self._budget_usd is not None:
            logger.warning(
                "an answer cost $%.6f, and at most $%.6f was expected: from now on this much is set aside "
                "for each request. Correct model.image_tokens or model.max_output_tokens",
                *(spent_usd, self.most_usd),
            )
        self.most_usd = spent_usd


class JobBudget:
    """What is left of `budget_usd` for requests of batches, which come back after hours.

    `spent_usd` holds the most that the requests of open jobs can cost.
    """

    def __init__(self, budget_usd: float | None, most_usd: float, spent_usd: float) -> None:
        self.most_usd = most_usd
        self._budget_usd, self._spent_usd = budget_usd, spent_usd

    def reserve(self) -> bool:
        """Set the most that one more request can cost aside, if it fits."""
        if self._budget_usd is not None:
            limit = self._budget_usd * (1 + TOLERANCE)
            if self._spent_usd + self.most_usd > limit:
                return False
        self._spent_usd += self.most_usd
        return True

    def settle(self, reserved_usd: float | None, spent_usd: float | None) -> None:
        """A request ended: what it did not spend returns. A dearer one raises the most for all others."""
        self._spent_usd += (spent_usd or 0.0) - (reserved_usd or 0.0)
        self.most_usd = max(self.most_usd, spent_usd or 0.0)
