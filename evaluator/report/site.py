"""A leaderboard that grows: a folder of kept runs, an index.html about all of them, and a page for each.

    site/index.html          the leaderboard of every run that was added
    site/compare.html        the captions of all runs, to compare any two of them
    site/<run>.html          one run
    site/pictures/           pictures of a few images, as they were at hand when runs were added
    site/runs/<run>.zip      a run's captions and statistics, without pictures
    site/votes.jsonl         people's and judges' votes on the runs, without the names of people
    site/site.yaml           what its owner wrote about the site and the systems

All links are relative and nothing is loaded from elsewhere: any web host will do, or none.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from evaluator.arena.systems import VOTES, votes_beside
from evaluator.arena.voted import NO_VOTES, Voted, voted_on
from evaluator.arena.votes import without_names, write_votes
from evaluator.comparison.compare import compare
from evaluator.comparison.comparison import Comparison
from evaluator.comparison.remeasure import human_baseline
from evaluator.core.errors import ConfigError, StoreError
from evaluator.report.page.frame import Frame
from evaluator.report.page.gallery import gallery
from evaluator.report.page.html import report_page, warn_of_withheld, write_page
from evaluator.report.page.pictures import Pictures, pictures_of_site
from evaluator.report.site_file import SiteFile, read_site_file
from evaluator.report.text.external import ExternalResult, human_result, published_results
from evaluator.store.run import Run
from evaluator.store.run_folder import RunFolder

logger = logging.getLogger(__name__)

INDEX, COMPARE = "index", "compare"
BACK = {"All runs": f"{INDEX}.html"}


def add_to_site(
    paths: Sequence[Path],
    site: Path,
    picture_folders: Sequence[Path] = (),
    with_published: bool = False,
    with_human: bool = False,
    votes: Sequence[Path] | None = None,
) -> Path:
    """Keep these runs, and write their pages, the index and the page that compares them. Returns the index.

    Pictures below the folders that the user named are kept of a few images. `votes` are files of the arena,
    else those that lie beside the runs; they take the place of the votes that the site has. Raises
    ConfigError where the runs use different data sets, or the site would be empty, DataError for a site.yaml
    or votes that cannot be used, and StoreError where the site cannot be written.
    """
    kept = site / "runs"
    runs = [RunFolder.existing(path).load() for path in paths]
    present = [RunFolder.existing(path).load() for path in sorted(kept.glob("*.zip"))]
    check_data([*present, *runs])
    written = read_site_file(site)
    try:
        kept.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot write the site {site}: {error.strerror}") from error
    for run in runs:
        if run.name in (INDEX, COMPARE):
            raise ConfigError(
                f"{run.path}: the page of a run of this name would replace {run.name}.html. Rename the folder"
            )
        # The page first: a killed process leaves no run in the index that has no page.
        frame = Frame(links=BACK, about={run.name: about} if (about := written.runs.get(run.name)) else {})
        write_with_images(compare([run]), site, run.name, frame, picture_folders)
        RunFolder(run.path).export(kept / f"{run.name}.zip")
    everything = sorted(kept.glob("*.zip"))
    if not everything:
        raise ConfigError(
            f"{site} holds no run yet. Type the runs to add: evaluator leaderboard RUN... --site {site}"
        )
    comparison = by_file_names(compare(everything), everything)
    voted = votes_of_site(comparison, site / VOTES, runs, votes)
    if len(everything) > 1:
        write_with_images(comparison, site, COMPARE, Frame(links=BACK), picture_folders, voted)
    frame = frame_of_index(comparison, written, external_results(comparison, with_published, with_human))
    index = site / f"{INDEX}.html"
    write_page(index, report_page(comparison.best_first, None, Pictures(), frame, voted))
    return index


def votes_of_site(
    comparison: Comparison, kept: Path, new_runs: Sequence[Run], votes: Sequence[Path] | None
) -> Voted:
    """What votes say of the site's runs: votes in files or beside new runs, which are kept, else its own."""
    files = votes_beside(new_runs) if votes is None and new_runs else votes or []
    found = voted_on(comparison, files, must_fit=votes is not None)
    if found.panels:
        found = replace(found, votes=tuple(without_names(found.votes)))
        names = {row.label: row.run.name.removesuffix(".zip") for row in comparison.rows}
        renamed = (
            replace(vote, a=names.get(vote.a, vote.a), b=names.get(vote.b, vote.b)) for vote in found.votes
        )
        write_votes(kept, renamed)
    elif kept.exists():
        found = voted_on(comparison, [kept], must_fit=False)
    for warning in found.warnings:
        logger.warning("%s", warning)
    return found


def check_data(runs: Sequence[Run]) -> None:
    """Raises ConfigError for runs over different data sets."""
    data = {run.manifest.dataset_digest: run.name for run in runs}
    if len(data) > 1:
        raise ConfigError(
            f"{' and '.join(data.values())} use different data sets. A leaderboard compares runs on one "
            "data set: use a separate --site folder for each"
        )


def write_with_images(
    comparison: Comparison,
    site: Path,
    name: str,
    frame: Frame,
    picture_folders: Sequence[Path],
    voted: Voted = NO_VOTES,
) -> None:
    """A page with the captions of some runs, and with the pictures that the site has."""
    output, comparison = site / f"{name}.html", comparison.best_first
    shown = gallery(comparison, picture_folders)
    if shown.withheld and name != COMPARE:
        warn_of_withheld(shown, output)
    pictures = pictures_of_site(shown, site / "pictures")
    write_page(output, report_page(comparison, shown, pictures, frame, voted))


def by_file_names(comparison: Comparison, paths: Sequence[Path]) -> Comparison:
    """The kept runs, called by the names of their files where nothing better tells them apart."""
    rows = tuple(
        replace(row, label=path.stem) if Path(row.label).suffix == ".zip" else row
        for row, path in zip(comparison.rows, paths, strict=True)
    )
    return replace(comparison, rows=rows)


def frame_of_index(comparison: Comparison, written: SiteFile, external: Sequence[ExternalResult]) -> Frame:
    names = {row.label: row.run.name.removesuffix(".zip") for row in comparison.rows}
    return Frame(
        title=written.title,
        description=written.description,
        links={"Compare captions": f"{COMPARE}.html"} if len(names) > 1 else {},
        pages={label: f"{name}.html" for label, name in names.items()},
        about={label: written.runs[name] for label, name in names.items() if name in written.runs},
        external=external,
    )


def external_results(
    comparison: Comparison, with_published: bool, with_human: bool
) -> Sequence[ExternalResult]:
    """A person's row, and those of papers where the runs cover the same split as a whole."""
    found = []
    if with_human and comparison.pairs.ids:
        scores, _, images = human_baseline(comparison.base_row.run, comparison.pairs.ids, comparison.computed)
        found.append(human_result(scores, images))
    covered = {row.whole_dataset for row in comparison.rows}
    return [*found, *(row for row in published_results() if with_published and row.data in covered)]
