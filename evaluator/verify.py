"""Whether the metrics of this installation give the numbers of the original programs.

Two dozen captions with their references, and what pycocoevalcap 1.2 (with its Java tokenizer and METEOR 1.5)
gives them, come with the package: known_values.json.

>>> checks = verify(["BLEU"])
>>> [(check.metric, check.agrees) for check in checks][:2]
[('BLEU-1', True), ('BLEU-2', True)]
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluator.api import score
from evaluator.core.errors import MetricError

KNOWN = Path(__file__).parent / "scorers" / "known_values.json"
METRICS = ("BLEU", "METEOR", "ROUGE-L", "CIDEr")

# The same operations in another order differ in the last digits of a float64.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Check:
    """One metric: what the original program gave, what this installation gives, or why it gives nothing."""

    metric: str
    expected: float
    got: float | None
    reason: str = ""

    @property
    def difference(self) -> float | None:
        return None if self.got is None else self.got - self.expected

    @property
    def agrees(self) -> bool:
        return self.difference is not None and abs(self.difference) <= TOLERANCE


def verify(metrics: Sequence[str] = METRICS) -> list[Check]:
    """A check for each number known of these metrics."""
    known = json.loads(KNOWN.read_bytes())
    captions = [image["caption"] for image in known["images"]]
    references = [image["references"] for image in known["images"]]
    checks: list[Check] = []
    for metric in metrics:
        expected = {name: value for name, value in known["expected"].items() if name.startswith(metric)}
        try:
            measured = score(captions, references, metrics=[metric])
            checks += [Check(name, value, measured[name].value) for name, value in expected.items()]
        except MetricError as error:
            checks += [Check(name, value, None, str(error)) for name, value in expected.items()]
    return checks
