"""The table of what can be wrong with captions, and the words for each finding.

    >>> references = [("a cat",), ("a bus",), ("men",), ("a dog",)]
    >>> texts = Texts.of("1234", ["a cat", "nan", "", "a dog"], references)
    >>> [(found.kind, found.count, found.of) for found in find_damage(texts)]
    [('empty', 1, 4), ('tool_failure', 1, 4)]
    >>> sentence(find_damage(texts)[1]).partition(". ")[0]
    '25 % of its captions (1 of 4) are failure texts of a program, such as "nan"'

Every finder is linear in the text. docs/damage.md explains each finding and its threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from evaluator.audit.markers import chat_markers, chat_turns, reasoning, removed_reasoning
from evaluator.audit.not_captions import empty, not_captions, printed_lists
from evaluator.audit.other_images import misplaced
from evaluator.audit.refusals import refusals
from evaluator.audit.repetition import repetition
from evaluator.audit.sameness import few_different, same_references
from evaluator.audit.shared_ends import shared_endings, shared_starts
from evaluator.audit.texts import Texts
from evaluator.audit.tool_failures import tool_failures
from evaluator.audit.writing import unicode_forms, unknown_scripts
from evaluator.core import Caption, Finding, Item, Results
from evaluator.core.metrics import in_points

# In the order in which findings are listed.
FINDERS: tuple[Callable[[Texts], Finding | None], ...] = (
    empty,
    refusals,
    tool_failures,
    reasoning,
    chat_markers,
    chat_turns,
    printed_lists,
    not_captions,
    shared_starts,
    shared_endings,
    repetition,
    few_different,
    unicode_forms,
    unknown_scripts,
    same_references,
    misplaced,
)
AS_MISSING = "refusals=missing"
SHOWN = 80  # characters of a caption in a sentence


@dataclass(frozen=True)
class Kind:
    """The words for one kind of damage, and which option shows the scores without it."""

    saying: str  # behind "94 % of its captions (4,698 of 5,000)"; {} is the text that was found
    remedy: str = ""
    beside: str = ""  # added where there are references


UNLIKE_REFERENCES = ", and the references do not"

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "empty": Kind("are empty"),
        "refusal": Kind("are refusals in words, such as {}", AS_MISSING),
        "tool_failure": Kind("are failure texts of a program, such as {}", AS_MISSING),
        "reasoning": Kind("begin with a model's reasoning: {}", "normalize=strip_markers"),
        "removed_reasoning": Kind(
            "began with a model's reasoning, such as {}; it is not scored, and kept in captions.jsonl"
        ),
        "chat_marker": Kind("contain chat markers: {}", "normalize=strip_markers"),
        "chat_turns": Kind("repeat the question of the prompt, such as {}"),
        "printed_list": Kind("are lists or objects as a program prints them, such as {}", "normalize=unwrap"),
        "not_a_caption": Kind("hold no word of a caption (numbers, ids, file names, signs), such as {}"),
        "shared_start": Kind("begin with {}", "normalize=strip_shared_start", UNLIKE_REFERENCES),
        "shared_end": Kind("end with {}", "normalize=strip_shared_end", UNLIKE_REFERENCES),
        "repetition": Kind("repeat a phrase again and again, such as {}"),
        "few_different": Kind("are the same: {}"),
        "unicode_form": Kind(
            "write accents in another Unicode form than the references, such as {}", "normalize=unicode_form"
        ),
        "unknown_script": Kind(
            "are in a script whose words the tokenizer cannot tell apart, such as {}: BLEU, ROUGE-L, METEOR "
            "and CIDEr mean nothing for them"
        ),
        "same_references": Kind(
            "have the same references, such as {}: the scores do not say which caption fits which image"
        ),
        "shifted": Kind(
            "fit the references of {} better than their own: is a line missing or doubled? Their scores mean "
            "nothing"
        ),
        "other_images": Kind(
            "fit the references of other images as well as their own, taken together: their scores mean "
            "nothing. Are the captions of this data set, and in its order?"
        ),
    }
)
# What explains by itself that captions do not fit their images.
EXPLANATIONS = frozenset({"unknown_script", "few_different", "same_references"})
# Texts that are no captions, and what is not worth saying of them as well.
NO_CAPTIONS = frozenset({"refusal", "tool_failure", "printed_list", "not_a_caption"})
OF_CAPTIONS = frozenset({"shared_start", "shared_end", "few_different", "other_images"})


def find_damage(texts: Texts) -> tuple[Finding, ...]:
    """What is wrong with the captions. Nothing without captions."""
    if not texts.captions:
        return ()
    found = [
        replace(finding, remedy=KINDS[finding.kind].remedy)
        for find in FINDERS
        if (finding := find(texts)) is not None
    ]
    explained = any(finding.kind in EXPLANATIONS for finding in found)
    return tuple(
        finding
        for finding in found
        if not (explained and finding.kind == "other_images") and not is_said_already(finding, found)
    )


def is_said_already(finding: Finding, found: Sequence[Finding]) -> bool:
    """Whether it is about texts that another finding calls no captions: together they are more than all."""
    return finding.kind in OF_CAPTIONS and any(
        other.kind in NO_CAPTIONS and other.count + finding.count > finding.of for other in found
    )


def damage(
    items: Sequence[Item], captions: Mapping[str, Caption], refusals_are_missing: bool
) -> tuple[Finding, ...]:
    """What is wrong with a run's captions, by item id; failures have been counted already."""
    attempted = [(item, captions[item.id]) for item in items if item.id in captions]
    rows = [
        (item.id, text, item.references) for item, caption in attempted if (text := caption.text) is not None
    ]
    found = find_damage(Texts.of(*zip(*rows, strict=True))) if rows else ()
    if refusals_are_missing:
        found = tuple(replace(one, remedy="") if one.remedy == AS_MISSING else one for one in found)
    removed = removed_reasoning(caption for _, caption in attempted)
    return (*found, removed) if removed else found


def refusals_are_missing(results: Results) -> bool:
    """Whether refusals and failure texts were scored as missing captions."""
    return any(
        KINDS[one.kind].remedy == AS_MISSING and not one.remedy
        for one in results.findings
        if one.kind in KINDS
    )


def sentence(finding: Finding, has_references: bool = True) -> str:
    """The finding in words, and what its remedy would change."""
    kind = KINDS.get(finding.kind) or Kind(f"show {finding.kind}: {{}}")  # of a later version
    shown = finding.text if len(finding.text) <= SHOWN else f"{finding.text[: SHOWN - 1]}…"
    saying = kind.saying.replace("{}", shown if finding.kind == "shifted" else f'"{shown}"')
    saying += kind.beside if has_references else ""
    share = f"{100 * finding.share:.0f} %" if finding.share >= 0.01 else "under 1 %"
    of = "images" if finding.kind == "same_references" else "captions"
    if kind.remedy == AS_MISSING and not finding.remedy:
        saying += "; they count as missing"
    return f"{share} of its {of} ({finding.count:,} of {finding.of:,}) {saying}{_effect(finding)}"


def _effect(finding: Finding) -> str:
    if not finding.remedy:
        return ""
    if finding.score is None or finding.score_without is None:
        return f". Type {finding.remedy} for the scores without"
    before, after = in_points(finding.score), in_points(finding.score_without)
    if f"{before:.1f}" == f"{after:.1f}":
        return ""
    return f". With {finding.remedy}, {finding.metric} is {after:.1f} instead of {before:.1f}"
