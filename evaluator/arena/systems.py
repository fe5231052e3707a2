"""Which runs the systems in votes are: by name, and where a run was renamed by its captions.

Votes name systems as their run folders are called. The digests of the captions in a vote tell a run that was
renamed since, and captions that have changed since, which the vote no longer is about.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evaluator.arena.choice import Captions
from evaluator.arena.votes import Vote, caption_digest
from evaluator.comparison.labels import without_common_folder
from evaluator.store.run import Run
from evaluator.store.run_folders import is_run

VOTES = "votes.jsonl"
OF_JUDGES = "votes-*.jsonl"


@dataclass(frozen=True)
class Matched:
    """Votes whose systems are called as the runs are here."""

    votes: Sequence[Vote]
    matched: Mapping[str, str]  # by the name in the votes, that of the run here
    others: Sequence[str]  # systems in the votes that are no run here
    changed: int  # votes on captions that have changed since; they are left out


def names_of(runs: Sequence[Run]) -> list[str]:
    """What votes call the systems: the same in every session, whichever other runs take part."""
    names = [run.name for run in runs]
    return names if len(set(names)) == len(names) else without_common_folder([str(run.path) for run in runs])


def folder_of(runs: Sequence[Run]) -> Path:
    """The folder that the runs lie in."""
    return Path(os.path.relpath(os.path.commonpath([run.path.absolute().parent for run in runs])))


def votes_beside(runs: Sequence[Run]) -> list[Path]:
    """The files of votes in the folder that the runs lie in: people's first, then those of judges."""
    try:
        folder = folder_of(runs)
    except ValueError:  # on Windows, of runs on two drives
        return []
    return [path for pattern in (VOTES, OF_JUDGES) for path in sorted(folder.glob(pattern)) if path.is_file()]


def captions_near(votes: Sequence[Vote], folders: Sequence[Path]) -> Captions | None:
    """The captions of the systems in votes, from run folders of their names; None where there is no run."""
    runs: dict[str, Run] = {}
    for system in dict.fromkeys(name for vote in votes for name in (vote.a, vote.b)):
        if Path(system).is_absolute() or ".." in Path(system).parts:
            continue  # the file may be somebody else's, and leads nowhere but below the folders
        if run := next((Run(path) for folder in folders if is_run(path := folder / system)), None):
            runs[system] = run
    return captions_of(list(runs.values()), list(runs)) if runs else None


def captions_of(runs: Sequence[Run], names: Sequence[str]) -> Captions:
    """What the runs say, each under its name."""
    said: dict[str, dict[str, str]] = defaultdict(dict)
    for run, name in zip(runs, names, strict=True):
        for image, caption in run.captions.items():
            if caption.text is not None:
                said[image][name] = caption.text
    return Captions(said)


def matched(votes: Sequence[Vote], captions: Captions, names: Sequence[Sequence[str]]) -> Matched:
    """The votes in terms of the captions at hand; `names[i]` are those that mean system i of the captions."""
    systems = [each[0] for each in names]
    by_name = {
        name: system
        for system, each in zip(systems, names, strict=True)
        for name in each
        if sum(name in others for others in names) == 1
    }
    voted = list(dict.fromkeys(name for vote in votes for name in (vote.a, vote.b)))
    found = {name: by_name[name] for name in voted if name in by_name}
    free = [system for system in systems if system not in found.values()]
    for name in voted:
        if name not in found and len(fitting := saying_the_same(name, votes, captions, free)) == 1:
            found[name] = fitting[0]
            free.remove(fitting[0])
    renamed = [replace(vote, a=found.get(vote.a, vote.a), b=found.get(vote.b, vote.b)) for vote in votes]
    kept = [vote for vote in renamed if is_about(vote, captions)]
    others = [name for name in voted if name not in found]
    return Matched(kept, found, others, len(renamed) - len(kept))


def saying_the_same(
    name: str, votes: Sequence[Vote], captions: Captions, systems: Sequence[str]
) -> list[str]:
    """The systems whose captions are those that votes on a system of another name were about."""
    digests = {
        (vote.image, digest)
        for vote in votes
        for system, digest in ((vote.a, vote.caption_a), (vote.b, vote.caption_b))
        if system == name and digest
    }
    return [
        system
        for system in systems
        if digests
        and all(
            system in (said := captions.of.get(image, {})) and caption_digest(said[system]) == digest
            for image, digest in digests
        )
    ]


def is_about(vote: Vote, captions: Captions) -> bool:
    """Whether the captions at hand are those that the vote is about, as far as both are known."""
    said = captions.of.get(vote.image, {})
    return all(
        not digest or system not in said or caption_digest(said[system]) == digest
        for system, digest in ((vote.a, vote.caption_a), (vote.b, vote.caption_b))
    )


def votes_on(votes: Sequence[Vote]) -> Counter[str]:
    """How many votes each system has."""
    return Counter(name for vote in votes if vote.is_answer for name in (vote.a, vote.b))
