"""What makes a wheel smaller: one file a lever, in the order in which they act."""

from __future__ import annotations

from spokeshave.inside.levers import (
    alignment,
    comments,
    compiled_docstrings,
    cython_docstrings,
    docstrings,
    folding,
    indentation,
    link_time,
    optimisation,
    sections,
    source_files,
    symbols,
    test_modules,
    tests,
    unwind,
)
from spokeshave.inside.levers.lever import Lever

LEVERS: tuple[Lever, ...] = (
    tests.LEVER,
    test_modules.LEVER,
    source_files.TYPING,
    source_files.SOURCES,
    source_files.HEADERS,
    docstrings.LEVER,
    comments.LEVER,
    indentation.LEVER,
    cython_docstrings.LEVER,
    compiled_docstrings.LEVER,
    optimisation.LEVER,
    alignment.LEVER,
    unwind.LEVER,
    sections.LEVER,
    folding.LEVER,
    link_time.LEVER,
    symbols.LEVER,
)


def lever_named(name: str) -> Lever:
    """The lever of that name; raises KeyError where there is none."""
    return {known.name: known for known in LEVERS}[name]
