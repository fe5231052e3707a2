"""Why images have no caption: which failures are alike, how many there are, and what to type.

Failures are alike where they have the same outcome, and messages that differ in nothing but numbers, file
names and ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from evaluator.core.values import Caption, Outcome

# How the message of an image begins that was given up after several attempts.
GAVE_UP = re.compile(r"^[\w ]+ \(\d+ attempts\): ")
PICTURE_NAME = re.compile(r"(?i)^.{0,300}?\.(?:jpe?g|png|webp|gif|bmp|tiff?|avif|heic|heif|ppm)\b")
PATH = re.compile(r"\S*[/\\]\S*")
WITH_DIGITS = re.compile(r"[\w.-]*\d[\w.-]*")
LONGEST_MESSAGE = 400
EXAMPLES = 3

# What a message means for the user, the first that fits; all of them are searched without regard to case.
ADVICE = tuple(
    (re.compile(pattern, re.IGNORECASE), advice)
    for pattern, advice in (
        (
            r"context (length|window|size)|too many (input )?tokens|prompt is too long",
            "Type a smaller model.longest_side=... or a smaller model.max_output_tokens=...",
        ),
        (
            r"at most 0 image|not support (\w+ )?(image|vision)|support image input|not a multimodal|"
            r"image input is not",
            "This model takes no pictures: serve or choose one that does",
        ),
        (
            r"\b413\b|(entity|payload|request|image|file)( size)?( is)? too large|image exceeds",
            "Type a smaller model.longest_side=... or a smaller model.jpeg_quality=...",
        ),
        (
            r"process (the )?(input )?image|invalid image|decode (the )?image|"
            r"image (data|format|type|url) (is|could|not)",
            "Open the picture and look at it: convert it to JPEG, or leave the image out",
        ),
        (r"no such file|has no picture", "Type data.images=DIR with the folder that holds the pictures"),
        (
            r"^timeout|no answer within",
            "Type a larger runner.requests.attempt_seconds=... or a smaller runner.requests.in_flight=...",
        ),
        (
            r"^(rate limit|overloaded)\b",
            "Type runner.requests.per_minute=... with the limit of your account, or a smaller "
            "runner.requests.in_flight=...",
        ),
    )
)
ADVICE_FOR_OUTCOMES = {
    Outcome.SKIPPED: "Type a larger budget_usd=...",
    Outcome.TRUNCATED: "Type a larger model.max_output_tokens=..., or a prompt that asks for one sentence",
}


@dataclass(frozen=True)
class Reason:
    """Failures that are alike."""

    outcome: Outcome
    message: str  # of the first of them
    count: int
    examples: tuple[str, ...]  # the ids of some of their images
    in_file: bool  # a captions file says so, and says it again

    @property
    def advice(self) -> str:
        """What to type; empty where the message says it, or where nothing is known to help."""
        if self.in_file or "type " in self.message.lower():
            return ""
        return advice(self.outcome, self.message)

    @property
    def can_be_retried(self) -> bool:
        """Whether the same command tries these images again."""
        return self.outcome.can_be_retried and not self.in_file

    @property
    def may_pass(self) -> bool:
        """Whether the same command can get these captions although nothing else has changed."""
        return self.can_be_retried and bool(GAVE_UP.match(self.message))


def failure_reasons(captions: Iterable[Caption]) -> list[Reason]:
    """The reasons of all captions that failed, the most frequent first.

    >>> failed = [Caption(name, Outcome.ERROR, error=f"my/{name}.jpg: the file is empty") for name in "ab"]
    >>> [(reason.count, reason.message) for reason in failure_reasons(failed)]
    [(2, 'my/a.jpg: the file is empty')]
    """
    alike: dict[tuple[Outcome, str], list[Caption]] = {}
    for caption in captions:
        if caption.outcome is not Outcome.OK:
            alike.setdefault(kind_of_failure(caption), []).append(caption)
    reasons = [
        Reason(
            outcome,
            same[0].error,
            len(same),
            tuple(each.item_id for each in same[:EXAMPLES]),
            same[0].source == "file",
        )
        for (outcome, _), same in alike.items()
    ]
    return sorted(reasons, key=lambda reason: -reason.count)


def kind_of_failure(caption: Caption) -> tuple[Outcome, str]:
    """What failures have in common that are alike."""
    message = caption.error[:LONGEST_MESSAGE]
    for pattern in (PICTURE_NAME, PATH, WITH_DIGITS):
        message = pattern.sub("*", message)
    if caption.item_id:
        message = re.sub(rf"(?<!\w){re.escape(caption.item_id)}(?!\w)", "*", message)
    return caption.outcome, message


def advice(outcome: Outcome, message: str) -> str:
    """What to type after a failure with this message; empty where nothing is known to help.

    >>> advice(Outcome.ERROR, "413: Request Entity Too Large")
    'Type a smaller model.longest_side=... or a smaller model.jpeg_quality=...'
    """
    found = (said for pattern, said in ADVICE if pattern.search(message[:LONGEST_MESSAGE]))
    return ADVICE_FOR_OUTCOMES.get(outcome) or next(found, "")
