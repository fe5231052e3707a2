"""A regression check in the terminal, in Markdown for a pull request, as JUnit XML and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from evaluator.comparison.gate import Check, ImageChange, Regression, Verdict
from evaluator.report.text.comparison import comparison_table
from evaluator.report.text.comparison import markdown as comparison_markdown
from evaluator.report.text.escape import markdown_text, xml_text
from evaluator.report.text.table import Cell, TextTable

if TYPE_CHECKING:
    from rich.console import RenderableType

# The sign and the colour of each verdict.
SIGNS: Mapping[Verdict, tuple[str, str]] = MappingProxyType(
    {Verdict.HOLDS: ("✓", "green"), Verdict.FAILS: ("✗", "red"), Verdict.INCONCLUSIVE: ("?", "yellow")}
)


def headline(regression: Regression) -> str:
    """The verdict in one line."""
    baseline, candidate = (row.label for row in regression.comparison.rows)
    failed = [check.gate.text for check in regression.checks if not check.met]
    inconclusive = [check.gate.text for check in regression.checks if check.verdict is Verdict.INCONCLUSIVE]
    changed = regression.changed_captions
    known = f" ({changed:,} captions differ)" if changed else " (both have the same captions)"
    if failed:
        return f"{candidate} fails against {baseline}{known}: {', '.join(failed)}"
    if inconclusive:
        return f"{candidate} passes against {baseline}{known}, but inconclusively: {', '.join(inconclusive)}"
    return f"{candidate} passes against {baseline}{known}: every gate holds"


def result(check: Check) -> str:
    """What a gate's check found; where it is inconclusive, how many images would decide it."""
    decide = f"; about {check.images_needed:,} images would decide it" if check.images_needed else ""
    not_met = ", not met" if check.verdict is Verdict.INCONCLUSIVE and not check.met else ""
    return f"{check.verdict}{not_met}: {check.explanation}{decide}"


def gate_table(regression: Regression) -> TextTable:
    rows = [
        [
            Cell(SIGNS[check.verdict][0], colour=SIGNS[check.verdict][1]),
            Cell(check.gate.text, code=True),
            Cell(f"{check.baseline:.4g}"),
            Cell(f"{check.candidate:.4g}"),
            Cell(result(check)),
        ]
        for check in regression.checks
    ]
    headings = ["", "gate", "baseline", "candidate", "result"]
    return TextTable(headings, rows, left=len(headings), wrapping=headings[1:])


def image_tables(regression: Regression, with_all_references: bool) -> Iterator[TextTable]:
    """The images that changed most: the worst, then the best."""
    references = "references" if with_all_references else "first reference"
    headings = ["image", "points", "baseline", "candidate", references]
    for what, changes in (("worst", regression.worst), ("best", regression.best)):
        if changes:
            rows = [image_cells(change, with_all_references) for change in changes]
            caption = f"{what} changes on {regression.metric}"
            yield TextTable(headings, rows, caption, left=len(headings), wrapping=headings)


def image_cells(change: ImageChange, with_all_references: bool) -> list[Cell]:
    references = change.references if with_all_references else change.references[:1]
    of_image, *texts = (
        Cell("\n".join(" ".join(line.split()) for line in lines))
        for lines in ([change.item_id], [change.baseline], [change.candidate], references)
    )
    return [of_image, Cell(f"{change.gain:+.0f}"), *texts]


def terminal(regression: Regression) -> RenderableType:
    """For rich."""
    from rich.console import Group
    from rich.text import Text

    return Group(
        Text(headline(regression), style=f"bold {SIGNS[regression.verdict][1]}"),
        gate_table(regression),
        comparison_table(regression.comparison),
        *image_tables(regression, with_all_references=False),
    )


def markdown(regression: Regression) -> str:
    """For a pull request or a job summary."""
    parts = [f"**{markdown_text(headline(regression))}**", gate_table(regression).markdown()]
    parts.append(comparison_markdown(regression.comparison).rstrip("\n"))
    for table in image_tables(regression, with_all_references=True):
        parts += [f"<details><summary>{escape(table.caption)}</summary>", table.markdown(), "</details>\n"]
    return "\n\n".join(parts)


def junit(regression: Regression) -> str:
    """JUnit XML: one test case per gate; an inconclusive gate that is met passes with a remark."""
    baseline, candidate = (row.label for row in regression.comparison.rows)
    failures = sum(not check.met for check in regression.checks)
    counts = {"tests": str(len(regression.checks)), "failures": str(failures), "errors": "0"}
    suites = ElementTree.Element("testsuites", counts)
    name = xml_text(f"{candidate} against {baseline}")
    suite = ElementTree.SubElement(suites, "testsuite", {"name": name, **counts})
    for check in regression.checks:
        attributes = {"classname": "evaluator.regress", "name": xml_text(check.gate.text), "time": "0"}
        case = ElementTree.SubElement(suite, "testcase", attributes)
        if check.met:
            ElementTree.SubElement(case, "system-out").text = xml_text(result(check))
        else:
            failure = {"type": str(check.verdict), "message": xml_text(result(check))}
            ElementTree.SubElement(case, "failure", failure).text = xml_text(headline(regression))
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def as_json(regression: Regression) -> str:
    """Everything, for programs; metrics in points."""
    document = {
        "verdict": regression.verdict,
        "headline": headline(regression),
        "incomplete": regression.is_incomplete,
        "baseline": regression.comparison.rows[0].run.name,
        "candidate": regression.comparison.rows[1].run.name,
        "images": regression.comparison.pairs.images,
        "changed_captions": regression.changed_captions,
        "gates": [asdict(check) for check in regression.checks],
        "worst": [asdict(change) for change in regression.worst],
        "best": [asdict(change) for change in regression.best],
        "warnings": regression.comparison.warnings,
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
