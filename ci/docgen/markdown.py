"""Markdown tables from rows of cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: int = 0) -> str:
    """A table whose last `numbers` columns are aligned to the right; a `|` in a cell is escaped."""
    words = len(header) - numbers
    lines = [_row(header), "|" + "---|" * words + "---:|" * numbers]
    return "\n".join([*lines, *(_row(row) for row in rows)])


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", r"\|") for cell in cells) + " |"


def how(data: dict[str, object]) -> str:
    """The line below a table: its command, and the date and the machine where they are known."""
    parts = [f"`{data['command']}`", *(str(data[key]) for key in ("date", "machine") if key in data)]
    return f"\nSource: {', '.join(parts)}."
