"""`evaluator arena auto RUN --baselines A,B,C --judge MODEL`: a system against fixed baselines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from evaluator.cli.arena_judge import Judges, judge_options
from evaluator.cli.console import ExitCode, echo, print_document, print_table
from evaluator.cli.options import WIDE_TABLE, format_option
from evaluator.cli.run_folders import only_runs


@click.command(name="auto")
@judge_options(rubric="pair-references")
@click.option(
    "--baselines",
    multiple=True,
    required=True,
    metavar="RUN,RUN,RUN",
    help="The runs to compare with, or files of `evaluator baseline`.",
)
@click.option("--every", is_flag=True, help="Compare each image with every baseline, not with one of them.")
@click.option("--one-order", is_flag=True, help="Ask each question in one order only, which is drawn.")
@format_option("table", "csv", "json")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.jsonl",
    help="Write the judge's votes, for `evaluator arena results`.",
)
@WIDE_TABLE
def auto_command(
    paths: Sequence[Path],
    judges: Judges,
    baselines: tuple[str, ...],
    every: bool,
    one_order: bool,
    form: str,
    output: Path | None,
) -> ExitCode:
    """Score a system against fixed baselines by a judge, as CapArena-Auto does.

    evaluator arena auto runs/ours --baselines a.zip,b.zip,c.zip --judge gpt --plan

    Each image meets one of the baselines. A comparison that RUN wins counts 1, one that it loses -1, a tie 0.
    The score against a baseline is 100 times their mean, and the score of RUN the mean of the baselines.
    OVERRIDES are options of the judge's model, as in judge.temperature=0, and those of `evaluator run`.
    """
    from evaluator.arena.auto import auto_scores, comparisons, ties_of
    from evaluator.arena.judge_votes import bias, together
    from evaluator.arena.pair_judge import in_both_orders
    from evaluator.arena.systems import folder_of
    from evaluator.arena.votes import write_votes
    from evaluator.report.text.arena import bias_notes
    from evaluator.report.text.arena_auto import FORMATS, auto_notes, auto_table
    from evaluator.store.judgements import FOLDER
    from evaluator.store.run import Run
    from evaluator.web.arena_session import contest

    others = only_runs([Path(path) for listed in baselines for path in listed.split(",") if path])
    if len(paths) != 1 or len(judges.judges) != 1:
        raise click.UsageError(
            "type one run and one judge: evaluator arena auto RUN --baselines A,B,C --judge MODEL"
        )
    runs = [Run(path) for path in (*paths, *others)]
    names = [run.name.removesuffix(".zip") for run in runs]
    if len(set(names)) < len(names):
        raise click.UsageError(f"the runs need different names: {', '.join(names)}")
    system, *fixed = names
    asked_about = contest(runs, names, judges.picture_folders, judges.need_pictures)
    compared = comparisons(asked_about.captions, system, fixed, every)
    alike = ties_of(compared, asked_about.captions)
    questions = [question for question in compared if question not in alike]
    questions = questions if one_order else in_both_orders(questions)
    folder = folder_of(runs[:1])
    judges.show_plan(questions, asked_about, folder / FOLDER)
    if judges.only_plan:
        return ExitCode.OK
    (answered,) = judges.votes(questions, asked_about, folder / FOLDER)
    if output:
        write_votes(output, answered.votes)
    votes = [*together(answered.votes), *alike.values()]
    scores = auto_scores(votes, system, fixed)
    if form == "table":
        print_table(auto_table(scores, system, answered.rater))
        for note in (
            *auto_notes(asked_about.captions, system, fixed, len(alike)),
            *bias_notes(bias(answered.votes, [], asked_about.captions)),
        ):
            echo(note)
    else:
        print_document(FORMATS[form](scores))
    answered.say(folder / FOLDER, err=form != "table")
    return ExitCode.of(bool(answered.missing))
