"""`evaluator verify-metrics`: check this installation's metrics against the original programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from evaluator.cli.console import ExitCode, echo

if TYPE_CHECKING:
    from evaluator.verify import Check


@click.command(name="verify-metrics")
def verify_metrics_command() -> ExitCode:
    """Check this installation's metrics against known values of the original programs."""
    from evaluator.verify import verify

    checks = verify()
    echo(f"{'metric':10}{'expected':>20}{'got':>20}{'difference':>12}")
    for check in checks:
        got = "not computed" if check.got is None else f"{check.got:.15f}"
        difference = "" if check.difference is None else f"{check.difference:.0e}"
        echo(f"{check.metric:10}{check.expected:20.15f}{got:>20}{difference:>12}")
    for reason in dict.fromkeys(f"{check.metric}: {check.reason}" for check in checks if check.reason):
        echo(reason)
    echo(verdict(checks), bold=True)
    wrong = any(check.got is not None and not check.agrees for check in checks)
    return ExitCode.FAILED if wrong else ExitCode.OK


def verdict(checks: Sequence[Check]) -> str:
    """The last line: what agrees, what differs and what could not be computed."""
    agree = sum(check.agrees for check in checks)
    wrong = [check.metric for check in checks if check.got is not None and not check.agrees]
    missing = [check.metric for check in checks if check.got is None]
    parts = [
        f"verdict: {agree} of {len(checks)} metrics give the original programs' numbers",
        *([f"{', '.join(wrong)} DIFFERS: do not publish it from here"] if wrong else []),
        *([f"not computed: {', '.join(missing)}"] if missing else []),
    ]
    return "; ".join(parts)
