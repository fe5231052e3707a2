"""One self-contained page about some runs: the verdict, the leaderboard, a gallery, how it was made.

The page loads nothing: pictures lie in it as data URIs, and its Content-Security-Policy allows nothing but
these, its own style and its own small script (both by their hash, W3C CSP level 3), so that no caption can do
more than be read.

    write_report(compare([Path("runs/demo-tiny-git-none")]), Path("report.html"))
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from evaluator import __version__
from evaluator.compare import Comparison
from evaluator.errors import StoreError
from evaluator.report.gallery import gallery
from evaluator.report.leaderboard import WHISKER_WIDTH, best_first, lines, notes
from evaluator.report.origins import GROUPS, origins, shared_facts, signatures
from evaluator.report.places import without_folders
from evaluator.report.plots import intervals_plot, planes
from evaluator.report.tables import NOT_COMPUTED, is_headline
from evaluator.report.verdict import share, verdict

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"

# Some 25 KB each: the page stays within what a mail takes.
GALLERY_IMAGES = 200

# Unicode's pictures of the control characters, which a page cannot hold or would swallow.
_CONTROL_PICTURES = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n"} | {127: 0x2421}


def write_report(
    comparison: Comparison,
    output: Path,
    images: int = GALLERY_IMAGES,
    pages: Mapping[str, str] | None = None,
) -> Path:
    """Write the page, with at most so many images, whole or not at all. Raises StoreError.

    `pages` are addresses that runs are linked to, by their labels.
    """
    # What UTF-8 cannot hold, such as half of a surrogate pair, becomes a question mark.
    content = page(comparison, images, pages or {}).encode("utf-8", "replace")
    temporary = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(content)
            os.replace(temporary, output)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(
            f"cannot write the report {output}: {error.strerror}. Free the disk or mend the permissions, "
            "or name another file with --output FILE; the runs are kept"
        ) from error
    return output


def page(comparison: Comparison, images: int, pages: Mapping[str, str]) -> str:
    """The page as text. Raises StoreError for a run that cannot be read."""
    comparison = best_first(short_labels(comparison))
    style, script = asset("report.css"), asset("report.js")
    return (
        environment()
        .get_template("report.html")
        .render(
            title=title(comparison),
            data_sets=data_sets(comparison),
            images=sorted({row.results.images for row in comparison.rows}),
            verdict=verdict(comparison),
            lead=comparison.lead_metric,
            warnings=[without_folders(warning) for warning in comparison.warnings],
            comparison=comparison,
            lines=lines(comparison),
            pages=pages,
            ranked=any(map(comparison.rank, comparison.rows)),
            is_headline=is_headline,
            higher_is_better=higher_is_better(comparison),
            not_computed=NOT_COMPUTED,
            share=share(comparison.rows[0]),
            notes=[without_folders(note) for note in notes(comparison)],
            whisker_width=WHISKER_WIDTH,
            intervals=intervals_plot(comparison),
            planes=planes(comparison),
            gallery=gallery(comparison, images),
            groups=GROUPS,
            shared=shared_facts(comparison),
            origins=origins(comparison),
            signatures=signatures(comparison),
            version=__version__,
            style=style,
            script=script,
            policy=policy(style, script),
        )
    )


def environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["breakable"] = breakable
    made.filters["thousands"] = lambda number: f"{number:,}"
    made.filters["zip"] = lambda one, other: zip(one, other, strict=True)
    made.filters["one_digit"] = lambda number: "" if number is None else f"{number:.1f}"
    return made


def visible(value: Any) -> Any:
    """Control characters as pictures of themselves, in every text that the page holds."""
    return value.translate(_CONTROL_PICTURES) if type(value) is str else value


def breakable(signature: str) -> Markup:
    """A signature may go on in the next line behind each of its bars."""
    return Markup("|<wbr>").join(visible(signature).split("|"))


def asset(name: str) -> Markup:
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))


def policy(style: str, script: str) -> str:
    """Nothing but pictures within the page, this style and this script."""
    return (
        f"default-src 'none'; img-src data:; style-src '{csp_hash(style)}'; script-src '{csp_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def csp_hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def short_labels(comparison: Comparison) -> Comparison:
    """Runs that go by their full path, since they share a name, go by what their paths do not share."""
    labels = [row.label for row in comparison.rows]
    if not all(Path(label).is_absolute() for label in labels):
        return comparison
    start = os.path.commonpath(labels)
    rows = (replace(row, label=os.path.relpath(row.label, start)) for row in comparison.rows)
    return replace(comparison, rows=tuple(rows))


def higher_is_better(comparison: Comparison) -> dict[str, bool]:
    return {
        metric: all(row.score(metric).higher_is_better for row in comparison.rows)
        for metric in comparison.metrics
    }


def data_sets(comparison: Comparison) -> list[str]:
    """What was captioned: the data set's name, with its split where it has one."""
    names = []
    for row in comparison.rows:
        split = row.manifest["identity"].get("data", {}).get("split")
        names.append(row.manifest["choices"]["data"] + (f", {split} split" if split else ""))
    return list(dict.fromkeys(names))


def title(comparison: Comparison) -> str:
    runs = comparison.rows
    what = runs[0].label if len(runs) == 1 else f"{len(runs)} runs"
    return f"{what} on {' and '.join(data_sets(comparison))}"
