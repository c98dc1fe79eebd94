"""Tables for terminals of any width: no word is broken and no number is cut.

A table that is too wide for its terminal takes another form: it is split by columns where its rows have
labels; else its texts share one column; else each row is a block of lines.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich.box import SIMPLE
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

Cell = str | Text
_GAP = 2
_READABLE = 20  # columns, below which a text of several words is a ladder of short lines


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, and what its cells are: numbers (to the right) and `whole` cells keep one line each."""

    heading: str
    number: bool = False
    whole: bool = False

    @property
    def kept(self) -> bool:
        """Whether the cells keep their lines."""
        return self.number or self.whole


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """Rows below headings, in the form that fits where they are printed.

    The first `labels` columns name a row: where all columns are too wide, the others are split over several
    tables, with the labels in each. `styles` are those of the rows; a rule follows the rows in `sections`.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    title: str = ""
    labels: int = 0
    styles: Sequence[str | None] = ()
    sections: frozenset[int] = field(default_factory=frozenset)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from self._forms(options.max_width)
        if self.title:
            yield Text()

    def _forms(self, width: int) -> Iterator[RenderableType]:
        groups = [list(range(len(self.columns)))]
        shown = self
        if self._needs(groups[0]) > width:
            groups = self._split(width) if self.labels else []
            if not groups and (merged := self._merged()):
                shown, groups = merged, [list(range(len(merged.columns)))]
        if not groups or any(shown._needs(group) > width for group in groups):
            yield from self._titled(self.title)
            yield from self._blocks(width)
            return
        for at, group in enumerate(groups):
            yield from self._titled(f"{self.title}, continued" if at and self.title else self.title)
            yield shown._table(group, width)

    def _titled(self, title: str) -> Iterator[Text]:
        if title:
            yield Text(title, style="italic")

    def _needs(self, shown: Sequence[int]) -> int:
        """The narrowest width of a table of some columns."""
        return sum(self._narrowest(at) for at in shown) + _GAP * (len(shown) - 1)

    def _narrowest(self, at: int) -> int:
        if self.columns[at].kept:
            return self._widest(at)
        words = [_longest_word(text) for text in (self.columns[at].heading, *self._cells(at))]
        return max(*words, min(self._widest(at), _READABLE))

    def _widest(self, at: int) -> int:
        cells = max((cell_len(line) for cell in self._cells(at) for line in cell.split("\n")), default=0)
        heading = self.columns[at].heading
        return max(cells, _longest_word(heading) if self.columns[at].kept else cell_len(heading))

    def _cells(self, at: int) -> list[str]:
        return [_plain(row[at]) for row in self.rows]

    def _split(self, width: int) -> list[list[int]]:
        """The columns of each table, none where not even one column fits next to the labels."""
        names = list(range(self.labels))
        groups: list[list[int]] = []
        for at in range(self.labels, len(self.columns)):
            if self._needs([*names, at]) > width:
                return []
            if not groups or self._needs([*groups[-1], at]) > width:
                groups.append(list(names))
            groups[-1].append(at)
        return groups

    def _merged(self) -> Listing | None:
        """The numbers, and all texts of a row in one column."""
        numbers = [at for at, column in enumerate(self.columns) if column.number]
        texts = [at for at, column in enumerate(self.columns) if not column.number]
        if not (numbers and len(texts) > 1):
            return None
        heading = ", ".join(self.columns[at].heading for at in texts if self.columns[at].heading)
        rows = [[*(row[at] for at in numbers), self._joined(row)] for row in self.rows]
        columns = [*(self.columns[at] for at in numbers), Column(heading)]
        return Listing(columns=columns, rows=rows, styles=self.styles, sections=self.sections)

    def _joined(self, row: Sequence[Cell]) -> Text:
        """The texts of a row: `whole` ones side by side, others on separate lines."""
        found, gap = Text(), Text()
        for column, cell in zip(self.columns, row, strict=True):
            if not column.number and _plain(cell):
                if found:
                    found.append_text(gap if column.whole else Text("\n"))
                found.append_text(_text(cell))
                gap = Text("  " if column.whole else "\n")
        return found

    def _table(self, shown: Sequence[int], width: int) -> Table:
        widths = self._widths(shown, width)
        table = Table(box=SIMPLE, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False)
        for at in shown:
            column = self.columns[at]
            heading = "\n".join(textwrap.wrap(column.heading, widths[at]))
            table.add_column(
                Text(heading),
                justify="right" if column.number else "left",
                vertical="top",
                width=widths[at],
                no_wrap=column.kept,
            )
        for number, row in enumerate(self.rows):
            style = self.styles[number] if self.styles else None
            cells = [_text(row[at]) for at in shown]
            table.add_row(*cells, style=style, end_section=number in self.sections)
        return table

    def _widths(self, shown: Sequence[int], width: int) -> dict[int, int]:
        """The narrowest widths, and what is left over to the texts that want it, in equal parts."""
        widths = {at: self._narrowest(at) for at in shown}
        left = width - self._needs(shown)
        while wanting := [at for at in shown if widths[at] < self._widest(at)][:left]:
            for at in wanting:
                widths[at] += 1
            left -= len(wanting)
        return widths

    def _blocks(self, width: int) -> Iterator[Text]:
        """Each row as its texts, side by side while there is room, and its numbers behind their headings."""
        blocks = [list(self._block(row, width)) for row in self.rows]
        tall = any(len(block) > 1 for block in blocks)
        for block in blocks:
            for line in block:
                yield Text(line, no_wrap=True, overflow="ignore")
            if tall:
                yield Text()

    def _block(self, row: Sequence[Cell], width: int) -> Iterator[str]:
        pairs = [
            (column, _plain(cell)) for column, cell in zip(self.columns, row, strict=True) if _plain(cell)
        ]
        texts = _packed([text for column, text in pairs if not column.number], width, "  ")
        numbers = [f"{column.heading} {text}".strip() for column, text in pairs if column.number]
        lines = [*texts, *_packed(numbers, width - _GAP, ", ")]
        for at, line in enumerate(lines):
            yield from folded(line, width, indent=" " * _GAP if at else "", rest=" " * (0 if at else _GAP))


def _packed(parts: Sequence[str], width: int, gap: str) -> list[str]:
    """Lines of as many parts as a width holds."""
    lines: list[str] = []
    for part in parts:
        longer = f"{lines[-1]}{gap}{part}" if lines else ""
        if lines and cell_len(longer) <= width - _GAP:
            lines[-1] = longer
        else:
            lines.append(part)
    return lines


def show(console: Console, *things: RenderableType) -> None:
    """Prints listings and other things; what cannot be folded runs on, and is not cut off."""
    for thing in things:
        console.print(thing, crop=False)


def heading(console: Console, text: str) -> None:
    """Prints a rule with a title in it; a title that is too long for one has separate lines."""
    if cell_len(text) + 2 * _GAP <= console.width:
        console.rule(Text(text))
    else:
        console.rule()
        say(console, text)


def say(console: Console, text: str, indent: str = "    ") -> None:
    """Prints lines: folded between words on a terminal, with `indent` before the rest; whole in a pipe."""
    lines = text.split("\n")
    if console.is_terminal:
        lines = [part for line in lines for part in folded(line, console.width, rest=indent)]
    for line in lines:
        console.print(line, markup=False, highlight=False, emoji=False, soft_wrap=True)


def folded(text: str, width: int, *, indent: str = "", rest: str = "") -> list[str]:
    """The lines of a text that fit a width, broken between words alone: a longer word has a longer line.

    `indent` is put before all lines, and `rest` before those after a line's first.
    """
    lines: list[str] = []
    for part in text.split("\n"):
        start = indent + part[: len(part) - len(part.lstrip(" "))]
        begun = start
        for space, word in re.findall(r"( *)([^ ]+)", part.lstrip(" ")):
            longer = begun + (space if begun.strip() else "") + word
            if begun.strip() and cell_len(longer) > width:
                lines.append(begun)
                longer = f"{start}{rest}{word}"
            begun = longer
        lines.append(begun.rstrip())
    return lines


def _longest_word(text: str) -> int:
    return max((cell_len(word) for word in text.split()), default=0)


def _plain(cell: Cell) -> str:
    return cell.plain if isinstance(cell, Text) else cell


def _text(cell: Cell) -> Text:
    return cell if isinstance(cell, Text) else Text(cell)
