"""Correlations that papers report, to stand beside the measured ones."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "published.yaml"


def published(collection: str) -> dict[tuple[str, str], float]:
    """(metric, statistic) -> points, of one collection; empty where nothing is known."""
    return {
        (row["metric"], statistic): float(points)
        for row in _rows().get(collection, ())
        for statistic, points in row.items()
        if statistic not in ("metric", "source")
    }


@cache
def _rows() -> Mapping[str, list[dict[str, Any]]]:
    import yaml

    rows: Mapping[str, list[dict[str, Any]]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return rows
