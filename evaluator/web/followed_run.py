"""One run while it is made: what was appended since the last look is read, and nothing is read twice."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluator.audit.findings import damage, sentence
from evaluator.audit.style import audit
from evaluator.core import Caption, Finding, Item, Outcome, Style
from evaluator.store.attempts import Attempts
from evaluator.store.counts import images_per_second, known_sum
from evaluator.store.formats import caption_from_line, request_from_line
from evaluator.store.new_lines import NewLines
from evaluator.store.request_log import NAME as REQUESTS
from evaluator.store.request_log import RequestLine, booked_usd
from evaluator.store.run import Run
from evaluator.store.run_folders import is_being_written

# The rate is that of the last captions, as the progress bar's is.
RECENT_CAPTIONS = 500
# The audit looks at the newest captions: it is done again and again.
AUDITED = 2_000
# It takes at most this share of the time.
AUDIT_SHARE = 0.1


@dataclass(frozen=True)
class Progress:
    """How far a run is."""

    state: str  # running, scoring, complete, incomplete or not scored
    images: int
    tried: int
    failures: Mapping[Outcome, int]
    cached: int
    cost_usd: float | None
    images_per_second: float | None
    seconds_left: float | None  # None where nothing is running, or no rate is known


@dataclass(frozen=True)
class Writing:
    """How the newest captions are written."""

    captions: int
    style: Style
    findings: tuple[Finding, ...]
    has_references: bool

    @property
    def sentences(self) -> list[str]:
        return [sentence(finding, self.has_references) for finding in self.findings]


class FollowedRun:
    """A run of a folder. Several threads may ask at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.RLock()
        self._captions = NewLines(path / "captions.jsonl", caption_from_line)
        self._requests = NewLines(path / REQUESTS, request_from_line)
        self._items_state: tuple[int, ...] | None = None
        self._begin()

    def _begin(self) -> None:
        self.lines: list[Caption] = []  # every attempt, in the order of the file
        self.latest: dict[str, Caption] = {}
        self._answered_usd: float | None = None
        self._unsettled: dict[int, RequestLine] = {}
        self._settled: set[int] = set()
        self._writing: Writing | None = None
        self._audited = 0  # lines
        self._audit_at = 0.0

    def look(self) -> None:
        """Read what is new. Raises StoreError for files that this program does not write."""
        with self.lock:
            self._load_items()
            # The requests first: a caption names requests that were written down before it.
            requests_are_others, requests = self._requests.read()
            captions_are_others, captions = self._captions.read()
            if requests_are_others or captions_are_others:  # deleted and begun again
                self._captions = NewLines(self._captions.path, caption_from_line)
                self._requests = NewLines(self._requests.path, request_from_line)
                self._begin()
                requests, captions = self._requests.read()[1], self._captions.read()[1]
            for caption in captions:
                self.lines.append(caption)
                self.latest[caption.item_id] = caption
                self._settled.update(caption.requests)
                for number in caption.requests:
                    self._unsettled.pop(number, None)
            self._answered_usd = known_sum(
                [self._answered_usd, *(booked_usd(caption.cost_usd) for caption in captions)]
            )
            self._unsettled |= {line.request: line for line in requests if line.request not in self._settled}

    def _load_items(self) -> None:
        """The run's images; read again where a later command has other ones."""
        state = file_state(self.path / "items.jsonl")
        if state is None or state != self._items_state:
            self.run = Run(self.path)
            self.items: Sequence[Item] = self.run.items
            self.number_of = {item.id: number for number, item in enumerate(self.items)}
            self._items_state = state

    @property
    def progress(self) -> Progress:
        with self.lock:
            tried = [self.latest[item.id] for item in self.items if item.id in self.latest]
            outcomes = Counter(caption.outcome for caption in tried)
            cost_usd = Attempts({}, self._answered_usd, self._unsettled).cost_usd
            rate = images_per_second(self.lines[-RECENT_CAPTIONS:])
        is_written = is_being_written(self.path)
        left = len(self.items) - len(tried)
        return Progress(
            state=state_of(is_written, left, outcomes, is_scored(self.path)),
            images=len(self.items),
            tried=len(tried),
            failures={each: count for each, count in outcomes.most_common() if each is not Outcome.OK},
            cached=sum(caption.source == "cache" for caption in tried),
            cost_usd=cost_usd,
            images_per_second=rate,
            seconds_left=left / rate if is_written and left and rate else None,
        )

    @property
    def writing(self) -> Writing | None:
        """How the captions so far are written; None before the first. It may be some seconds old."""
        with self.lock:
            if self._audited != len(self.lines) and time.monotonic() >= self._audit_at:
                start = time.monotonic()
                self._writing, self._audited = self._audit(), len(self.lines)
                end = time.monotonic()
                self._audit_at = end + (end - start) / AUDIT_SHARE
            return self._writing

    def _audit(self) -> Writing | None:
        newest = {caption.item_id: self.latest[caption.item_id] for caption in self.lines[-AUDITED:]}
        items = [self.items[self.number_of[each]] for each in newest if each in self.number_of]
        texts = [(text, item) for item in items if (text := newest[item.id].text) is not None]
        if not texts:
            return None
        references = [item.references for _, item in texts]
        style = audit([text for text, _ in texts], references)
        return Writing(len(texts), style, damage(items, newest, False), any(references))


def state_of(is_written: bool, left: int, outcomes: Mapping[Outcome, int], has_scores: bool) -> str:
    """What a run is doing; `left` images were not tried.

    >>> failed = {Outcome.ERROR: 1}
    >>> state_of(True, 3, {}, False), state_of(True, 0, failed, False), state_of(True, 0, {}, False)
    ('running', 'running', 'scoring')
    >>> state_of(False, 0, failed, True), state_of(False, 0, {}, True), state_of(False, 0, {}, False)
    ('incomplete', 'complete', 'not scored')
    """
    can_get_more = left > 0 or any(outcome.can_be_retried for outcome in outcomes)
    if is_written:
        return "running" if can_get_more else "scoring"
    if can_get_more:
        return "incomplete"
    return "complete" if has_scores else "not scored"


def file_state(path: Path) -> tuple[int, ...] | None:
    """What changes with a file's content: its inode, its size and the time of its last change."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def is_scored(path: Path) -> bool:
    """Whether scores.json is newer than the captions. Who compares runs checks their digests as well."""
    scores, captions = file_state(path / "scores.json"), file_state(path / "captions.jsonl")
    return scores is not None and captions is not None and scores[-1] >= captions[-1]
