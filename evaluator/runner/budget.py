"""Money that may be spent: each call's dearest outcome is set aside before it is sent.

The sum of what was spent and what is set aside never exceeds the budget, so no call can. What a call did not
need returns when its answer is there; only when no answer is awaited any more is the budget used up.
"""

from __future__ import annotations

import asyncio


class Budget:
    """What is left of `budget_usd` within one event loop; None is without end."""

    def __init__(self, budget_usd: float | None, spent_usd: float = 0.0) -> None:
        self._left_usd = float("inf") if budget_usd is None else budget_usd - spent_usd
        self._awaited = 0
        self._used_up = False
        self._changed = asyncio.Event()

    async def reserve(self, usd: float) -> bool:
        """Set this much aside; False once the budget is used up, for good."""
        while not self._used_up and usd > self._left_usd:
            if self._awaited:
                await self._changed.wait()
            else:
                self._used_up = True
        if self._used_up:
            return False
        self._left_usd -= usd
        self._awaited += 1
        return True

    def settle(self, reserved_usd: float, spent_usd: float) -> None:
        """The call that this much was set aside for is over and took so much."""
        self._left_usd += reserved_usd - spent_usd
        self._awaited -= 1
        self._changed.set()
        self._changed.clear()
