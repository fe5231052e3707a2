"""10,000 resamples of 5,000 images, ten metrics, two systems, beside scipy's bootstrap metric by metric.

    python benchmarks/significance.py

The statistics have the shapes of BLEU-1 to 4, METEOR, ROUGE-L, CIDEr, SPICE, CLIPScore and RefCLIPScore.
scipy is given each metric's score as a vectorised function of drawn images, as its documentation recommends.
Readable lines first, one JSON object last.
"""

from __future__ import annotations

import json
import time

import numpy as np
from scipy.stats import bootstrap  # type: ignore[import-untyped]

from evaluator.comparison.bootstrap import intervals
from evaluator.core import AGGREGATES, Array, Measurement

IMAGES, RESAMPLES, SYSTEMS = 5_000, 10_000, 2


def measurements(seed: int) -> list[Measurement]:
    generator = np.random.default_rng(seed)
    totals = generator.integers(6, 14, (IMAGES, 1)) - np.arange(4)
    matches = np.sort(generator.integers(0, totals + 1), axis=1)[:, ::-1]
    bleu = np.hstack([np.minimum(matches, totals), totals, totals[:, :1], totals[:, :1] + 1]).astype(float)
    meteor = np.zeros((IMAGES, 23))
    meteor[:, :2] = totals[:, :1]
    meteor[:, [4, 5, 21, 22]] = matches[:, :1]
    meteor[:, 20] = generator.integers(1, 5, IMAGES)
    means = generator.random((5, IMAGES))
    return [
        *(Measurement(f"BLEU-{order}", bleu, f"bleu-{order}", "") for order in range(1, 5)),
        Measurement("METEOR", meteor, "meteor", ""),
        *(
            Measurement(name, np.column_stack([values, np.ones(IMAGES)]), "mean", "")
            for name, values in zip(
                ("ROUGE-L", "CIDEr", "SPICE", "CLIPScore", "RefCLIPScore"), means, strict=True
            )
        ),
    ]


def scipys(measurement: Measurement) -> tuple[float, float]:
    aggregate = AGGREGATES[measurement.aggregate]

    def score(drawn: Array, axis: int) -> Array:
        return aggregate(measurement.statistics[drawn].sum(axis=-2))

    found = bootstrap(
        (np.arange(IMAGES),),
        score,
        n_resamples=RESAMPLES,
        batch=100,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(found.low), float(found.high)


def main() -> None:
    systems = [measurements(seed) for seed in range(SYSTEMS)]
    together = [measurement for system in systems for measurement in system]
    start = time.perf_counter()
    found = intervals(together, RESAMPLES)
    ours = time.perf_counter() - start
    start = time.perf_counter()
    theirs = [scipys(measurement) for measurement in together]
    scipy_seconds = time.perf_counter() - start
    print(f"{len(together)} scores, {RESAMPLES:,} resamples of {IMAGES:,} images: {ours:.2f} s")
    print(f"scipy, one score after the other: {scipy_seconds:.1f} s")
    widths = [(a.high - a.low) / (b[1] - b[0]) for a, b in zip(found, theirs, strict=True)]
    print(f"widths of the intervals, ours over scipy's: {min(widths):.2f} to {max(widths):.2f}")
    figures = {"ours_seconds": round(ours, 2), "scipy_seconds": round(scipy_seconds, 1)}
    print(json.dumps(figures | {"bootstrap_ratio": round(scipy_seconds / ours, 1)}))


if __name__ == "__main__":
    main()
