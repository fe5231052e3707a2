"""`evaluator judge-check`: how far a judge can be trusted, on captions at hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from evaluator.cli.console import ExitCode, echo, print_document, print_table, warn
from evaluator.cli.options import CONFIG_DIR, WIDE_TABLE, format_option, resamples_option
from evaluator.cli.run_folders import only_runs

if TYPE_CHECKING:
    from evaluator.core import Item
    from evaluator.store.run import Run


@click.command(name="judge-check")
@click.argument("arguments", nargs=-1, required=True, metavar="RUN... [OVERRIDES]...")
@click.option(
    "--sample", type=click.IntRange(2), default=100, show_default=True, help="How many captions to ask about."
)
@click.option(
    "--draws", type=click.IntRange(1), default=2, show_default=True, help="How often the same is asked."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the sample.")
@resamples_option(100)
@click.option("--plan", "only_plan", is_flag=True, help="Show what the questions would cost; ask nothing.")
@format_option("table", "markdown", "csv", "json")
@WIDE_TABLE
@CONFIG_DIR
def judge_check_command(
    arguments: tuple[str, ...],
    sample: int,
    draws: int,
    seed: int,
    resamples: int,
    only_plan: bool,
    form: str,
    config_dir: Path | None,
) -> ExitCode:
    """Measure what a judge's scores depend on, on captions of some runs.

    Another draw, the order of the references, a preamble, an irrelevant sentence, the length, whose
    model wrote the caption, another judge: each figure has an interval.

    evaluator judge-check runs/* scorer.judge.model=[gemini,gpt-mini] --sample 200

    OVERRIDES are those of `evaluator run`: scorer.judge.rubric=picture, budget_usd=1.
    """
    from evaluator.agreement.judge_check import findings, questions_for, samples_for
    from evaluator.cli.plan import show
    from evaluator.config.run_config import run_configs
    from evaluator.files.cache_folder import cache_folder
    from evaluator.plan import of_questions
    from evaluator.report.text.judge_check import FORMATS, judge_check_table
    from evaluator.scorers.judge.judge import Judge
    from evaluator.store.judgements import FOLDER, answered, cost_usd
    from evaluator.store.run import Run

    overrides = [argument for argument in arguments if "=" in argument and not Path(argument).exists()]
    runs = [Run(path) for path in only_runs([Path(each) for each in arguments if each not in overrides])]
    (config,) = run_configs(["scorer=[judge]", *overrides], config_dir)
    judges = [scorer for scorer in config.scorers.values() if isinstance(scorer, Judge)]
    if not runs or not judges:
        raise click.UsageError("type run folders and scorer.judge.model=NAME")
    samples = samples_for([(model_of(run), captions_of(run)) for run in runs], sample, seed)
    folder = cache_folder(FOLDER) / "judge-check"
    asked = [(judge, questions_for(judge, samples, draws)) for judge in judges]
    show(
        [of_questions(judge.label, questions, folder, config.runner) for judge, questions in asked],
        err=not only_plan,
    )
    if only_plan:
        return ExitCode.OK
    for judge in judges:
        warn(judge.check(config.runner))
    answers = []
    for judge, questions in asked:
        attempts = answered(questions, folder, config.runner, cost_usd(folder) or 0.0)
        answers.append((judge, attempts.captions))
    measured = findings(answers, samples, draws, resamples, seed)
    if form == "table":
        print_table(judge_check_table(measured))
        echo(f"the answers are kept in {folder}")
    else:
        print_document(FORMATS[form](measured))
    return ExitCode.OK


def captions_of(run: Run) -> list[tuple[Item, str]]:
    """The captions of a run; pictures only where they are of this machine, since a judge sends them away."""
    from dataclasses import replace

    pairs = ((item, run.captions.get(item.id)) for item in run.items)
    return [
        (item if run.has_own_items else replace(item, image=None), caption.text)
        for item, caption in pairs
        if caption and caption.text
    ]


def model_of(run: Run) -> str:
    """The model that wrote the captions; of a captions file, the run's name."""
    identity, choice = run.manifest.identity["model"], run.manifest.choices["model"]
    named = identity.get("model") or identity.get("checkpoint")
    return str(named or (run.name if choice == "replay" else choice))
