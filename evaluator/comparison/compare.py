"""Several runs side by side.

comparison = compare([Path("runs/demo-tiny-git-none"), Path("runs/demo-tiny-blip-none")])
comparison.rows[0].score("CIDEr").points, comparison.pairs.difference("CIDEr", 0, 1)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from evaluator.comparison.bootstrap import intervals, score_of
from evaluator.comparison.caveats import (
    damage_warnings,
    dataset_warnings,
    empty_warnings,
    metric_names,
    missing_caption_warnings,
    signature_warnings,
    single_image_warnings,
    style_warnings,
    unfinished_warnings,
    unverified_warnings,
)
from evaluator.comparison.comparison import Comparison, Row
from evaluator.comparison.labels import labels
from evaluator.comparison.pairs import PairwiseDifferences, Resampling, SharedImages, compare_pairs
from evaluator.core import Measurement, NotComputed, Results
from evaluator.core.errors import ConfigError
from evaluator.core.metrics import in_order
from evaluator.core.spelling import did_you_mean
from evaluator.store.run import Run
from evaluator.store.run_folder import RunFolder


def compare(
    runs: Sequence[Run | Path | str],
    baseline: Path | str | None = None,
    on_all: bool = False,
    resampling: Resampling | None = None,
    rank_by: str | None = None,
    names: Mapping[str, str] | None = None,
) -> Comparison:
    """Compare scored runs on the images that all of them captioned.

    With `on_all` each run's scores are those of its own images; differences are over the shared images
    anyway. `rank_by` is the metric that decides the order; `names` gives runs other names:
    `{"runs/git-3f2a": "GIT"}`. Raises StoreError for a folder that is not a run, ConfigError for a run given
    twice, a baseline that is not among the runs, a metric that no run has, and a name that fits no run.
    """
    paths = [run.path if isinstance(run, Run) else Path(run) for run in runs]
    loaded = [run if isinstance(run, Run) else RunFolder.existing(Path(run)).load() for run in runs]
    base = index_of_baseline(paths, baseline)
    rows = tuple(
        Row(run, label, run.results, index)
        for index, (run, label) in enumerate(zip(loaded, labels(loaded, paths, names or {}), strict=True))
    )
    metrics = metric_names(rows)
    rank_by = rank_by and known_metric(rows, rank_by)
    resampling = resampling or Resampling(confidence=rows[0].results.confidence)
    if warnings := dataset_warnings(rows):
        return Comparison(
            rows, metrics, (*warnings, *caveats(rows)), incomparable(len(rows)), base, rank_by=rank_by
        )
    pairs = compare_pairs(loaded, resampling)
    warnings = missing_caption_warnings(rows, pairs.shared)
    on_shared_images = bool(warnings) and not on_all
    if on_shared_images:
        rows = tuple(
            replace(row, results=rescored(row.results, measured, resampling))
            for row, measured in zip(rows, pairs.measurements, strict=True)
        )
    return Comparison(rows, metrics, (*warnings, *caveats(rows)), pairs, base, on_shared_images, rank_by)


def known_metric(rows: Sequence[Row], typed: str) -> str:
    """A metric that some run has a score on, in capitals or not. Raises ConfigError for any other."""
    names = [score.name for row in rows for score in row.results.scores]
    if found := next((name for name in names if name.lower() == typed.lower()), None):
        return found
    raise ConfigError(
        f"no run has a score on {typed!r}.{did_you_mean(typed, names)} They have {', '.join(in_order(names))}"
    )


def index_of_baseline(paths: Sequence[Path], baseline: Path | str | None) -> int:
    """Raises ConfigError for a path given twice, and for a baseline that is not among them."""
    resolved = [path.resolve() for path in paths]
    for index, path in enumerate(resolved):
        if path in resolved[:index]:
            raise ConfigError(f"{paths[index]} is given twice: type each run once")
    if baseline is None:
        return 0
    if Path(baseline).resolve() not in resolved:
        raise ConfigError(f"the baseline {baseline} is not among the runs that are compared")
    return resolved.index(Path(baseline).resolve())


def incomparable(runs: int) -> PairwiseDifferences:
    """No differences at all: the runs are over different data."""
    return PairwiseDifferences(SharedImages(measurements=({},) * runs))


def caveats(rows: Sequence[Row]) -> list[str]:
    return [
        *empty_warnings(rows),
        *unfinished_warnings(rows),
        *single_image_warnings(rows),
        *damage_warnings(rows),
        *signature_warnings(rows),
        *unverified_warnings(rows),
        *style_warnings(rows),
    ]


def rescored(results: Results, measured: Mapping[str, Measurement], resampling: Resampling) -> Results:
    """The scores over the images that all runs captioned; coverage, speed and style stay the run's own."""
    finite = {name: one for name, one in measured.items() if math.isfinite(one.value)}
    bounds = intervals(
        list(finite.values()),
        resampling.resamples,
        resampling.confidence,
        resampling.seed,
        resampling.method,
    )
    scores = dict(zip(finite, map(score_of, finite.values(), bounds), strict=True))
    lost = [
        NotComputed(name, "no image that all runs captioned could be scored")
        for name in measured
        if name not in finite
    ]
    return replace(
        results,
        scores=tuple(
            replace(scores[one.name], cost_usd=one.cost_usd) if one.name in scores else one
            for one in results.scores
            if one.name not in measured.keys() - finite.keys()
        ),
        not_computed=(*results.not_computed, *lost),
    )
