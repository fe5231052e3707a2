"""A leaderboard that grows: a folder of kept runs, an index.html about all of them, and a page for each.

    site/index.html          the leaderboard of every run that was added
    site/<run>.html          one run with its pictures, as they were at hand when it was added
    site/runs/<run>.zip      its captions and statistics, without pictures

All links are relative and nothing is loaded from elsewhere: any web host will do, or none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from evaluator.comparison.compare import compare
from evaluator.core.errors import ConfigError, StoreError
from evaluator.report.page.html import write_report
from evaluator.store.run_folder import RunFolder


def add_to_site(paths: Sequence[Path], site: Path, picture_folders: Sequence[Path] = ()) -> Path:
    """Keep these runs, and write their pages and the index. Returns the index.

    The pages show pictures below the folders that the user named. Raises ConfigError where the runs use
    different data sets, or the site would be empty, and StoreError where it cannot be written.
    """
    kept = site / "runs"
    runs = [RunFolder.existing(path).load() for path in paths]
    present = [RunFolder.existing(path).load() for path in sorted(kept.glob("*.zip"))]
    data = {run.manifest.dataset_digest: run.name for run in (*present, *runs)}
    if len(data) > 1:
        raise ConfigError(
            f"{' and '.join(data.values())} use different data sets. A leaderboard compares runs on one "
            "data set: use a separate --site folder for each"
        )
    try:
        kept.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot write the site {site}: {error.strerror}") from error
    for run in runs:
        if run.name == "index":
            raise ConfigError(
                f"{run.path}: the page of a run of this name would replace the index. Rename the folder"
            )
        # The page first: a killed process leaves no run in the index that has no page.
        write_report(compare([run]), site / f"{run.name}.html", picture_folders=picture_folders)
        RunFolder(run.path).export(kept / f"{run.name}.zip")
    everything = sorted(kept.glob("*.zip"))
    if not everything:
        raise ConfigError(
            f"{site} holds no run yet. Type the runs to add: evaluator leaderboard RUN... --site {site}"
        )
    comparison = compare(everything)
    names = [path.stem for path in everything]
    rows = tuple(
        replace(row, label=name) if Path(row.label).suffix == ".zip" else row
        for row, name in zip(comparison.rows, names, strict=True)
    )
    pages = {row.label: f"{name}.html" for row, name in zip(rows, names, strict=True)}
    return write_report(replace(comparison, rows=rows), site / "index.html", pages=pages, with_images=False)
