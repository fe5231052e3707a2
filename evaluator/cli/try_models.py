"""`evaluator try`: a few pictures of a folder, captioned by several models, seen in a browser meanwhile."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import click

from evaluator.cli.console import ExitCode
from evaluator.cli.evaluation import print_evaluation
from evaluator.cli.options import OVERRIDES, RunOptions, run_options
from evaluator.cli.web_app import WebOptions, until_ctrl_c, web_options


@click.command(name="try")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@OVERRIDES
@click.option(
    "--pictures",
    type=click.IntRange(min=1),
    default=12,
    show_default=True,
    help="How many pictures of the folder are captioned, in the order of their names.",
)
@run_options
@web_options
def try_command(
    folder: Path, overrides: tuple[str, ...], pictures: int, options: RunOptions, web: WebOptions
) -> ExitCode:
    """Caption the first pictures of FOLDER with several models, and compare the captions in a browser.

    evaluator try holiday model=git,blip

    No annotations are needed: without references, CLIPScore alone is computed. The page opens at once, shows
    each caption as it is made, and leads to the report at the end. OVERRIDES are those of `evaluator run`,
    and the runs are ordinary ones, in runs/.
    """
    from evaluator.config.compose import quoted
    from evaluator.evaluate import evaluate_prepared
    from evaluator.prepare import prepare
    from evaluator.web.app import web_app
    from evaluator.web.listed_runs import ListedRuns

    typed = ["data=folder", f"data.images={quoted(folder)}", f"limit={pictures}", *overrides]
    configs = options.configs(typed, sweep=True)
    items = configs[0].data.load()
    if not any(item.references for item in items) and not any("scorer" in option for option in overrides):
        configs = options.configs([*typed, "scorer=[clipscore]"], sweep=True)
    prepared = prepare(configs, items)
    runs = ListedRuns(prepared[0].config.settings.runs)
    names = [("run", runs.name_of(one.config.folder)) for one in prepared]
    with web.serving(lambda: web_app(runs), f"/watch?{urlencode(names)}") as served:
        code = print_evaluation(evaluate_prepared(prepared))
        until_ctrl_c(served, "The page stays until you press Ctrl-C")
    return code
