"""What the scores would be without a finding: the option that removes it, tried out on one cheap metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from evaluator.audit.failure_texts import failure_in
from evaluator.audit.normalizations import normalization
from evaluator.core import Finding, Item, Scorer
from evaluator.core.errors import MetricError

# The first of these that is asked for. All three take a fraction of a second for 5,000 captions.
CHEAP_METRICS = ("CIDEr", "BLEU-4", "ROUGE-L")
# Of many captions, so small a share changes a score by less than is shown, and scoring all again takes long.
MANY, SMALL_SHARE = 10_000, 0.0005


def with_effects(
    findings: Sequence[Finding],
    scorers: Mapping[str, Scorer],
    items: Sequence[Item],
    captions: Sequence[str],
    scores: Mapping[str, float],
) -> tuple[Finding, ...]:
    """The findings with the score that their remedy gives; `captions` are scored, with these `scores`."""
    metric = next((name for name in CHEAP_METRICS if name in scores), "")
    scorer = next((one for one in scorers.values() if metric in one.names), None)
    if scorer is None:
        return tuple(findings)
    references = [item.references for item in items]
    found = []
    for finding in findings:
        if len(captions) > MANY and finding.share < SMALL_SHARE:
            found.append(finding)
            continue
        option, _, value = finding.remedy.partition("=")
        kept, texts = list(items), list(captions)
        if option == "normalize":
            texts = list(map(normalization(value, captions, references), captions))
        elif option == "refusals":
            pairs = [
                (item, text) for item, text in zip(items, captions, strict=True) if failure_in(text) is None
            ]
            kept, texts = [item for item, _ in pairs], [text for _, text in pairs]
        without = score_of(scorer, metric, kept, texts) if texts != list(captions) else None
        if without is not None:
            finding = replace(finding, metric=metric, score=scores[metric], score_without=without)
        found.append(finding)
    return tuple(found)


def score_of(scorer: Scorer, metric: str, items: Sequence[Item], captions: Sequence[str]) -> float | None:
    """One metric's score; None where it cannot be computed."""
    if not captions:
        return None
    try:
        measured = {one.name: one for one in scorer.score(items, captions)}
    except MetricError:
        return None
    value = measured[metric].value
    return value if value == value else None  # only NaN differs from itself
