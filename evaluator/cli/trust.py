"""`evaluator trust`: how far metrics agree with people."""

from __future__ import annotations

from pathlib import Path

import click

from evaluator.cli.console import ExitCode, echo, print_document, print_table, warn
from evaluator.cli.options import CONFIG_DIR, SEED, WIDE_TABLE, format_option, resamples_option


@click.command(name="trust")
@click.argument("arguments", nargs=-1, required=True, metavar="METRIC... [OVERRIDES]...")
@click.option(
    "--judgements",
    "-j",
    multiple=True,
    required=True,
    metavar="NAME=PATH",
    help="A collection of human judgements and its folder or file; may be repeated.",
)
@click.option(
    "--statistic",
    "statistics",
    multiple=True,
    help="Such as kendall_tau_b or pairwise_accuracy; may be repeated. Default: the published one.",
)
@click.option(
    "--images",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with the pictures, for CLIPScore and the page.",
)
@format_option("table", "markdown", "latex", "csv", "json", "html")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page with plots and the captions on which a metric and people disagree most.",
)
@resamples_option(100)
@SEED
@WIDE_TABLE
@CONFIG_DIR
def trust_command(
    arguments: tuple[str, ...],
    judgements: tuple[str, ...],
    statistics: tuple[str, ...],
    images: Path | None,
    form: str,
    output: Path | None,
    resamples: int,
    seed: int,
    config_dir: Path | None,
) -> ExitCode:
    """Compare metrics with how people rated captions.

    METRIC is a scorer: bleu, rouge, cider, meteor, clipscore, or one of your own. OVERRIDES are its options:
    scorer.cider.n=3. The collections: flickr8k-expert, flickr8k-cf, thumb, composite, polaris, nebula,
    longcap-arena, pascal50s, foil, and table for a table of your own (image, caption, rating).
    """
    from evaluator.agreement.trust import trust
    from evaluator.config.run_config import run_configs
    from evaluator.core import AsksModel
    from evaluator.report.text.trust import FORMATS, notes, trust_table

    metrics = [argument for argument in arguments if "=" not in argument]
    overrides = [argument for argument in arguments if "=" in argument]
    (config,) = run_configs([f"scorer=[{','.join(metrics)}]", *overrides], config_dir)
    scorers = list(config.scorers.values())
    answers = output.parent / "judgements" if output else None
    for judge in scorers:
        if isinstance(judge, AsksModel):
            warn(judge.check(config.runner))
            where = answers or "the cache folder"
            echo(f"the answers of {', '.join(judge.names)} are kept in {where}", err=True)
    found = trust(
        scorers,
        judgements,
        statistics,  # type: ignore[arg-type]
        images,
        resamples,
        seed=seed,
        runner=config.runner,
        answers=answers,
    )
    if output:
        from evaluator.report.page.trust import write_trust_page

        echo(write_trust_page(found, output), err=form != "table")
    if form != "table":
        print_document(FORMATS[form](found))
        return ExitCode.OK
    for each in found:
        print_table(trust_table(each))
        for note in notes(each):
            echo(note)
    return ExitCode.OK
