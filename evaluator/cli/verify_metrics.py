"""`evaluator verify-metrics`: check this installation's metrics against the original programs."""

from __future__ import annotations

import click

from evaluator.cli.console import ExitCode, echo


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
    if wrong := [check.metric for check in checks if check.got is not None and not check.agrees]:
        echo(f"{', '.join(wrong)}: differs from the original program", err=True)
        return ExitCode.FAILED
    return ExitCode.OK
