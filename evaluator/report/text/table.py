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
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import chain
from typing import TYPE_CHECKING, Literal

from evaluator.report.text.escape import csv_text, latex_text, markdown_cell_text, markdown_code

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
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
    colour: str = ""  # in the terminal


@dataclass(frozen=True)
class TextTable:
    """Headings and rows. The first cell of a row says what the row is."""

    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""
    rule_before: int | None = None  # the index of the row that a second part begins with
    left: int = 1  # how many columns are flush left, the others being numbers
    wrapping: Collection[str] = ()  # headings of columns that a terminal may wrap
    first: Sequence[
        str
    ] = ()  # headings of columns that come first where a terminal cannot show all side by side
    beside: Mapping[str, str] = field(
        default_factory=dict
    )  # heading -> what stands beside it, in smaller print

    def markdown(self) -> str:
        rules = ["---" if index < self.left else "---:" for index in range(len(self.headings))]
        lines = [
            map(_markdown_cell, self._heads),
            rules,
            *(map(_markdown_cell, row) for row in self.rows),
        ]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def latex(self) -> str:
        """A tabular in the style of the booktabs package."""
        columns = "l" * self.left + "r" * (len(self.headings) - self.left)
        lines = [f"\\begin{{tabular}}{{{columns}}}", "\\toprule"]
        lines += [_latex_row(map(_latex_cell, self._heads)), "\\midrule"]
        for index, row in enumerate(self.rows):
            lines += ["\\midrule"] if index == self.rule_before else []
            lines.append(_latex_row(map(_latex_cell, row)))
        return "\n".join([*lines, "\\bottomrule", "\\end{tabular}"])

    def html(self) -> str:
        """A table without style or script."""
        headings = "".join(f'<th scope="col">{_html_cell(head)}</th>' for head in self._heads)
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
        writer.writerow(map(csv_text, self.headings))
        writer.writerows([csv_text(cell.text) for cell in row] for row in self.rows)
        return output.getvalue()

    @property
    def _heads(self) -> list[Cell]:
        return [Cell(heading, self.beside.get(heading, "")) for heading in self.headings]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table]:
        """What rich prints: details and notes under the texts; a table that is too wide continues below."""
        widths = [self._width(column) for column in range(len(self.headings))]
        columns = list(range(1, len(widths)))
        too_wide = 1 + sum(each + 3 for each in widths) - options.max_width
        if too_wide > 0:  # long names continue in the next line
            wanted = widths[0] - too_wide
            widths[0] = wanted if wanted >= 20 else min(widths[0], options.max_width * 2 // 5)
        if 1 + sum(each + 3 for each in widths) > options.max_width:
            order = {heading: place for place, heading in enumerate(self.first)}
            columns.sort(key=lambda column: order.get(self.headings[column], len(order)))
        for number, group in enumerate(self._fitting(options.max_width, widths, columns)):
            yield self._terminal(group, "" if number else self.caption, widths[0])

    def _fitting(self, width: int, widths: Sequence[int], columns: Sequence[int]) -> list[list[int]]:
        """Groups of these columns that fit side by side, each of them with the first column."""
        groups: list[list[int]] = [[0]]
        left = room = width - 4 - widths[0]
        for column in columns:
            if widths[column] + 3 > left and groups[-1] != [0]:
                groups.append([0])
                left = room
            groups[-1].append(column)
            left -= widths[column] + 3
        return groups

    def _width(self, column: int) -> int:
        """The characters that a column needs in the terminal; where it may wrap, for its longest word."""
        from rich.cells import cell_len

        heading = self.headings[column]
        cells = (self._heads[column], *(row[column] for row in self.rows))
        texts = [_terminal_cell(cell).plain for cell in cells]
        parts = (text.split() if heading in self.wrapping else text.splitlines() for text in texts)
        return max(map(cell_len, chain.from_iterable(parts)), default=0)

    def _terminal(self, columns: Collection[int], caption: str, width_of_names: int) -> Table:
        from rich.table import Table
        from rich.text import Text

        table = Table(title=Text(caption) if caption else None, title_justify="left")
        for column in columns:
            heading, shown = self.headings[column], _terminal_cell(self._heads[column])
            justify: Literal["left", "right"] = "left" if column < self.left else "right"
            if column == 0:
                table.add_column(shown, overflow="fold", max_width=width_of_names)
            else:
                table.add_column(shown, justify=justify, no_wrap=heading not in self.wrapping)
        for index, row in enumerate(self.rows):
            if index == self.rule_before:
                table.add_section()
            table.add_row(*(_terminal_cell(row[column]) for column in columns))
        return table


def _markdown_cell(cell: Cell) -> str:
    text = markdown_code(cell.text) if cell.code else markdown_cell_text(cell.text)
    for applies, around in ((cell.bold, "**"), (cell.italic, "*")):
        text = f"{around}{text}{around}" if applies and text else text
    detail, note = markdown_cell_text(cell.detail), markdown_cell_text(cell.note)
    return _behind(text, MARK if cell.marked else "", detail and f"({detail})", note)


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


def csv_of(headings: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """Values for programs; None is an empty cell."""
    texts = [[Cell("" if value is None else str(value)) for value in row] for row in rows]
    return TextTable(headings, texts).csv()
