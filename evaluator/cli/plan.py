"""`evaluator plan`: what a run would take, before anything is paid for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evaluator.cli.options import CONFIG_DIR, OVERRIDES

if TYPE_CHECKING:
    from evaluator.plan import Plan

COLUMNS = ("model", "images", "input tokens", "output tokens", "US dollars", "minutes at the limits")


@click.command(name="plan")
@OVERRIDES
@CONFIG_DIR
def plan_command(overrides: tuple[str, ...], config_dir: Path | None) -> None:
    """Estimate images, tokens, money and minutes; nothing is sent.

    OVERRIDES are those of `evaluator run`; model=a,b estimates each.
    """
    from evaluator.config.run_config import run_configs
    from evaluator.plan import plan

    plans = [plan(config) for config in run_configs(overrides, config_dir, sweep=True)]
    rows = [cells(each) for each in plans]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
    for row in (COLUMNS, *rows):
        first, *others = (
            f"{cell:{'<' if number == 0 else '>'}{width}}"
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        click.echo("  ".join([first, *others]).rstrip())
    for line in remarks(plans):
        click.echo(line)


def cells(plan: Plan) -> tuple[str, ...]:
    """One row of the table."""
    tokens = [
        "-" if found is None else between(found, ",.0f") for found in (plan.input_tokens, plan.output_tokens)
    ]
    unpriced = "free" if plan.is_local else "not known"
    money = unpriced if plan.cost_usd is None else between(plan.cost_usd, ".2f")
    minutes = "-" if plan.minutes is None else f"{plan.minutes:,.1f}"
    return (plan.label, f"{plan.images:,}", *tokens, money, minutes)


def between(bounds: tuple[float, float], form: str) -> str:
    least, most = (format(bound, form) for bound in bounds)
    return least if least == most else f"{least} to {most}"


def remarks(plans: Sequence[Plan]) -> list[str]:
    """What the numbers rest on."""
    found = []
    for plan in plans:
        if plan.there:
            found.append(f"{plan.label}: {plan.there:,} more captions are there already")
        if price := plan.price:
            source = f"{price.page or 'prices=FILE'}, {price.date or 'no date'}"
            found.append(f"{plan.label}: ${price.input:g} and ${price.output:g} a million tokens ({source})")
        elif not plan.is_local:
            found.append(f"{plan.label}: no price is known. Give it in a file of your own: prices=FILE")
        if limits := paced(plan):
            found.append(f"{plan.label}: at most {' and '.join(limits)} a minute")
        elif plan.images and not plan.is_local:
            found.append(f"{plan.label}: no limit is set. Type runner.requests.per_minute=...")
    if any(plan.cost_usd for plan in plans):
        found.append("the least: short answers, one attempt; the most: every answer as long as allowed")
    return found


def paced(plan: Plan) -> list[str]:
    """The limits that hold for the model, which may be its own."""
    if plan.requests is None:
        return []
    limits = ((plan.requests.per_minute, "requests"), (plan.requests.tokens_per_minute, "tokens"))
    return [f"{limit:,.10g} {what}" for limit, what in limits if limit]
