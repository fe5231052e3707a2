r"""One table of text behind every text format: Markdown, LaTeX, HTML, CSV and the terminal.

>>> table = TextTable(["run", "CIDEr"], [[Cell("a|b"), Cell("145.6", "143.6–147.6", bold=True)]])
>>> print(table.markdown())
| run | CIDEr |
| --- | ---: |
| a\|b | **145.6** (143.6–147.6) |
>>> print(table.html())
<table>
<thead><tr><th scope="col">run</th><th scope="col">CIDEr</th></tr></thead>
<tbody>
<tr><th scope="row">a|b</th><td><b>145.6</b> <small>143.6–147.6</small></td></tr>
</tbody>
</table>
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

MARK = "≈"  # stands behind a marked cell's text
LATEX_MARK = "$^\\dagger$"


@dataclass(frozen=True)
class Cell:
    """One cell: its text, and what stands behind it in smaller print."""

    text: str = ""
    detail: str = ""  # in brackets, such as an interval
    note: str = ""  # behind that, such as a p-value
    bold: bool = False
    italic: bool = False
    marked: bool = False
    code: bool = False
    verbatim: bool = False  # text of a model or a data file, in which Markdown must not see markup
    colour: str = ""  # in the terminal


@dataclass(frozen=True)
class TextTable:
    """Headings and rows. The first cell of a row says what the row is."""

    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""
    rule_before: int | None = None  # the index of the row that a second part begins with
    left: int = 1  # how many columns are flush left, the others being numbers
    wrapping: Collection[str] = ()  # headings of columns that a narrow terminal may wrap

    def markdown(self) -> str:
        rules = ["---" if index < self.left else "---:" for index in range(len(self.headings))]
        lines = [map(_markdown_text, self.headings), rules, *(map(_markdown_cell, row) for row in self.rows)]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def latex(self) -> str:
        """A tabular in the style of the booktabs package."""
        columns = "l" * self.left + "r" * (len(self.headings) - self.left)
        lines = [f"\\begin{{tabular}}{{{columns}}}", "\\toprule"]
        lines += [_latex_row(map(latex_text, self.headings)), "\\midrule"]
        for index, row in enumerate(self.rows):
            lines += ["\\midrule"] if index == self.rule_before else []
            lines.append(_latex_row(map(_latex_cell, row)))
        return "\n".join([*lines, "\\bottomrule", "\\end{tabular}"])

    def html(self) -> str:
        """A table without style or script."""
        headings = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in self.headings)
        lines = ["<table>", *([f"<caption>{escape(self.caption)}</caption>"] if self.caption else [])]
        lines += [f"<thead><tr>{headings}</tr></thead>", "<tbody>"]
        for first, *others in self.rows:
            columns = "".join(f"<td>{_html_cell(cell)}</td>" for cell in others)
            lines.append(f'<tr><th scope="row">{_html_cell(first)}</th>{columns}</tr>')
        return "\n".join([*lines, "</tbody>", "</table>"])

    def csv(self) -> str:
        """The texts alone, each line ended."""
        output = io.StringIO()
        writer = csv.writer(output, lineterminator="\n")
        writer.writerow(self.headings)
        writer.writerows([cell.text for cell in row] for row in self.rows)
        return output.getvalue()

    def terminal(self) -> Table:
        """For rich; details and notes stand under the texts."""
        from rich.table import Table
        from rich.text import Text

        table = Table(title=Text(self.caption) if self.caption else None, title_justify="left")
        for index, heading in enumerate(self.headings):
            table.add_column(
                Text(heading),
                justify="left" if index < self.left else "right",
                no_wrap=heading not in self.wrapping,
            )
        for index, row in enumerate(self.rows):
            if index == self.rule_before:
                table.add_section()
            table.add_row(*map(_terminal_cell, row))
        return table


def _markdown_text(text: str) -> str:
    """On one line, without the character that ends a cell."""
    return "<br>".join(text.replace("|", "\\|").splitlines())


def verbatim_markdown(text: str) -> str:
    r"""Text of a model, in which Markdown sees neither markup nor the end of a cell.

    >>> verbatim_markdown("<b>a|b</b> `c`")
    '&lt;b&gt;a&#124;b&lt;/b&gt; &#96;c&#96;'
    """
    escaped = escape(text, quote=False)
    for character in "|`*_[]":
        escaped = escaped.replace(character, f"&#{ord(character)};")
    return "<br>".join(escaped.splitlines())


def _markdown_cell(cell: Cell) -> str:
    text = verbatim_markdown(cell.text) if cell.verbatim else _markdown_text(cell.text)
    for applies, around in ((cell.code, "`"), (cell.bold, "**"), (cell.italic, "*")):
        text = f"{around}{text}{around}" if applies and text else text
    return _behind(text, MARK if cell.marked else "", cell.detail and f"({cell.detail})", cell.note)


def latex_text(text: str) -> str:
    r"""A text in LaTeX, on one line.

    >>> print(latex_text("a_b & 50% – {x}"))
    a\_b \& 50\% -- \{x\}
    """
    special = {"\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "–": "--"}
    special |= {character: f"\\{character}" for character in "&%$#_{}"}
    return "".join(special.get(character, character) for character in " ".join(text.splitlines()))


def _latex_cell(cell: Cell) -> str:
    text = latex_text(cell.text)
    for applies, command in ((cell.bold, "textbf"), (cell.italic, "textit")):
        text = f"\\{command}{{{text}}}" if applies and text else text
    mark = LATEX_MARK if cell.marked else ""
    return _behind(text + mark, cell.detail and f"({latex_text(cell.detail)})", latex_text(cell.note))


def _latex_row(cells: Collection[str] | map[str]) -> str:
    return " & ".join(cells) + " \\\\"


def _html_cell(cell: Cell) -> str:
    text = escape(cell.text)
    for applies, tag in ((cell.code, "code"), (cell.bold, "b"), (cell.italic, "i")):
        text = f"<{tag}>{text}</{tag}>" if applies and text else text
    detail = cell.detail and f"<small>{escape(cell.detail)}</small>"
    return _behind(text, MARK if cell.marked else "", detail, escape(cell.note))


def _terminal_cell(cell: Cell) -> Text:
    from rich.text import Text

    lines = [_behind(cell.text, MARK if cell.marked else ""), cell.detail and f"({cell.detail})", cell.note]
    styles = [cell.colour, *(["bold"] if cell.bold else []), *(["italic"] if cell.italic else [])]
    return Text("\n".join(filter(None, lines)), " ".join(filter(None, styles)))


def _behind(*parts: str) -> str:
    return " ".join(filter(None, parts))
