"""What votes say of the runs of a comparison: ratings under the labels of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluator.arena.choice import Captions
from evaluator.arena.panels import Panel, panels
from evaluator.arena.systems import captions_of, matched, names_of, votes_beside, votes_on
from evaluator.arena.votes import Vote, read_votes
from evaluator.comparison.comparison import Comparison, listed
from evaluator.core.errors import DataError


@dataclass(frozen=True)
class Voted:
    """Ratings by people and by each judge; none where there are no votes."""

    panels: Sequence[Panel] = ()
    warnings: Sequence[str] = ()
    votes: Sequence[Vote] = ()  # all that count, those of judges in both orders
    captions: Captions | None = None  # by the labels of the rows


NO_VOTES = Voted()


def voted_on(comparison: Comparison, files: Sequence[Path] | None = None, must_fit: bool = True) -> Voted:
    """The ratings of the compared runs by the votes in some files, else in those that lie beside the runs.

    A run is found by its label, the name of its folder, or its captions. Raises DataError for files that
    cannot be read or have no vote on these runs. Of files that were found, and without `must_fit`, both are
    warnings.
    """
    runs, labels = [row.run for row in comparison.rows], [row.label for row in comparison.rows]
    paths = votes_beside(runs) if files is None else files
    if not paths:
        return NO_VOTES
    try:
        votes, warnings = read_votes(paths)
    except DataError as error:
        if files is not None and must_fit:
            raise
        return Voted(warnings=(f"the votes are not shown: {error}",))
    captions = captions_of(runs, labels)
    names = [
        tuple(dict.fromkeys((label, name, run.name, run.name.removesuffix(".zip"), str(run.path))))
        for label, name, run in zip(labels, names_of(runs), runs, strict=True)
    ]
    matching = matched(votes, captions, names)
    if matching.changed:
        warnings.append(
            f"{matching.changed:,} votes are on captions that have changed since, and do not count"
        )
    rated = panels(matching.votes, captions)
    if not any(panel.rating(label) for panel in rated for label in labels):
        problem = (
            f"{listed(list(map(str, paths)))}: no vote counts for these runs. The votes are on "
            f"{listed(list(votes_on(votes)) or ['nothing'])}, and the runs are called {listed(labels)}. Call "
            "the systems in the votes as the run folders are called"
        )
        if files is None or not must_fit:
            return Voted(warnings=(*warnings, problem))
        raise DataError(problem)
    voted = votes_on(matching.votes)
    if matching.others and (without := [label for label in labels if not voted[label]]):
        warnings.append(
            f"no vote is on {listed(without)}, and no run here is called {listed(matching.others)}, as "
            "systems in the votes are"
        )
    return Voted(rated, tuple(warnings), matching.votes, captions)
