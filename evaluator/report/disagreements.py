"""Where metrics disagree, in words: on the order of runs, and on single captions."""

from __future__ import annotations

from evaluator.comparison.comparison import listed
from evaluator.comparison.disagreements import Disagreements, DisputedCaption, DisputedOrder
from evaluator.comparison.metric_agreement import Agreement, format_coefficient

MOST_ORDERS = 5
MOST_CAPTIONS = 3


def disagreement_notes(found: Disagreements) -> list[str]:
    """A sentence for each pair of runs whose order depends on the metric, and one on single captions."""
    notes = [order_sentence(order) for order in found.orders[:MOST_ORDERS]]
    if more := len(found.orders) - len(notes):
        notes.append(f"Metrics disagree on {more:,} more {'pair' if more == 1 else 'pairs'} of runs.")
    if found.agreement:
        notes.append(captions_sentence(found.agreement, found.captions))
    return notes


def order_sentence(order: DisputedOrder) -> str:
    (one, other), (for_one, for_other) = order.runs, order.metrics
    return (
        f"Metrics disagree: {one} is significantly better than {other} by {listed(for_one)}, and "
        f"significantly worse by {listed(for_other)}."
    )


def captions_sentence(agreement: Agreement, captions: tuple[DisputedCaption, ...]) -> str:
    one, other = agreement.least
    among = "Of all pairs of metrics, " if len(agreement.metrics) > 2 else ""
    what = f"agree {'least ' if among else ''}on which captions are good"
    known = f"{among}{one} and {other} {what} (rank correlation {format_coefficient(agreement.lowest)})"
    furthest = [
        f"{each.item_id} of {each.run} ({one} {each.points[0]:.1f}, better than {100 * each.shares[0]:.0f} % "
        f"of the run's captions; {other} {each.points[1]:.1f}, better than {100 * each.shares[1]:.0f} %)"
        for each in captions[:MOST_CAPTIONS]
    ]
    return f"{known}. They are furthest apart on {listed(furthest)}." if furthest else f"{known}."
