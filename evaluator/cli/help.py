"""`evaluator --help`: the commands by what they are for, with an example of each."""

from __future__ import annotations

from collections.abc import Mapping

import click

# What one wants to do -> the commands for it, each with what to type.
JOBS: Mapping[str, Mapping[str, str]] = {
    "Caption and score": {
        "run": "evaluator run model=git,blip data=coco data.images=val2017 ...",
        "score": "evaluator score captions.json --references refs.json",
        "caption": "evaluator caption holiday/ photo.jpg model=gemini",
        "try": "evaluator try holiday/ model=git,blip",
        "plan": "evaluator plan model=gemini,gpt data=folder data.images=DIR",
        "merge": "evaluator merge runs/coco-git-none-shard*",
        "sweep": "evaluator sweep model=git,blip prompt=none,photo",
    },
    "Compare and report": {
        "runs": "evaluator runs",
        "view": "evaluator view",
        "compare": "evaluator compare runs/ours runs/theirs",
        "leaderboard": "evaluator leaderboard runs/* --format latex",
        "report": "evaluator report runs/ours --output report.html",
        "regress": "evaluator regress runs/before runs/after --gate 'CIDEr>=-1.0'",
        "judge-check": "evaluator judge-check runs/ours scorer.judge.model=gemini",
        "trust": "evaluator trust cider meteor --judgements flickr8k-expert=DIR",
        "arena": "evaluator arena runs/ours runs/theirs",
        "baseline": "evaluator baseline runs/ours --output ours.zip",
    },
    "Look up and set up": {
        "list": "evaluator list models; evaluator list model/git",
        "filter": "evaluator filter runs/ours --output fitting.json",
        "data": "evaluator data fetch coco-val2017",
        "doctor": "evaluator doctor",
        "verify-metrics": "evaluator verify-metrics",
        "cache": "evaluator cache",
        "idf": "evaluator idf my-data data=coco data.annotations=refs.json",
    },
}


class CommandsByJob(click.Group):
    """A group whose help says what each command is for."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, self.commands)) + 2
        for job, examples in JOBS.items():
            with formatter.section(job):
                for name, example in examples.items():
                    summary = first_sentence(self.commands[name])
                    indent = " " * (formatter.current_indent + width)
                    formatter.write(
                        click.formatting.wrap_text(
                            summary, formatter.width, f"{'':{formatter.current_indent}}{name:{width}}", indent
                        )
                    )
                    formatter.write(f"\n{indent}{example}\n")


def first_sentence(command: click.Command) -> str:
    """What a command does, uncut, unlike click's own short help."""
    paragraph = " ".join((command.help or "").partition("\n\n")[0].split())
    return paragraph.partition(". ")[0].removesuffix(".") + "."
