"""`evaluator plan`: what a run would need, before anything is paid for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from evaluator.cli.console import echo
from evaluator.cli.options import OVERRIDES, RunOptions, run_options
from evaluator.core.dollars import format_amount, format_dollars
from evaluator.core.duration import in_time

if TYPE_CHECKING:
    from evaluator.plan import Plan

COLUMNS = ("model", "images", "input tokens", "output tokens", "US dollars", "minutes")


@click.command(name="plan")
@OVERRIDES
@run_options
def plan_command(overrides: tuple[str, ...], options: RunOptions) -> None:
    """Estimate the images, tokens, money and minutes of a run; nothing is sent.

    OVERRIDES are those of `evaluator run`; model=a,b estimates each model.
    """
    from evaluator.plan import plans as planned

    show([one for config in options.configs(overrides, sweep=True) for one in planned(config)])


def show(plans: Sequence[Plan], err: bool = False) -> None:
    """The table, and what its numbers are based on."""
    counted = "images or questions" if any(each.is_judge for each in plans) else "images"
    columns = tuple(counted if column == "images" else column for column in COLUMNS)
    rows = [(name, *cells(each)) for name, each in zip(names(plans), plans, strict=True)]
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    for row in (columns, *rows):
        first, *others = (
            f"{cell:{'<' if number == 0 else '>'}{width}}"
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        echo("  ".join([first, *others]).rstrip(), err=err)
    for line in notes(plans):
        echo(line, err=err)


def cells(plan: Plan) -> tuple[str, ...]:
    """One row of the table, without its name."""
    tokens = [
        "-" if bounds is None else between(bounds, short)
        for bounds in (plan.input_tokens, plan.output_tokens)
    ]
    unpriced = "free" if plan.is_local else "not known"
    money = unpriced if plan.cost_usd is None else between(plan.cost_usd, format_amount)
    minutes = "-" if plan.minutes is None else f"{plan.minutes:,.1f}"
    return (f"{plan.images:,}", *tokens, money, minutes)


def names(plans: Sequence[Plan]) -> list[str]:
    """The models, with their prompts where a model has several."""
    prompts: dict[str, set[str]] = {}
    for plan in plans:
        prompts.setdefault(plan.label, set()).add(plan.prompt)
    return [f"{one.label} {one.prompt}" if len(prompts[one.label]) > 1 else one.label for one in plans]


def between(bounds: tuple[float, float], form: Callable[[float], str]) -> str:
    """`2 to 3`, or `2` where both bounds look the same."""
    least, most = map(form, bounds)
    return least if least == most else f"{least} to {most}"


def short(number: float) -> str:
    """A number of tokens with three digits, which are enough for an estimate.

    >>> short(9_500), short(16_000), short(128_450), short(1_290_000)
    ('9,500', '16k', '128k', '1.29M')
    """
    if number < 10_000:
        return f"{number:,.0f}"
    scaled, unit = (number / 1e3, "k") if number < 999_500 else (number / 1e6, "M")
    decimals = 2 if scaled < 9.995 else 1 if scaled < 99.95 else 0
    text = f"{scaled:,.{decimals}f}"
    return (text.rstrip("0").rstrip(".") if decimals else text) + unit


def notes(plans: Sequence[Plan]) -> list[str]:
    """What the numbers of the table are based on."""
    lines = []
    for name, plan in zip(names(plans), plans, strict=True):
        if plan.already_captioned:
            what = "questions already have an answer" if plan.is_judge else "images already have a caption"
            lines.append(f"{name}: {plan.already_captioned:,} more {what}")
        lines += [f"{name}: {line}" for line in likely_lines(plan)]
    for plan in plans:
        lines += [f"{plan.label}: {line}" for line in (*size_lines(plan), *price_lines(plan))]
    lines = list(dict.fromkeys(lines))  # those of a model, once for all its prompts
    if any(plan.cost_usd for plan in plans):
        lines.append("least: short answers, one attempt each; most: the longest answers allowed")
    return lines


def price_lines(plan: Plan) -> list[str]:
    """The price of a remote model, and its rate limits."""
    if plan.is_local:
        return []
    lines = ["the price is not known. Write it into a file and type prices=FILE"]
    if price := plan.price:
        source = f"{price.page or 'prices=FILE'}, {price.date or 'no date'}"
        lines = [f"${price.input:g} input, ${price.output:g} output per million tokens\n  ({source})"]
    if plan.in_batch:
        lines.append("answered within a day, often sooner")
    elif limits := limits_of(plan):
        lines.append(f"at most {' and '.join(limits)} per minute")
    elif plan.images:
        lines.append("no rate limit is set. Type runner.requests.per_minute=...")
    return lines


def likely_lines(plan: Plan) -> list[str]:
    """What the run will probably take, and where that is known from."""
    past, lines = plan.past, list[str]()
    each = "question" if plan.is_judge else "image"
    source = f"as in {past.name}" if past and past.output_tokens else "a guess: it has no earlier run here"
    if (found := plan.likely) and found.cost_usd is not None and plan.images:
        lines.append(
            f"probably {format_dollars(found.cost_usd)}, with {short(found.input_tokens)} input and "
            f"{short(found.output_tokens)} output tokens per {each} ({source})"
        )
    if past and past.images_per_second and plan.images:
        took = in_time(plan.images / past.images_per_second)
        lines.append(f"probably {took}, at {past.images_per_second:.3g} images/s (as in {past.name})")
    elif plan.is_local and plan.images:
        lines.append("its speed is not known, since it has no earlier run here. Type limit=20 for one")
    return lines


def size_lines(plan: Plan) -> list[str]:
    """The memory of a local model, and what has to be downloaded."""
    if plan.weights is None:
        return []
    size, to_download = plan.weights.on_disk, plan.weights.to_download
    where = f"{in_bytes(to_download)} to download" if to_download else "on this machine"
    memory = f"{in_bytes(size)} of memory on a CPU and {in_bytes(size / 2)} on a GPU"
    return [f"its weights are {where}, and take about {memory}, besides the pictures of a batch"]


def in_bytes(number: float) -> str:
    """A size with two digits.

    >>> in_bytes(708_000_000), in_bytes(14_980_000_000), in_bytes(3_100_000), in_bytes(1_580_000_000)
    ('710 MB', '15 GB', '3.1 MB', '1.6 GB')
    """
    scaled, unit = (number / 1e9, "GB") if number >= 995_000_000 else (number / 1e6, "MB")
    return f"{float(f'{scaled:.2g}'):g} {unit}"


def limits_of(plan: Plan) -> list[str]:
    """The rate limits that hold for the model."""
    if plan.requests is None:
        return []
    limits = ((plan.requests.per_minute, "requests"), (plan.requests.tokens_per_minute, "tokens"))
    return [f"{limit:,.10g} {unit}" for limit, unit in limits if limit]
