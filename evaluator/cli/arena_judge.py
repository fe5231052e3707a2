"""`evaluator arena judge RUN RUN --judge MODEL`: a chat model votes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evaluator.cli.console import ExitCode, echo, print_table, warn
from evaluator.cli.options import CONFIG_DIR, PICTURE_FOLDERS, WIDE_TABLE
from evaluator.cli.run_folders import only_runs

if TYPE_CHECKING:
    from evaluator.arena.choice import Question
    from evaluator.arena.pair_judge import PairJudge
    from evaluator.arena.votes import Vote
    from evaluator.core import Runner
    from evaluator.web.arena_session import Contest

OF_THE_JUDGE = "judge."  # how options of its model begin


@dataclass(frozen=True)
class Judges:
    """The judges that were typed, and what their questions pass through."""

    judges: Sequence[PairJudge]
    runner: Runner
    only_plan: bool
    picture_folders: Sequence[Path]

    @property
    def need_pictures(self) -> bool:
        return any(judge.rules.picture for judge in self.judges)

    def show_plan(self, questions: Sequence[Question], contest: Contest, folder: Path) -> None:
        """What the questions without an answer would cost, before any is asked."""
        from evaluator.cli.plan import show
        from evaluator.plan import of_questions

        if not questions:
            return
        asked = [
            (judge, judge.questionnaire(questions, contest.captions, contest.items)) for judge in self.judges
        ]
        plans = [of_questions(judge.rater, each, folder, self.runner) for judge, each in asked]
        show(plans, err=not self.only_plan)

    def votes(self, questions: Sequence[Question], contest: Contest, folder: Path) -> list[JudgesVotes]:
        """Ask each judge what has no answer in the folder yet. Raises an error where one cannot be asked."""
        from evaluator.store.judgements import answered, cost_usd

        for judge in self.judges:
            warn(judge.check(self.runner))
        results = []
        for judge in self.judges:
            asked = judge.questionnaire(questions, contest.captions, contest.items)
            answers = answered(asked, folder, self.runner, cost_usd(folder) or 0.0)
            missing = sum(
                (answer := answers.captions.get(each.id)) is None or answer.outcome.can_be_retried
                for each in asked.questions
            )
            votes = list(judge.votes(questions, contest.captions, contest.items, answers.captions))
            results.append(JudgesVotes(judge.rater, asked.name, votes, missing, answers.cost_usd))
        return results


@dataclass(frozen=True)
class JudgesVotes:
    """What a judge answered, and how much of it is still to come."""

    rater: str
    name: str  # of the folder with its answers
    votes: Sequence[Vote] = field(repr=False)
    missing: int
    cost_usd: float | None

    def say(self, folder: Path, err: bool = False) -> None:
        """How many answers there are, what they have cost, and where they are kept."""
        from evaluator.core.dollars import format_dollars
        from evaluator.store.judgements import folder_name

        unread = sum(not vote.is_answer for vote in self.votes) - self.missing
        cost = "" if self.cost_usd is None else f", {format_dollars(self.cost_usd)}"
        kept = folder / folder_name(self.name)
        echo(f"{self.rater}: {len(self.votes) - self.missing:,} answers{cost}, kept in {kept}", err=err)
        if unread:
            warn([f"{self.rater}: {unread:,} answers choose no caption: no votes, their text is kept"])
        if self.missing:
            missing = f"{self.rater}: {self.missing:,} questions have no answer yet"
            warn([f"{missing}. The same command asks them again"])


def judge_options(rubric: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The command takes --judge and what belongs to it as one `Judges`, and the runs as `paths`."""

    def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def command(
            *,
            arguments: tuple[str, ...],
            names: tuple[str, ...],
            rubric: str,
            only_plan: bool,
            picture_folders: tuple[Path, ...],
            config_dir: Path | None,
            **others: Any,
        ) -> Any:
            overrides = [each for each in arguments if "=" in each and not Path(each).exists()]
            paths = only_runs([Path(each) for each in arguments if each not in overrides])
            judges = judges_of(names, rubric, overrides, config_dir)
            return function(paths=paths, judges=Judges(*judges, only_plan, picture_folders), **others)

        options = (
            CONFIG_DIR,
            PICTURE_FOLDERS,
            click.option("--plan", "only_plan", is_flag=True, help="Show what it would cost; ask nothing."),
            click.option(
                "--rubric",
                default=rubric,
                show_default=True,
                help="What is asked: pair, pair-references, or a YAML file of your own.",
            ),
            click.option(
                "--judge",
                "names",
                multiple=True,
                required=True,
                metavar="MODEL",
                help="A chat model of `evaluator list models`, such as gemini or ollama; may be repeated.",
            ),
            click.argument("arguments", nargs=-1, required=True, metavar="RUN... [OVERRIDES]..."),
        )
        for option in options:
            command = option(command)
        return command

    return decorated


def judges_of(
    names: Sequence[str], rubric: str, overrides: Sequence[str], config_dir: Path | None
) -> tuple[list[PairJudge], Runner]:
    """The judges, and the runner of `evaluator run`. `judge.NAME=VALUE` are options of the judges' models."""
    from evaluator.arena.pair_judge import PairJudge
    from evaluator.config.run_config import run_configs
    from evaluator.config.secret_options import refuse_secrets

    refuse_secrets(overrides)
    own = [each for each in overrides if each.startswith(OF_THE_JUDGE)]
    options = dict(option_of(each) for each in own)
    (config,) = run_configs([each for each in overrides if each not in own], config_dir)
    return [PairJudge(name, rubric, options, config_dir) for name in dict.fromkeys(names)], config.runner


def option_of(override: str) -> tuple[str, Any]:
    """The name and the value of `judge.NAME=VALUE`, a value in YAML. Raises UsageError."""
    import yaml

    name, _, value = override.removeprefix(OF_THE_JUDGE).partition("=")
    try:
        return name, yaml.safe_load(value)
    except yaml.YAMLError as error:
        reason = getattr(error, "problem", None) or error
        raise click.UsageError(f"cannot read {override} as YAML: {reason}") from error


@click.command(name="judge")
@judge_options(rubric="pair")
@click.option(
    "--questions",
    "number",
    type=click.IntRange(min=1),
    help="How many pairs of captions to ask about. Default: those that people voted on, else 200.",
)
@click.option(
    "--votes",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The votes of people; votes.jsonl beside the runs by default.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Draws the other questions."
)
@WIDE_TABLE
def judge_command(
    paths: Sequence[Path], judges: Judges, number: int | None, votes: Path | None, seed: int
) -> ExitCode:
    """Let a chat model vote. Each pair of captions is asked about in both orders.

    evaluator arena judge runs/ours runs/theirs --judge gemini --plan

    It is asked what people were asked. Where its answers to the two orders differ, that is a tie. The votes
    are written to votes-MODEL.jsonl beside the runs. OVERRIDES are options of the judge's model, as in
    judge.temperature=0, and those of `evaluator run`, as in budget_usd=1.
    """
    from evaluator.arena.judge_questions import questions_to_judge
    from evaluator.arena.pair_judge import in_both_orders
    from evaluator.arena.panels import panels
    from evaluator.arena.systems import VOTES, folder_of, names_of
    from evaluator.arena.votes import read_votes, write_votes
    from evaluator.report.text.arena import notes, ratings_table
    from evaluator.store.judgements import FOLDER, folder_name
    from evaluator.store.run import Run
    from evaluator.web.arena_session import contest

    runs = [Run(path) for path in paths]
    if len(runs) < 2:
        raise click.UsageError("type two runs or more: evaluator arena judge RUN RUN --judge MODEL")
    asked_about = contest(runs, names_of(runs), judges.picture_folders, judges.need_pictures)
    beside = folder_of(runs)
    votes = votes or (path if (path := beside / VOTES).exists() else None)
    earlier, warnings = read_votes([votes]) if votes else ([], [])
    warn(warnings)
    people = [vote for vote in earlier if vote.by == "person"]
    questions = in_both_orders(questions_to_judge(asked_about.captions, people, number, seed))
    judges.show_plan(questions, asked_about, beside / FOLDER)
    if judges.only_plan:
        return ExitCode.OK
    answered = judges.votes(questions, asked_about, beside / FOLDER)
    written = []
    for each in answered:
        written.append(beside / f"votes-{folder_name(each.name)}.jsonl")
        write_votes(written[-1], each.votes)
    given = [vote for each in answered for vote in each.votes]
    for panel in panels([*people, *given], asked_about.captions):
        if panel.is_judge:
            print_table(ratings_table(panel))
            for note in notes(panel):
                echo(note)
    for each in answered:
        each.say(beside / FOLDER)
    files = " ".join(map(str, [*([votes] if votes else []), *written]))
    echo(f"the votes are in {files}. Type: evaluator arena results {files}")
    return ExitCode.of(any(each.missing for each in answered))
