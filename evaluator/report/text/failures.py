"""Why images have no caption, for the terminal: the commonest reasons, and what to type."""

from __future__ import annotations

from evaluator.comparison.comparison import Comparison, Row
from evaluator.core.reasons import Reason, failure_reasons
from evaluator.report.summary import FAILURES, count_of_images

MOST_REASONS = 3
LONGEST_MESSAGE = 300


def failure_lines(comparison: Comparison) -> list[str]:
    """For each run with failures, its commonest reasons; empty where every image has a caption."""
    return [line for row in comparison.rows for line in lines_of_run(row)]


def lines_of_run(row: Row) -> list[str]:
    reasons = failure_reasons(row.run.captions.values())
    if not reasons:
        return []
    failed = sum(reason.count for reason in reasons)
    have = "has" if failed == 1 else "have"
    lines = [f"{row.label}: {failed:,} of {count_of_images(row.results.images)} {have} no caption"]
    for reason in reasons[:MOST_REASONS]:
        lines += lines_of_reason(reason)
    if rest := sum(reason.count for reason in reasons[MOST_REASONS:]):
        lines.append(f"  {rest:,} for other reasons, which {row.run.path}/captions.jsonl contains")
    return [*lines, *retry_lines(reasons)]


def lines_of_reason(reason: Reason) -> list[str]:
    message = " ".join(reason.message.split())
    message = message if len(message) <= LONGEST_MESSAGE else message[: LONGEST_MESSAGE - 3] + "..."
    more = ", ..." if reason.count > len(reason.examples) else ""
    images = f"{'image' if reason.count == 1 else 'images'} {', '.join(reason.examples)}{more}"
    said = f": {message}" if message else ""
    lines = [f"  {reason.count:,} {FAILURES[reason.outcome]}{said} ({images})"]
    return [*lines, f"    {reason.advice}"] if reason.advice else lines


def retry_lines(reasons: list[Reason]) -> list[str]:
    """Whether the same command can help."""
    may_pass = sum(reason.count for reason in reasons if reason.may_pass)
    others = sum(reason.count for reason in reasons if reason.can_be_retried) - may_pass
    lines = []
    if may_pass:
        lines.append(f"  the command of the run tries {may_pass:,} of these images again")
    if others:
        lines.append(f"  the command of the run tries {others:,} of them again; first remove the cause")
    return lines
