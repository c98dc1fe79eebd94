"""The tests that a PyPI wheel brings, as its recipe runs them: from the archive of what was moved out."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from spokeshave.slim.model import Slimmed
from spokeshave.slim.recipe_use import RecipeUse
from spokeshave.slim.upstream import Suite

_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*==[\w.+!]+)", re.MULTILINE)


def suite_of_wheel(use: RecipeUse, slimmed: Slimmed, select: tuple[str, ...], folder: Path) -> Suite:
    """The recipe's tests of level core, or `select`; `folder` gets the files of the archive.

    Tests that need a compiler, and those that the recipe skips for a lever that is on, are not run.
    """
    verify = use.loaded.recipe.verify
    if slimmed.tests:
        with zipfile.ZipFile(slimmed.tests) as files:
            files.extractall(folder)  # our own archive, of names that were checked when the wheel was read
    own = use.plan.distribution
    pins = [pin for pin in _PIN.findall(use.loaded.files[verify.requires]) if not pin.startswith(f"{own}==")]
    return Suite(
        sdist=folder,
        inside={},
        beside=(),
        over=folder,
        selection=select or verify.core,
        marker=verify.marker,
        options=(*verify.options, *_deselected(use)),
        removed=_removed(use, slimmed),
        parts={(own, part.component): part.component for part in use.plan.removed},
        requires=tuple(pins),
    )


def _removed(use: RecipeUse, slimmed: Slimmed) -> Mapping[str, str]:
    """Starts of node ids of tests that were removed with a component, to its name."""
    return {
        f"{module.replace('.', '/')}/": part.component
        for part in use.plan.removed
        for module in part.modules
        if module in slimmed.removals.stubs
    }


def _deselected(use: RecipeUse) -> Iterator[str]:
    """The options of pytest for tests that are not run, with the wheel's folder as the root."""
    verify = use.loaded.recipe.verify
    on = {setting.name for setting in use.plan.levers}
    known = {part.name: part for part in use.loaded.recipe.components}
    parts = [row.test for part in use.plan.removed for row in known[part.component].tests]
    skips = [skip.test for skip in verify.skip if skip.lever in on]
    for test in (*verify.compiler, *skips, *parts):
        whole = test.endswith((".py", "/"))
        yield f"--ignore-glob=*/{test.rstrip('/')}" if whole else f"--deselect={test}"
