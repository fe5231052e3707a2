"""Sums of money as people read them."""

from __future__ import annotations

import math


def format_dollars(amount: float) -> str:
    """In US dollars: with cents, and a sum below ten cents with two digits that are not zero.

    >>> format_dollars(12.5), format_dollars(0.1), format_dollars(0.0034), format_dollars(0.0)
    ('$12.50', '$0.10', '$0.0034', '$0.00')
    """
    return f"${format_amount(amount)}"


def format_amount(amount: float) -> str:
    """The same under a heading that says what it is in.

    >>> format_amount(12.5), format_amount(0.0034)
    ('12.50', '0.0034')
    """
    digits = 2 if amount == 0 or abs(amount) >= 0.0995 else 1 - math.floor(math.log10(abs(amount)))
    return f"{amount:,.{digits}f}"
