"""The exit codes: classes and descriptions from the code, remedies from docs/data/errors.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

from docgen.markdown import table
from spokeshave import errors


def classes() -> list[type[errors.SpokeshaveError]]:
    """All error classes, by exit code and then in the order of the module."""
    found = [
        one
        for one in vars(errors).values()
        if isinstance(one, type) and issubclass(one, errors.SpokeshaveError)
    ]
    return sorted(found, key=lambda one: one.exit_code)


def remedies(path: Path) -> dict[str, str]:
    """What to do, by class name."""
    return dict(tomllib.loads(path.read_text("utf-8"))["remedy"])


def sections(path: Path) -> str:
    """A table of all codes and a section for each class; raises KeyError for one without a remedy."""
    known = remedies(path)
    rows = [[one.exit_code, f"[`{one.__name__}`](#{one.__name__.lower()})", _what(one)] for one in classes()]
    parts = [table(["code", "class", "meaning"], rows)]
    parts += [
        f"## {one.__name__}\n\nExit code {one.exit_code}. {_what(one)}\n\nNext: {known[one.__name__]}"
        for one in classes()
    ]
    return "\n\n".join(parts)


def _what(one: type[errors.SpokeshaveError]) -> str:
    return (one.__doc__ or "").splitlines()[0]
