"""What a run's scores were computed from, scorer by scorer: while it stays, nothing is computed again.

A command that asks for one metric keeps the others of the same captions, so each scorer has its own digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any
from urllib.parse import quote, unquote

from evaluator.config.identity import identity
from evaluator.config.settings import Settings
from evaluator.core import Caption, Item, Outcome, Scorer
from evaluator.files.json_bytes import encode_json, encode_list
from evaluator.version import __version__


@dataclass(frozen=True)
class Fingerprint:
    """Digests of the items and captions, of the intervals' options, and of each scorer with its options."""

    inputs: str
    intervals: str
    scorers: Mapping[str, str]

    def __str__(self) -> str:
        scorers = (f"{quote(name)}={digest}" for name, digest in sorted(self.scorers.items()))
        return " ".join([self.inputs, self.intervals, *scorers])

    @classmethod
    def parse(cls, text: str) -> Fingerprint | None:
        """What scores.json holds; None for that of version 0.1.0, one digest of everything.

        >>> str(Fingerprint.parse("1f 2e my%20own=3d"))
        '1f 2e my%20own=3d'
        """
        inputs, _, rest = text.partition(" ")
        intervals, *scorers = rest.split(" ")
        if not intervals:
            return None
        pairs = (scorer.partition("=") for scorer in scorers)
        return cls(inputs, intervals, {unquote(name): digest for name, _, digest in pairs})


def fingerprint(
    items: Sequence[Item],
    captions: Mapping[str, Caption],
    scorers: Mapping[str, Scorer],
    settings: Settings,
) -> Fingerprint:
    """Of the scores that these scorers give to these captions."""
    pictures = _digest_of(encode_list(str(item.image) for item in items))
    given = encode_list([item.id, item.references] for item in items)
    answers = encode_list(map(_answer, captions.values()))
    rules = encode_json([settings.missing, settings.refusals])[:-1]
    return Fingerprint(
        inputs=_digest_of(chain([rules, b","], given, [b","], answers, [b"]"])),
        intervals=_digest([__version__, settings.resamples, settings.confidence, settings.seed]),
        scorers={
            name: _digest([__version__, identity(scorer), pictures, settings.normalize])
            for name, scorer in scorers.items()
        },
    )


def _answer(caption: Caption) -> list[Any]:
    # The time of a failure is part of no score, and another attempt takes another time.
    seconds = caption.seconds if caption.outcome is Outcome.OK else 0.0
    return [caption.item_id, str(caption.outcome), caption.text, seconds]


def _digest(document: Any) -> str:
    return _digest_of([encode_json(document)])


def _digest_of(pieces: Iterable[bytes]) -> str:
    hashed = hashlib.sha256()
    for piece in pieces:
        hashed.update(piece)
    return hashed.hexdigest()[:16]
