"""The leaderboard in the formats that people paste: Markdown, LaTeX, CSV, JSON and HTML.

The best of a column is bold, and what cannot be told apart from it by a paired test is marked. Two kinds of
rows stand apart, with their source and protocol: scores that papers report, since they were not measured
here, and those of a person, who was measured against fewer references.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from html import escape
from pathlib import Path
from types import MappingProxyType

from evaluator.comparison.compare import Comparison, Row
from evaluator.core import Score
from evaluator.report.leaderboard import LEVEL, best_first, cells, notes
from evaluator.report.origins import signatures
from evaluator.report.redact import without_folders
from evaluator.report.text.comparison import NOT_COMPUTED, cost, coverage, rank, shares, speed
from evaluator.report.verdict import listed

PUBLISHED = Path(__file__).parent / "published.yaml"


@dataclass(frozen=True)
class Apart:
    """A row that stands beside the runs: of a paper, or of a person. Scores are in points."""

    name: str
    scores: Mapping[str, float]
    protocol: str
    source: str
    measured: bool = False


@dataclass(frozen=True)
class Place:
    """One score as it is shown."""

    text: str
    interval: str = ""
    best: bool = False
    level: bool = False  # with the best one, as far as a paired test can tell


@dataclass(frozen=True)
class Standing:
    """One row."""

    name: str
    rank: str
    places: Mapping[str, Place]
    others: Mapping[str, str] = field(default_factory=dict)  # coverage, speed, cost


@cache
def published() -> tuple[Apart, ...]:
    """The rows of papers that come with the package."""
    import yaml

    return tuple(Apart(**row) for row in yaml.safe_load(PUBLISHED.read_text(encoding="utf-8")))


def human(scores: Sequence[Score], images: int) -> Apart:
    """The row of a person: what one wrote of each image, scored against what the others wrote."""
    return Apart(
        "a person",
        {score.name: 100 * score.value for score in scores if score.value is not None},
        f"the first reference of each of {images:,} images against its others",
        "the references of these runs",
        measured=True,
    )


def standings(comparison: Comparison) -> list[Standing]:
    """The runs, the best on the lead metric first."""
    ordered = best_first(comparison)
    columns = {metric: places(ordered, metric) for metric in ordered.metrics}
    return [
        Standing(
            row.label,
            rank(ordered.rank(row)),
            {metric: column[number] for metric, column in columns.items()},
            others(row),
        )
        for number, row in enumerate(ordered.rows)
    ]


def places(comparison: Comparison, metric: str) -> list[Place]:
    return [Place(cell.text, cell.interval, cell.best, cell.level) for cell in cells(comparison, metric)]


def others(row: Row) -> dict[str, str]:
    found = {"coverage": coverage(row), "images/s": speed(row), "cost": cost(row)}
    return {name: text for name, text in found.items() if text}


@dataclass(frozen=True)
class Line:
    """One row as people read it, of a run or one that stands apart."""

    name: str
    rank: str
    places: tuple[Place, ...]
    others: tuple[str, ...]
    apart: bool


def lines_of(comparison: Comparison, reference: Sequence[Apart]) -> tuple[list[str], list[Line]]:
    """What stands over the columns behind the metrics, and the rows."""
    found = standings(comparison)
    extra = list(dict.fromkeys(name for standing in found for name in standing.others))
    measured = [
        Line(
            standing.name,
            standing.rank,
            tuple(standing.places[metric] for metric in comparison.metrics),
            tuple(standing.others.get(name, "") for name in extra),
            apart=False,
        )
        for standing in found
    ]
    apart = [
        Line(row.name, "", tuple(map(Place, told(row, comparison.metrics))), ("",) * len(extra), apart=True)
        for row in reference
    ]
    return extra, [*measured, *apart]


def markdown(comparison: Comparison, reference: Sequence[Apart] = ()) -> str:
    """A table for a README, with what its marks mean."""
    extra, rows_of_table = lines_of(comparison, reference)
    heads = ["", "rank", *comparison.metrics, *extra]
    lines = [row_of(heads), row_of(["---", "---", *["---:"] * (len(heads) - 2)])]
    for line in rows_of_table:
        slanted = "*{}*".format if line.apart else str
        shown = [slanted(text) if (text := _markdown_place(place)) else "" for place in line.places]
        lines.append(row_of([slanted(line.name), line.rank, *shown, *line.others]))
    lines += ["", f"Scores in points; bold: the best; {LEVEL}: cannot be told apart from the best."]
    lines += ["", *(f"{line}  " for line in foot(comparison))]
    for heading, rows in by_kind(reference):
        lines += ["", f"*{heading}:*", ""]
        lines += [f"- {row.name}: {row.protocol} ({row.source})" for row in rows]
    return "\n".join(lines) + "\n"


def foot(comparison: Comparison) -> list[str]:
    """What the numbers are of: the data, how many images, the intervals, each metric's signature, remarks."""
    counts = sorted({row.results.images for row in comparison.rows})
    data = " and ".join(dict.fromkeys(row.manifest["choices"]["data"] for row in comparison.rows))
    images = " and ".join(f"{count:,}" for count in counts)
    told_here = [
        f"Data: {data}, {images} images; {shares(comparison)} intervals.",
        *notes(comparison),
        *(
            f"{found.signature}{f' ({listed(found.labels)})' if found.labels else ''}"
            for found in signatures(comparison)
        ),
    ]
    # A line each, whatever an error message holds, and without the folders of the machine.
    return [" ".join(without_folders(line).split()) for line in told_here]


def by_kind(reference: Sequence[Apart]) -> list[tuple[str, list[Apart]]]:
    """The rows that stand apart, under what they are."""
    kinds = {True: "Measured against fewer references", False: "Published, not measured here"}
    found = [(kinds[kind], [row for row in reference if row.measured is kind]) for kind in kinds]
    return [(heading, rows) for heading, rows in found if rows]


def told(row: Apart, metrics: Sequence[str]) -> list[str]:
    """The scores that such a row has, empty for the others."""
    return [f"{row.scores[metric]:.1f}" if metric in row.scores else "" for metric in metrics]


def row_of(cells_of_row: Sequence[str]) -> str:
    return "| " + " | ".join(text.replace("|", "\\|") for text in cells_of_row) + " |"


def _markdown_place(place: Place) -> str:
    text = f"**{place.text}**" if place.best else place.text
    return text + (f" {LEVEL}" if place.level else "") + (f" ({place.interval})" if place.interval else "")


def latex(comparison: Comparison, reference: Sequence[Apart] = ()) -> str:
    """A booktabs table: the best bold, what is level with it marked by a dagger."""
    lines = [f"\\begin{{tabular}}{{lr{'r' * len(comparison.metrics)}}}", "\\toprule"]
    lines += [" & ".join(["", "rank", *map(escaped, comparison.metrics)]) + " \\\\", "\\midrule"]
    _, rows_of_table = lines_of(comparison, reference)
    for before, line in zip([None, *rows_of_table], rows_of_table, strict=False):
        if line.apart and before and not before.apart:
            lines.append("\\midrule")
        slanted = "\\textit{{{}}}".format if line.apart else str
        shown = [slanted(text) if (text := _latex_place(place)) else "" for place in line.places]
        lines.append(" & ".join([slanted(escaped(line.name)), escaped(line.rank), *shown]) + " \\\\")
    lines += ["\\bottomrule", "\\end{tabular}"]
    lines.append("% bold: the best; dagger: cannot be told apart from it")
    lines += [f"% {line}" for line in foot(comparison)]
    for heading, rows in by_kind(reference):
        lines += [f"% italics: {heading.lower()}: {row.name}: {row.protocol}, {row.source}" for row in rows]
    return "\n".join(lines) + "\n"


def _latex_place(place: Place) -> str:
    text = f"\\textbf{{{escaped(place.text)}}}" if place.best else escaped(place.text)
    return f"{text}$^\\dagger$" if place.level else text


def escaped(text: str) -> str:
    r"""A text in LaTeX.

    >>> print(escaped("a_b & 50% – {x}"))
    a\_b \& 50\% -- \{x\}
    """
    special = {"\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "–": "--"}
    special |= {character: f"\\{character}" for character in "&%$#_{}"}
    return "".join(special.get(character, character) for character in text)


def as_csv(comparison: Comparison, reference: Sequence[Apart] = ()) -> str:
    """For programs: one row a run or paper, scores in points."""
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    heads = ["name", "measured", "rank", *comparison.metrics, "coverage", "images", "data", "source"]
    writer.writerow(heads)
    rows = {row.label: row for row in comparison.rows}
    for standing in standings(comparison):
        shown = [standing.places[metric].text for metric in comparison.metrics]
        shown = ["" if text == NOT_COMPUTED else text for text in shown]
        row = rows[standing.name]
        told_of = [standing.others["coverage"], row.results.images, row.manifest["choices"]["data"], ""]
        writer.writerow([standing.name, "yes", standing.rank, *shown, *told_of])
    for apart in reference:
        measured = "yes" if apart.measured else "no"
        writer.writerow(
            [apart.name, measured, "", *told(apart, comparison.metrics), "", "", "", apart.source]
        )
    return output.getvalue()


def as_json(comparison: Comparison, reference: Sequence[Apart] = ()) -> str:
    document = {
        "measured": [asdict(standing) for standing in standings(comparison)],
        "apart": [asdict(row) for row in reference],
        "about": foot(comparison),
        "warnings": comparison.warnings,
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def as_html(comparison: Comparison, reference: Sequence[Apart] = ()) -> str:
    """A table to put into a page: no style and no script, and a caption that says what its marks mean."""
    extra, rows_of_table = lines_of(comparison, reference)
    heads = ["run", "rank", *comparison.metrics, *extra]
    columns = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    lines = [
        "<table>",
        f"<caption>Scores in points; bold: the best; {LEVEL}: cannot be told apart from the best.</caption>",
        f"<thead><tr>{columns}</tr></thead>",
        "<tbody>",
    ]
    for line in rows_of_table:
        slanted = "<i>{}</i>".format if line.apart else str
        shown = [slanted(text) if (text := _html_place(place)) else "" for place in line.places]
        cells_of_row = [escape(line.rank), *shown, *map(escape, line.others)]
        columns = "".join(f"<td>{text}</td>" for text in cells_of_row)
        lines.append(f'<tr><th scope="row">{slanted(escape(line.name))}</th>{columns}</tr>')
    lines += ["</tbody>", "</table>", *(f"<p>{escape(line)}</p>" for line in foot(comparison))]
    for heading, rows in by_kind(reference):
        told_of = "".join(f"<li>{escape(f'{row.name}: {row.protocol} ({row.source})')}</li>" for row in rows)
        lines.append(f"<p>{heading}:</p><ul>{told_of}</ul>")
    return "\n".join(lines) + "\n"


def _html_place(place: Place) -> str:
    text = f"<b>{escape(place.text)}</b>" if place.best else escape(place.text)
    bounds = f" <small>{escape(place.interval)}</small>" if place.interval else ""
    return text + (f" {LEVEL}" if place.level else "") + bounds


FORMATS: Mapping[str, Callable[[Comparison, Sequence[Apart]], str]] = MappingProxyType(
    {"markdown": markdown, "latex": latex, "csv": as_csv, "json": as_json, "html": as_html}
)
