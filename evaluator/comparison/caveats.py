"""What to know before comparing runs: other data, missing captions, other recipes, other styles."""

from __future__ import annotations

from collections.abc import Sequence

from evaluator.audit.findings import sentence
from evaluator.comparison.comparison import Row
from evaluator.comparison.pairs import SharedImages
from evaluator.core import Outcome, Signature, Style
from evaluator.core.lead import LENGTH_LIMIT, SENTENCES_LIMIT
from evaluator.core.metrics import in_order
from evaluator.core.signature import REMOVED

# Above these shares of the captions, and this length relative to the references, the style of the captions
# affects the scores as much as their content.
STYLE_LIMITS = {
    "preamble": (0.05, 'begin with a preamble such as "The image shows"'),
    "markdown": (0.05, "contain markdown"),
    "several_sentences": (SENTENCES_LIMIT, "have several sentences"),
    "other_script": (0.05, "contain letters that are not Latin"),
}
WITHOUT_STYLE = {"preamble": "strip_preamble", "several_sentences": "first_sentence"}  # normalizations
STYLE_EFFECT = "This style lowers scores against short references"
UNVERIFIED = ("SPICE",)


def dataset_warnings(rows: Sequence[Row]) -> list[str]:
    """Runs over different images or references are not comparable."""
    digests: dict[str, list[str]] = {}
    for row in rows:
        digests.setdefault(row.manifest.dataset_digest, []).append(row.label)
    if len(digests) < 2:
        return []
    names = " against ".join(", ".join(labels) for labels in digests.values())
    return [f"the runs use different images or references ({names}): do not compare them"]


def unverified_warnings(rows: Sequence[Row]) -> list[str]:
    """Metrics whose numbers were compared with no published ones in this project."""
    shown = [name for name in UNVERIFIED if any(row.score(name) for row in rows)]
    return [f"{name} is not verified: no published score was reproduced with it here" for name in shown]


def missing_caption_warnings(rows: Sequence[Row], shared: SharedImages) -> list[str]:
    """Which runs keep images out of the comparison, and why."""
    if len(rows) < 2:
        return []
    images = max(row.results.images for row in rows)
    own_images = list(zip(rows, shared.own_images, strict=True))
    without = [
        f"{row.label} has no caption at all and is left out of the comparison"
        for row, own in own_images
        if not own
    ]
    if shared.are_all:
        return without
    reasons = [
        f"{row.label} has no caption for {row.results.images - row.results.captioned:,} ({failures})"
        for row, own in own_images
        if 0 < own < images and (failures := failure_counts(row))
    ]
    whose = "all other runs" if without else "all runs"
    return [
        f"compared on the {len(shared.ids):,} of {images:,} images that {whose} captioned: "
        f"{'; '.join(reasons)}",
        *without,
    ]


def unfinished_warnings(rows: Sequence[Row]) -> list[str]:
    """Runs that ended early, whose scores are of some images only."""
    return [
        f"{row.label}: {images - row.results.not_tried:,} of {images:,} images; the run is not finished"
        for row in rows
        if row.results.not_tried and (images := row.results.images)
    ]


def empty_warnings(rows: Sequence[Row]) -> list[str]:
    """Runs whose model answered with nothing most of the time: their scores say little of the model."""
    empty = {row.label: (row.results.outcomes.get(Outcome.EMPTY, 0), row.results.images) for row in rows}
    return [
        f"{label}: {count:,} of {images:,} captions are empty: the model answered with nothing. "
        "Its prompt may not have the form that it was made for; prompt=auto chooses one that has"
        for label, (count, images) in empty.items()
        if count and 2 * count >= images
    ]


def single_image_warnings(rows: Sequence[Row]) -> list[str]:
    """Runs that were scored on one image: however often it is drawn, the score stays the same."""
    alone = [row.label for row in rows if {score.images for score in row.results.scores} == {1}]
    if not alone:
        return []
    return [f"{', '.join(alone)}: scores of one image, whose intervals say nothing about other images"]


def failure_counts(row: Row) -> str:
    return ", ".join(f"{count:,} {outcome}" for outcome, count in row.results.failures.items())


def signature_warnings(rows: Sequence[Row]) -> list[str]:
    """A metric with different signatures is two metrics; those that differ in the same parts share a line."""
    metrics: dict[tuple[str, ...], list[str]] = {}
    for metric in metric_names(rows):
        signatures = {parts_of(score.signature): None for row in rows if (score := row.score(metric))}
        if len(signatures) > 1:
            common = set.intersection(*map(set, signatures))
            own = ["|".join(part for part in parts if part not in common) for parts in signatures]
            metrics.setdefault(tuple(own), []).append(metric)
    return [
        f"not computed in the same way in all runs: {', '.join(names)} ({' against '.join(own)})"
        for own, names in metrics.items()
    ]


def parts_of(signature: Signature) -> tuple[str, ...]:
    """Without what was removed from the captions: that is by the same rule in each run."""
    return tuple(part for part in signature.split("|") if not part.startswith(f"{REMOVED}:"))


def metric_names(rows: Sequence[Row]) -> tuple[str, ...]:
    """Every metric that a run was asked for, in the order of the tables."""
    return tuple(in_order(metric for row in rows for metric in row.results.metrics))


def damage_warnings(rows: Sequence[Row]) -> list[str]:
    """What is wrong with the captions of each run."""
    return [
        f"{row.label}: {sentence(finding, has_references(row))}"
        for row in rows
        for finding in row.results.findings
    ]


def has_references(row: Row) -> bool:
    return any(item.references for item in row.run.items)


def style_warnings(rows: Sequence[Row]) -> list[str]:
    """Runs whose scores depend on how their captions are written as much as on what they say."""
    return [
        f"{row.label}: {', '.join(remarks)}. {STYLE_EFFECT}{style_advice(style)}"
        for row in rows
        if (style := row.results.style) and style.reference_words_mean and (remarks := style_remarks(style))
    ]


def style_advice(style: Style) -> str:
    """What to type for scores without the style, where a normalization would change many captions."""
    names = [name for what, name in WITHOUT_STYLE.items() if getattr(style, what) >= STYLE_LIMITS[what][0]]
    return f"; normalize={' or '.join(names)} shows by how much" if names else ""


def style_remarks(style: Style) -> list[str]:
    remarks = [
        f"{100 * share:.0f} % of its captions {what}"
        for name, (limit, what) in STYLE_LIMITS.items()
        if (share := getattr(style, name)) >= limit
    ]
    theirs = style.reference_words_mean
    if theirs and style.words_mean >= LENGTH_LIMIT * theirs:
        remarks.append(f"its captions have {style.words_mean:.1f} words, the references {theirs:.1f}")
    return remarks
