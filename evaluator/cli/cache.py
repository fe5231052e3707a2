"""`evaluator cache`: the stored answers of remote models, what they saved, and how to delete them."""

from __future__ import annotations

import click

from evaluator.cli.console import echo


@click.group(name="cache", invoke_without_command=True)
@click.pass_context
def cache_command(context: click.Context) -> None:
    """Show the stored answers of remote models, and how much money they saved."""
    if context.invoked_subcommand is None:
        show()


def show() -> None:
    from evaluator.core.dollars import format_dollars
    from evaluator.runner.answer_cache import cache_path, response_cache

    path = cache_path()
    with response_cache(path) as cache:
        rows = cache.statistics()
    echo(f"{path}: {size_in_mb():.1f} MB, {sum(row.answers for row in rows):,} answers")
    if rows:
        width = max(len(row.model) for row in rows)
        echo(f"{'model':{width}}  {'answers':>9}  {'reused':>10}  {'saved':>10}")
    for row in rows:
        saved = format_dollars(row.saved_usd)
        echo(f"{row.model:{width}}  {row.answers:>9,}  {row.uses:>10,}  {saved:>10}")


@cache_command.command(name="prune")
@click.option(
    "--older-than", "days", type=click.FloatRange(min=0), metavar="DAYS", help="Only answers older than this."
)
@click.option("--model", help="Only answers of this model.")
@click.option("--all", "everything", is_flag=True, help="All answers.")
def prune_command(days: float | None, model: str | None, everything: bool) -> None:
    """Delete stored answers. To ask the same questions again costs as much as the first time."""
    from evaluator.runner.answer_cache import cache_path, response_cache

    if everything == (days is not None or model is not None):
        raise click.UsageError(
            "type which answers to delete: --older-than DAYS, --model NAME or both, or --all"
        )
    with response_cache(cache_path()) as cache:
        deleted = cache.prune(days, model)
    echo(f"{deleted:,} answers deleted, {size_in_mb():.1f} MB left")


def size_in_mb() -> float:
    """The size of the file and of its write-ahead log."""
    from evaluator.runner.answer_cache import cache_path

    path = cache_path()
    return sum(part.stat().st_size for part in path.parent.glob(f"{path.name}*")) / 1e6
