"""How times are printed."""

from __future__ import annotations


def in_time(seconds: float) -> str:
    """A time to wait.

    >>> in_time(95.2), in_time(754), in_time(12_345)
    ('95 s', '13 min', '3 h 26 min')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
