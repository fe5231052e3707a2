"""Kendall's tau on 50,000 pairs with 1,000 resamples, beside a plain loop over scipy's kendalltau.

    python benchmarks/trust.py

Ratings from 1 to 4 and a metric that agrees with them a little, five captions an image. scipy gets the rows
of each resample, as a script would give them. It makes fewer resamples, whose values are compared; CPU
seconds are per resample. Readable lines first, one JSON object last.
"""

from __future__ import annotations

import json
import time

import numpy as np
from scipy.stats import kendalltau  # type: ignore[import-untyped]

from evaluator.agreement.correlations import Observations, kendall_tau_c
from evaluator.agreement.trust import draws

PAIRS, CAPTIONS_PER_IMAGE, RESAMPLES, OF_SCIPY = 50_000, 5, 1_000, 50


def observed() -> Observations:
    generator = np.random.default_rng(0)
    people = generator.integers(1, 5, PAIRS).astype(np.float64)
    image = np.repeat(np.arange(PAIRS // CAPTIONS_PER_IMAGE), CAPTIONS_PER_IMAGE)
    return Observations(people + generator.normal(0, 3, PAIRS), people, image)


def main() -> None:
    observations = observed()
    start = time.process_time()
    tau = kendall_tau_c(observations)
    ours = [tau(counts) for counts in draws(observations.images, RESAMPLES, seed=0)]
    our_seconds = time.process_time() - start
    start = time.process_time()
    theirs = []
    for counts in draws(observations.images, OF_SCIPY, seed=0):
        drawn = np.repeat(np.arange(PAIRS), counts[observations.image])
        found = kendalltau(observations.metric[drawn], observations.people[drawn], variant="c")
        theirs.append(float(found.statistic))
    scipy_seconds = (time.process_time() - start) * RESAMPLES / OF_SCIPY
    difference = float(np.abs(np.subtract(ours[:OF_SCIPY], theirs)).max())
    print(f"tau-c of {PAIRS:,} pairs, {RESAMPLES:,} resamples of {observations.images:,} images")
    print(f"here: {our_seconds:.1f} CPU s")
    print(f"scipy in a loop: {scipy_seconds:.0f} CPU s, from {OF_SCIPY} resamples")
    print(f"greatest difference of a value: {difference:.1e}")
    figures = {"ours_cpu_seconds": round(our_seconds, 1), "scipy_cpu_seconds": round(scipy_seconds, 1)}
    ratio = round(scipy_seconds / our_seconds, 1)
    print(json.dumps(figures | {"trust_ratio": ratio, "difference": difference}))


if __name__ == "__main__":
    main()
