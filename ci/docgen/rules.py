"""The table of all rules for PyPI wheels, from recipes/rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from docgen.markdown import table
from spokeshave.recipes.rule_book import rule_names, rules_of
from spokeshave.recipes.rule_schema import LocaleTable, PartTable, RowTable, RulesFile


def rules(recipes: Path) -> str:
    """A row for each rule, component and set of languages, the largest first."""
    files = [
        found for name in rule_names([recipes]) if (found := rules_of([recipes], name)) and not found.draft
    ]
    rows = sorted((row for file in files for row in _rows(file)), key=lambda row: (-row[0], row[1]))
    cells = [[*words, f"{saved / 1e6:.2f}"] for saved, *words in rows]
    header = ["package", "name", "removed", "reason", "then", "MB"]
    return f"{table(header, cells, numbers=1)}\n\nSource: `ci/rules --sizes`, MB (10⁶ bytes) unpacked."


def _rows(file: RulesFile) -> Iterator[tuple[int, str, str, str, str, str]]:
    for row in file.rows():
        missed = row.missed if isinstance(row, PartTable | LocaleTable) else ""
        yield row.saved, f"{file.name} {file.sizes}", f"`{row.name}`", _when(file, row), row.reason, missed


def _when(file: RulesFile, row: RowTable) -> str:
    if isinstance(row, PartTable):
        return f"`--remove {file.name}/{row.name}`"
    return "`--locales de,en`" if isinstance(row, LocaleTable) else "by default"
