"""The table of metrics."""

from __future__ import annotations

import re
from pathlib import Path

from evaluator.core.metrics import METRICS


def test_agreement_with_people_is_what_the_docs_say() -> None:
    """The first column of docs/trust.md, such as `| CIDEr | **43.9** (41.7–45.9) |`."""
    docs = (Path(__file__).parents[2] / "docs" / "trust.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\w-]+) \| \**([\d.]+)\** \(", docs, re.MULTILINE)
    assert {metric.name: metric.agreement for metric in METRICS if metric.agreement} == {
        name: float(points) for name, points in rows
    }
