"""One self-contained page about some runs: the verdict, the leaderboard, a gallery, how it was made.

The page loads nothing but, where that was asked for, the pictures in the folder beside it: its
Content-Security-Policy allows these, pictures within the page, its own style and its own script (both by
their hash, W3C CSP level 3), so that no caption can do more than be read. The images' texts lie in it packed,
and its script unpacks them.

    write_report(compare([Path("runs/demo-tiny-git-none")]), Path("report.html"))
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from evaluator.comparison.compare import Comparison
from evaluator.core.errors import StoreError
from evaluator.report.leaderboard import (
    LEVEL,
    MEANINGS,
    WHISKER_WIDTH,
    best_first,
    lines,
    notes,
    of_columns,
)
from evaluator.report.origins import GROUPS, origins, shared_facts, signatures
from evaluator.report.page.agreement import agreement, coefficient
from evaluator.report.page.breakdown import breakdown
from evaluator.report.page.gallery import gallery
from evaluator.report.page.lengths import length_plot
from evaluator.report.page.pictures import Pictures, pictures_beside, pictures_within
from evaluator.report.page.plots import intervals_plots, planes
from evaluator.report.redact import without_folders
from evaluator.report.text.comparison import NOT_COMPUTED, interval, is_headline, points, shares
from evaluator.report.verdict import listed, verdict
from evaluator.version import __version__

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"

# In this order they are one script.
SCRIPTS = ("table.js", "words.js", "gallery.js", "scatter.js", "report.js")

# Some 20 KB each: the page stays within what a mail takes.
PICTURES_WITHIN = 200

# Unicode's pictures of the control characters, which a page cannot hold or would swallow.
_CONTROL_PICTURES = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n"} | {127: 0x2421}
_ESCAPED = re.compile(r"\\(?:u00(?P<number>[01][0-9a-f]|7f)|(?P<letter>[bfr])|.)")


def write_report(
    comparison: Comparison,
    output: Path,
    pictures: int | Path = PICTURES_WITHIN,
    pages: Mapping[str, str] | None = None,
    with_images: bool = True,
) -> Path:
    """Write the page, whole or not at all. Raises StoreError.

    `pictures` is how many thumbnails the page holds at most, or a folder beside it for all of them; `pages`
    are addresses that runs are linked to, by their labels. `with_images=False` leaves the gallery out, as
    the index of a site does, whose runs have pages of their own.
    """
    comparison = best_first(comparison)
    # What UTF-8 cannot hold, such as half of a surrogate pair, becomes a question mark.
    content = page(comparison, pictures, pages or {}, with_images).encode("utf-8", "replace")
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


def page(comparison: Comparison, pictures: int | Path, pages: Mapping[str, str], with_images: bool) -> str:
    """The page as text. Raises StoreError for a run that cannot be read."""
    style, script = asset("report.css"), Markup("\n").join(map(asset, SCRIPTS))
    shown = gallery(comparison) if with_images else None
    taken = Pictures()
    if shown:
        taken = (
            pictures_within(shown, pictures)
            if isinstance(pictures, int)
            else pictures_beside(shown, pictures)
        )
    table = of_columns(comparison)
    plots = {
        "intervals": intervals_plots(comparison),
        "planes": planes(comparison),
        "lengths": length_plot(comparison),
        "agreement": agreement(comparison),
        "breakdown": breakdown(comparison),
    }
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
            lines=lines(table),
            columns=table.metrics,
            level=LEVEL,
            meaning=MEANINGS.get(comparison.lead_metric or ""),
            pages=pages,
            ranked=any(map(comparison.rank, comparison.rows)),
            is_headline=is_headline,
            not_computed=NOT_COMPUTED,
            share=shares(comparison),
            notes=[without_folders(note) for note in notes(comparison)],
            whisker_width=WHISKER_WIDTH,
            costs_are_known=any(row.results.cost_usd is not None for row in comparison.rows),
            has_plots=any(plots.values()),
            **plots,
            gallery=shown,
            can_be_seen=first_two_differ(comparison),
            data=packed(shown.document(*taken.numbered(len(shown.items)))) if shown else "",
            pictures=taken,
            shown_pictures=within_script({"folder": taken.folder, "shown": list(taken.shown.values())}),
            groups=GROUPS,
            shared=shared_facts(comparison),
            origins=origins(comparison),
            signatures=signatures(comparison),
            version=__version__,
            style=style,
            script=script,
            policy=policy(style, script, taken.folder != ""),
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
    made.filters["name"] = name
    made.filters["thousands"] = lambda number: f"{number:,}"
    made.filters["zip"] = lambda one, other: zip(one, other, strict=True)
    made.filters["listed"] = listed
    made.filters["points"] = points
    made.filters["coefficient"] = coefficient
    made.filters["interval"] = interval
    return made


def visible(value: Any) -> Any:
    """Control characters as pictures of themselves, in every text that the page holds."""
    return value.translate(_CONTROL_PICTURES) if type(value) is str else value


def breakable(signature: str) -> Markup:
    """A signature may go on in the next line behind each of its bars."""
    return Markup("|<wbr>").join(visible(signature).split("|"))


def name(label: str) -> Markup:
    """A run's name may go on in the next line behind each of its joints."""
    return Markup("<wbr>").join(re.split(r"(?<=[_./-])", visible(label)))


def asset(file_name: str) -> Markup:
    return Markup((TEMPLATES / file_name).read_text(encoding="utf-8"))


def within_script(document: Mapping[str, Any]) -> Markup:
    """JSON that cannot end, or comment out, the element it is in."""
    return Markup(json.dumps(document).replace("<", "\\u003c"))


def packed(document: Mapping[str, Any]) -> str:
    """Base64 of gzip of JSON, the same for the same document. Its alphabet cannot end its element."""
    text = _ESCAPED.sub(picture_of_control, json.dumps(document, separators=(",", ":"), default=list))
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=6, mtime=0)).decode()


def picture_of_control(escape: re.Match[str]) -> str:
    """An escape of JSON, turned into that of the character's picture where it is a control character's."""
    number = escape["number"] or {"b": "08", "f": "0c", "r": "0d"}.get(escape["letter"] or "")
    return f"\\u{_CONTROL_PICTURES[int(number, 16)]:04x}" if number else escape[0]


def policy(style: str, script: str, pictures_beside: bool) -> str:
    """Nothing but pictures within the page or beside it, this style and this script."""
    pictures = "'self' data:" if pictures_beside else "data:"
    return (
        f"default-src 'none'; img-src {pictures}; style-src '{csp_hash(style)}'; "
        f"script-src '{csp_hash(script)}'; base-uri 'none'; form-action 'none'"
    )


def csp_hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def first_two_differ(comparison: Comparison) -> bool:
    """Whether there are images on which the first run can gain or lose on the second."""
    metric, (first, *others) = comparison.lead_metric, comparison.rows
    return bool(metric and others) and (
        comparison.contrasts.difference(metric or "", first.place, others[0].place) is not None
    )


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
