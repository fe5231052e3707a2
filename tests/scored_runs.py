"""The one maker of scored runs for tests: a run folder with the captions and scores that a test chooses.

    scored_run(tmp_path / "git", {"1": "a dog", "2": "a cat"}, {"CIDEr": [0.5, 0.7]})

Each metric is the mean of its scores, one per captioned image, in the order of the captions. Nothing is
computed by a scorer. What a whole run does is tested through `evaluator.evaluate`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evaluator.core import (
    Caption,
    Item,
    Measurement,
    NotComputed,
    Outcome,
    Reply,
    Results,
    Score,
    Signature,
    Style,
)
from evaluator.store.counts import count_outcomes
from evaluator.store.manifest import Manifest
from evaluator.store.run_folder import RunFolder

CHOICES = {"data": "pets", "model": "git", "prompt": "none"}
IDENTITY: Mapping[str, Mapping[str, Any]] = {"data": {}, "model": {}, "prompt": {"name": "none", "text": ""}}


def scored_run(
    path: Path,
    captions: Mapping[str, str | Caption],
    scores: Mapping[str, Sequence[float]],
    items: Sequence[Item] | None = None,
    *,
    margin: float = 0.02,
    reasons: Mapping[str, str] | None = None,
    signature: str | Mapping[str, str] = "{metric}|v:0",
    higher_is_better: bool = True,
    images_per_second: float | None = None,
    cost_usd: float | None = None,
    style: Style | None = None,
    config: Mapping[str, Any] | None = None,
    **manifest: Any,
) -> Path:
    """Write the run and return its path.

    `margin` is the distance of each interval's ends from the score; `reasons` say why other metrics were not
    computed; `signature` is a pattern or a text per metric; `manifest` holds fields of the Manifest.
    """
    items = items or [Item(item_id, None, (f"a reference of {item_id}",)) for item_id in captions]
    told = {
        item_id: Caption(item_id, Outcome.OK, Reply(caption)) if isinstance(caption, str) else caption
        for item_id, caption in captions.items()
    }
    about = {
        "choices": CHOICES | {"model": path.name},
        "identity": IDENTITY,
        "dataset_digest": "d1",
        "images": len(items),
    }
    folder = RunFolder(path)
    folder.begin(Manifest(**(about | manifest)), config or {}, items)
    with folder.ledger() as ledger:
        for caption in told.values():
            ledger.record(caption)
    measurements = [
        Measurement(
            metric,
            np.array([[value, 1.0] if np.isfinite(value) else [0.0, 0.0] for value in values]),
            "mean",
            Signature(signature.format(metric=metric) if isinstance(signature, str) else signature[metric]),
            higher_is_better,
        )
        for metric, values in scores.items()
    ]
    results = Results(
        images=len(items),
        outcomes=count_outcomes(told.values()),
        scores=tuple(
            Score(
                one.name,
                one.value,
                one.value - margin,
                one.value + margin,
                one.signature,
                higher_is_better,
                images=int(one.scored.sum()),
            )
            for one in measurements
        ),
        not_computed=tuple(NotComputed(metric, reason) for metric, reason in (reasons or {}).items()),
        images_per_second=images_per_second,
        cost_usd=cost_usd,
        style=style,
    )
    ids = [item_id for item_id, caption in told.items() if caption.text is not None]
    folder.write_results(folder.load().scored(results, ids, measurements))
    return path
