"""The runs of a folder, as the web app lists them. Nothing else can be reached from a browser.

A name that comes from a browser is looked up among the names that were listed, and is never part of a path.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluator.core import Score
from evaluator.core.errors import StoreError
from evaluator.core.metrics import LEAD, metric_of
from evaluator.report.page.named_folders import NamedFolders
from evaluator.report.text.runs import FROM_A_FILE
from evaluator.store.run import Run
from evaluator.store.run_folders import is_being_written, runs_below
from evaluator.web.followed_run import FollowedRun, Progress, file_state, is_scored, state_of

# Runs whose captions are kept in memory, those that were asked for last.
MOST_FOLLOWED = 24
# What a run's state depends on.
STATE_FILES = ("manifest.json", "items.jsonl", "captions.jsonl", "requests.jsonl", "scores.json")


@dataclass(frozen=True)
class Summary:
    """What the list says of a run; empty where that is not known."""

    name: str
    model: str = ""
    data: str = ""
    started: str = ""  # ISO 8601
    progress: Progress | None = None
    scores: tuple[Score, ...] = ()  # the headline metrics
    problem: str = ""  # why the run cannot be read


class NoSuchRun(LookupError):
    """A name that is not in the list."""


class ListedRuns:
    """The runs in a folder and in its folders. Several threads may ask at once."""

    def __init__(self, folder: Path, picture_folders: Sequence[Path] = ()) -> None:
        self.folder = folder
        self._paths: Mapping[str, Path] = {}
        self.picture_folders = tuple(picture_folders)
        self._named = NamedFolders(self.picture_folders)
        self._lock = threading.Lock()
        self._followed: OrderedDict[Path, FollowedRun] = OrderedDict()
        self._summaries: dict[Path, tuple[object, Summary]] = {}

    def paths(self) -> Mapping[str, Path]:
        """By name, as they are in the folder now."""
        found = runs_below(self.folder) if self.folder.is_dir() else []
        self._paths = {self.name_of(path): path for path in found if path.is_dir()}
        return self._paths

    def name_of(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix() if path != self.folder else path.absolute().name

    def path(self, name: str) -> Path:
        """Raises NoSuchRun."""
        path = self._paths.get(name) or self.paths().get(name)
        if path is None:
            raise NoSuchRun(name)
        return path

    def followed(self, name: str) -> FollowedRun:
        """The run with all that it holds now. Raises NoSuchRun, and StoreError where it cannot be read."""
        path = self.path(name)
        with self._lock:
            run = self._followed.setdefault(path, FollowedRun(path))
            self._followed.move_to_end(path)
            while len(self._followed) > MOST_FOLLOWED:
                self._followed.popitem(last=False)
        run.look()
        return run

    def summaries(self) -> list[Summary]:
        """All runs, those that are running first, then the newest."""
        found = [self._summary(name, path) for name, path in self.paths().items()]
        found.sort(key=lambda one: (bool(one.progress and one.progress.state == "running"), one.started))
        return found[::-1]

    def picture(self, name: str, number: int) -> Path | None:
        """Where the picture of a run's image lies; None where there is none, or it must not be shown."""
        run = self.followed(name)
        return self.allowed_picture(run, number) if number < len(run.items) else None

    def allowed_picture(self, run: FollowedRun, number: int) -> Path | None:
        """The same, by the rules of the report."""
        return self._named.picture(run.items[number], run.run)

    def _summary(self, name: str, path: Path) -> Summary:
        """Read again only where something has changed."""
        is_written = is_being_written(path)
        state = (is_written, *(file_state(path / each) for each in STATE_FILES))
        with self._lock:
            known, summary = self._summaries.get(path, (None, None))
        if summary is None or known != state:
            summary = self._read_summary(name, path, is_written)
            with self._lock:
                self._summaries[path] = state, summary
        return summary

    def _read_summary(self, name: str, path: Path, is_written: bool) -> Summary:
        try:
            run = Run(path)
            manifest = run.manifest
            about = (
                FROM_A_FILE.get(manifest.choices["model"], manifest.choices["model"]),
                manifest.dataset or manifest.choices["data"],
                manifest.environment.started,
            )
            try:
                if not is_written and is_scored(path):
                    return Summary(
                        name, *about, recorded_progress(run), headline(run.recorded_results.scores)
                    )
                return Summary(name, *about, self.followed(name).progress)
            except StoreError as error:
                return Summary(name, *about, problem=str(error))
        except (StoreError, NoSuchRun) as error:
            return Summary(name, problem=str(error))


def recorded_progress(run: Run) -> Progress:
    """How far a scored run is: what scores.json says, for which no caption is read."""
    results = run.recorded_results
    return Progress(
        state=state_of(False, results.not_tried, results.outcomes, True),
        images=results.images,
        tried=results.images - results.not_tried,
        failures=results.failures,
        cached=0,
        cost_usd=results.cost_usd,
        images_per_second=results.images_per_second,
        seconds_left=None,
    )


def headline(scores: Sequence[Score]) -> tuple[Score, ...]:
    """The scores that tables lead with, the best known first; all where none of them is there."""
    by_name = {score.name: score for score in scores}
    names = [*LEAD, *(name for name in by_name if metric_of(name).headline)]
    shown = tuple(by_name[name] for name in dict.fromkeys(names) if name in by_name)
    return shown or tuple(scores)
