"""Reports as the web app shows them: written for the runs that were chosen, and kept until one changes."""

from __future__ import annotations

import tempfile
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from evaluator.arena.systems import votes_beside
from evaluator.comparison.compare import compare
from evaluator.report.page.html import write_report
from evaluator.store.run import Run
from evaluator.web.followed_run import file_state

KEPT = 4  # a page of 40,000 images is some 10 MB


class ShownReports:
    """Several threads may ask at once; one report is written at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: OrderedDict[object, bytes] = OrderedDict()

    def page(self, paths: Sequence[Path], picture_folders: Sequence[Path]) -> bytes:
        """The report. Raises StoreError where a run has no scores, or cannot be read."""
        files = ("items.jsonl", "captions.jsonl", "scores.json")
        votes = votes_beside([Run(path) for path in paths])
        state = (
            *((path, *(file_state(path / name) for name in files)) for path in paths),
            *((path, file_state(path)) for path in votes),
        )
        with self._lock:
            if state not in self._pages:
                with tempfile.TemporaryDirectory(prefix="evaluator-") as folder:
                    output = Path(folder) / "report.html"
                    write_report(compare(list(paths)), output, picture_folders=picture_folders)
                    self._pages[state] = output.read_bytes()
            self._pages.move_to_end(state)
            while len(self._pages) > KEPT:
                self._pages.popitem(last=False)
            return self._pages[state]
