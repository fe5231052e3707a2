"""A regression check in the terminal, in Markdown for a pull request, as JUnit XML and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from types import MappingProxyType
from xml.etree import ElementTree

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evaluator.comparison.gate import Check, ImageChange, Regression, Verdict
from evaluator.report.text.comparison import markdown as comparison_markdown
from evaluator.report.text.comparison import terminal as comparison_table

SIGNS: Mapping[Verdict, str] = MappingProxyType(
    {Verdict.HOLDS: "✓", Verdict.FAILS: "✗", Verdict.INCONCLUSIVE: "?"}
)
COLOURS = {Verdict.HOLDS: "green", Verdict.FAILS: "red", Verdict.INCONCLUSIVE: "yellow"}


def headline(found: Regression) -> str:
    """The verdict in one line."""
    baseline, candidate = (row.label for row in found.comparison.rows)
    failed = [check.gate.text for check in found.checks if not check.met]
    open_ones = [check.gate.text for check in found.checks if check.verdict is Verdict.INCONCLUSIVE]
    if failed:
        return f"{candidate} fails beside {baseline}: {', '.join(failed)}"
    if open_ones:
        return f"{candidate} passes beside {baseline}, but {', '.join(open_ones)}: inconclusive"
    return f"{candidate} passes beside {baseline}: every gate holds"


def reading(check: Check) -> str:
    """What became of a gate, with the images that would decide it where it is open."""
    needed = check.images_needed
    decide = f"; about {needed:,} images would decide it" if needed else ""
    open_and_missed = check.verdict is Verdict.INCONCLUSIVE and not check.met
    return f"{check.verdict}{', not met' if open_and_missed else ''}: {check.explanation}{decide}"


def terminal(found: Regression) -> RenderableType:
    """For rich."""
    gates = Table("", "gate", "baseline", "candidate", "what was found", title_justify="left")
    for check in found.checks:
        gates.add_row(
            Text(SIGNS[check.verdict], COLOURS[check.verdict]),
            check.gate.text,
            f"{check.baseline:.4g}",
            f"{check.candidate:.4g}",
            reading(check),
        )
    parts: list[RenderableType] = [
        Text(headline(found), style=f"bold {COLOURS[found.verdict]}"),
        gates,
        comparison_table(found.comparison),
    ]
    for title, changes in shown(found):
        images = Table("image", "points", "baseline", "candidate", "first reference", title=title)
        images.title_justify = "left"
        for change in changes:
            images.add_row(
                change.item_id,
                f"{change.gain:+.0f}",
                Text(change.baseline),
                Text(change.candidate),
                Text(change.references[0] if change.references else ""),
            )
        parts.append(images)
    return Group(*parts)


def shown(found: Regression) -> Iterable[tuple[str, tuple[ImageChange, ...]]]:
    """The images that changed most, under what to call them."""
    if found.worst:
        yield f"worst changes on {found.metric}", found.worst
    if found.best:
        yield f"best changes on {found.metric}", found.best


def markdown(found: Regression) -> str:
    """For a pull request or a job summary."""
    lines = [f"**{headline(found)}**", ""]
    lines += ["| | gate | baseline | candidate | what was found |", "|---|---|---|---|---|"]
    lines += [
        f"| {SIGNS[check.verdict]} | `{check.gate.text}` | {check.baseline:.4g} | {check.candidate:.4g} | "
        f"{reading(check)} |"
        for check in found.checks
    ]
    lines += ["", comparison_markdown(found.comparison)]
    for title, changes in shown(found):
        lines += [f"<details><summary>{title}</summary>", ""]
        lines += ["| image | points | baseline | candidate | references |", "|---|---|---|---|---|"]
        lines += [
            f"| {cell(change.item_id)} | {change.gain:+.0f} | {cell(change.baseline)} | "
            f"{cell(change.candidate)} | {'<br>'.join(map(cell, change.references))} |"
            for change in changes
        ]
        lines += ["", "</details>", ""]
    return "\n".join(lines)


def cell(text: str) -> str:
    r"""A model's words in a cell: neither markup nor the end of the cell.

    >>> cell("<b>a|b</b>\n`c`")
    '&lt;b&gt;a&#124;b&lt;/b&gt; &#96;c&#96;'
    """
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for character in "|`*_[]":
        escaped = escaped.replace(character, f"&#{ord(character)};")
    return " ".join(escaped.split())


def junit(found: Regression) -> str:
    """JUnit XML: a test case a gate; what is open but met is a case with a remark."""
    baseline, candidate = (row.label for row in found.comparison.rows)
    failures = sum(not check.met for check in found.checks)
    counts = {"tests": str(len(found.checks)), "failures": str(failures), "errors": "0"}
    suites = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(suites, "testsuite", {"name": f"{candidate} beside {baseline}", **counts})
    for check in found.checks:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            {"classname": "evaluator.regress", "name": check.gate.text, "time": "0"},
        )
        if check.met:
            ElementTree.SubElement(case, "system-out").text = reading(check)
        else:
            failure = {"type": str(check.verdict), "message": reading(check)}
            ElementTree.SubElement(case, "failure", failure).text = headline(found)
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def as_json(found: Regression) -> str:
    """Everything, for programs; metrics in points."""
    document = {
        "verdict": found.verdict,
        "headline": headline(found),
        "incomplete": found.is_incomplete,
        "baseline": found.comparison.rows[0].run.name,
        "candidate": found.comparison.rows[1].run.name,
        "images": found.comparison.contrasts.images,
        "gates": [asdict(check) for check in found.checks],
        "worst": [asdict(change) for change in found.worst],
        "best": [asdict(change) for change in found.best],
        "warnings": found.comparison.warnings,
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


WRITERS: Mapping[str, Callable[[Regression], str]] = MappingProxyType(
    {"markdown": markdown, "junit": junit, "json": as_json}
)
