"""What the pages of runs show, as JSON: texts that a script puts into the page as text, and nothing else."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from evaluator.comparison.labels import labels
from evaluator.core import Caption, Item, Outcome, Score, Style
from evaluator.core.dollars import format_dollars
from evaluator.core.duration import in_time
from evaluator.core.errors import StoreError
from evaluator.core.secrets import known_secrets
from evaluator.files.images import is_file
from evaluator.report.formatting import format_interval, format_points
from evaluator.report.redact import redacted
from evaluator.store.request_log import booked_usd
from evaluator.web.followed_run import FollowedRun, Progress, Writing
from evaluator.web.listed_runs import ListedRuns, NoSuchRun, Summary

NEWEST = 40  # images that a page begins with, and gets at a time
MOST_REASONS = 8
MOST_REFERENCES = 10
LONGEST_TEXT = 4_000  # characters
LONGEST_REASON = 400


def runs_document(runs: ListedRuns) -> dict[str, Any]:
    return {"folder": str(runs.folder), "runs": [summary_document(each) for each in runs.summaries()]}


def summary_document(summary: Summary) -> dict[str, Any]:
    return {
        "name": summary.name,
        "model": summary.model,
        "data": summary.data,
        "started": summary.started[:10],
        "scores": [score_document(score) for score in summary.scores],
        "problem": shortened(redacted(summary.problem), LONGEST_REASON),
        **(progress_document(summary.progress) if summary.progress else {"state": "unreadable"}),
    }


def score_document(score: Score) -> dict[str, str]:
    return {"metric": score.name, "points": format_points(score), "interval": format_interval(score)}


def progress_document(progress: Progress) -> dict[str, Any]:
    """Numbers for the bar, and texts; an empty text stands for what is not known."""
    rate = progress.images_per_second
    return {
        "state": progress.state,
        "images": progress.images,
        "tried": progress.tried,
        "failures": ", ".join(f"{count:,} {outcome}" for outcome, count in progress.failures.items()),
        "cached": f"{progress.cached:,} from the cache" if progress.cached else "",
        "cost": "" if progress.cost_usd is None else format_dollars(progress.cost_usd),
        "rate": "" if rate is None else f"{rate:.1f} images/s" if rate >= 1 else f"{rate:.2g} images/s",
        "left": "" if progress.seconds_left is None else f"{in_time(progress.seconds_left)} left",
    }


def watch_document(runs: ListedRuns, names: Sequence[str], after: Sequence[int] | None) -> dict[str, Any]:
    """How far some runs are, and the images whose captions are new.

    `after` is how many lines of each run the page knows already; None for a page that begins. A run that has
    not begun yet is not in the list of runs, and waited for.
    """
    after = after or [0] * len(names)
    shown: list[tuple[str, FollowedRun]] = []
    documents: list[dict[str, Any]] = []
    reached: list[int] = []
    new: dict[str, Item] = {}  # by the card's key
    for name, known in zip(names, after, strict=True):
        try:
            run = runs.followed(name)
        except NoSuchRun:
            documents.append({"name": name, "state": "not begun"})
            reached.append(0)
            continue
        except StoreError as error:
            problem = shortened(redacted(str(error)), LONGEST_REASON)
            documents.append({"name": name, "state": "unreadable", "problem": problem})
            reached.append(0)
            continue
        lines = list(run.lines)
        shown.append((name, run))
        documents.append({"name": name, **progress_document(run.progress), **details(run)})
        reached.append(len(lines))
        for line in lines[known if known <= len(lines) else 0 :][-NEWEST:]:
            if line.item_id in run.number_of:
                item = run.items[run.number_of[line.item_id]]
                new[key_of(item)] = item
    labelled = dict(zip([name for name, _ in shown], labels([run.run for _, run in shown]), strict=True))
    cards = [card(runs, shown, labelled, key, item) for key, item in new.items()]
    return {
        "runs": [{"label": labelled.get(one["name"], one["name"]), **one} for one in documents],
        "after": reached,
        "cards": cards,
    }


def details(run: FollowedRun) -> dict[str, Any]:
    """Why images got no caption, and how the captions are written."""
    failed = [each for each in run.latest.values() if each.outcome is not Outcome.OK]
    counts = Counter((each.outcome, reason_of(each)) for each in failed)
    writing = run.writing
    return {
        "reasons": [
            {"outcome": outcome, "reason": reason, "count": count}
            for (outcome, reason), count in counts.most_common(MOST_REASONS)
        ],
        "audited": writing.captions if writing else 0,
        "style": style_sentences(writing) if writing else [],
        "findings": [redacted(each) for each in writing.sentences] if writing else [],
    }


def style_sentences(writing: Writing) -> list[str]:
    """The style in words; what occurs in no caption is left out."""
    style: Style = writing.style
    theirs = style.reference_words_mean
    length = f"{style.words_mean:.1f} words per caption"
    shares = (
        (style.preamble, "begin with a preamble"),
        (style.markdown, "hold Markdown"),
        (style.several_sentences, "have several sentences"),
        (style.other_script, "hold letters of another script"),
    )
    return [
        length + (f", {theirs:.1f} per reference" if theirs is not None else ""),
        *(f"{100 * share:.0f} % {what}" for share, what in shares if share),
    ]


def card(
    runs: ListedRuns,
    shown: Sequence[tuple[str, FollowedRun]],
    labelled: Mapping[str, str],
    key: str,
    item: Item,
) -> dict[str, Any]:
    """One image with what each run said."""
    having = [
        (name, run, run.number_of[item.id])
        for name, run in shown
        if item.id in run.number_of and run.items[run.number_of[item.id]].references == item.references
    ]
    pictures = (
        {"run": name, "image": number}
        for name, run, number in having
        if (path := runs.allowed_picture(run, number)) and is_file(path)
    )
    picture = next(pictures, None)
    return {
        "key": key,
        "id": shortened(item.id, LONGEST_REASON),
        "picture": f"/picture?{urlencode(picture)}" if picture else "",
        "references": [shortened(each, LONGEST_TEXT) for each in item.references[:MOST_REFERENCES]],
        "answers": [
            {"run": labelled[name], **answer(run.latest[item.id])}
            for name, run, _ in having
            if item.id in run.latest
        ],
    }


def answer(caption: Caption) -> dict[str, Any]:
    cost_usd = booked_usd(caption.cost_usd)
    took = [f"{caption.seconds:.1f} s", *([format_dollars(cost_usd)] if cost_usd is not None else [])]
    return {
        "caption": None
        if caption.text is None
        else shortened(known_secrets().scrubbed(caption.text), LONGEST_TEXT),
        "outcome": caption.outcome,
        "reason": reason_of(caption),
        "took": {"cache": "from the cache", "file": "from a file"}.get(caption.source) or ", ".join(took),
    }


def reason_of(caption: Caption) -> str:
    return shortened(redacted(caption.error), LONGEST_REASON)


def key_of(item: Item) -> str:
    """The same for the same image in several runs: its id and its references."""
    return hashlib.sha256(json.dumps([item.id, item.references]).encode()).hexdigest()[:20]


def shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
