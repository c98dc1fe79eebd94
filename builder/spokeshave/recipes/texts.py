"""Texts of recipes name the version that is built as `{version}`, so that an update touches no text."""

from __future__ import annotations

import string
from collections.abc import Iterator
from typing import TypeVar

from spokeshave.nearest import did_you_mean
from spokeshave.recipes.build_schema import PROSE, TEXT, Strict

NAMES = ("version",)
Fault = tuple[str, str]  # key path with dots, and what is wrong there
Table = TypeVar("Table", bound=Strict)


def text_faults(table: Strict, path: str = "") -> Iterator[Fault]:
    """The texts of a table, and of those in it, that cannot be filled."""
    for name, field in type(table).model_fields.items():
        value, where = getattr(table, name), f"{path}{field.alias or name}"
        if isinstance(value, Strict):
            yield from text_faults(value, f"{where}.")
        elif isinstance(value, tuple):
            for number, one in enumerate(value):
                if isinstance(one, Strict):
                    yield from text_faults(one, f"{where}.{number}.")
        elif isinstance(value, str) and _is_text(type(table), name) and (fault := _fault(value)):
            yield where, fault


def filled(table: Table, *, version: str) -> Table:
    """A table with `{version}` replaced in its texts, and in those of the tables in it."""
    changed = {name: _filled(table, name, version) for name in type(table).model_fields}
    return table.model_copy(update=changed)


def _filled(table: Strict, name: str, version: str) -> object:
    value = getattr(table, name)
    if isinstance(value, str) and _is_text(type(table), name):
        return value.format(version=version)
    if isinstance(value, tuple):
        return tuple(filled(one, version=version) if isinstance(one, Strict) else one for one in value)
    return filled(value, version=version) if isinstance(value, Strict) else value


def _is_text(table: type[Strict], name: str) -> bool:
    marks = table.model_fields[name].metadata
    return PROSE in marks or TEXT in marks


def _fault(text: str) -> str:
    try:
        parts = [part[1:] for part in string.Formatter().parse(text) if part[1] is not None]
    except ValueError:
        return "a brace without its partner; write {{ or }} for a brace"
    for name, form, conversion in parts:
        if name not in NAMES:
            return f"unknown name {{{name}}}; {did_you_mean(str(name), NAMES)} ({{{{ stands for a brace)"
        if form or conversion:
            return f"{{{name}}} takes no format"
    return ""
