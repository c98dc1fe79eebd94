"""The image comparison uses the public functions of spokeshave alone."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from support import ROOT

MODULES = sorted(ROOT.joinpath("ci", "image").rglob("*.py"))


def imported(path: Path) -> set[str]:
    """The modules of spokeshave that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return {name for name in found if name.partition(".")[0] == "spokeshave"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_image_module_imports_only_the_api(path: Path) -> None:
    assert imported(path) <= {"spokeshave.api"}


def test_image_modules_that_use_the_api_are_found() -> None:
    assert sum("spokeshave.api" in imported(path) for path in MODULES) > 5
