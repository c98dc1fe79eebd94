"""The tests that a PyPI wheel brings, as its recipe runs them: from the archive of what was moved out."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from spokeshave.build.wheelhouse import BuiltWheel, Candidate
from spokeshave.context import Context
from spokeshave.slim.model import Slimmed
from spokeshave.slim.recipe_use import RecipeUse
from spokeshave.slim.slim_plan import loaded_for, plan_for
from spokeshave.slim.upstream import Suite
from spokeshave.verify.paired_run import PairedRun, test_lock

_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*==[\w.+!]+)", re.MULTILINE)


def suite_of_wheel(
    context: Context, use: RecipeUse, slimmed: Slimmed, select: tuple[str, ...], folder: Path
) -> Suite:
    """The recipe's tests of level core, or `select`; `folder` gets the files of the archive.

    `verify` skips the same tests: those that need a compiler, and those that the recipe skips for this wheel.
    """
    if slimmed.tests:
        with zipfile.ZipFile(slimmed.tests) as files:
            files.extractall(folder)  # our own archive, of names that were checked when the wheel was read
    run = PairedRun(context=context, candidate=_candidate(use, slimmed, select), level="core")
    verify = run.candidate.loaded.recipe.verify
    own = use.plan.distribution
    pins = [pin for pin in _PIN.findall(test_lock(run.candidate)) if not pin.startswith(f"{own}==")]
    return Suite(
        sdist=folder,
        inside={},
        beside=(),
        over=folder,
        selection=run.selection("core"),
        marker=verify.marker,
        options=(*verify.options, *_deselected(run)),
        removed={test: part for test, part in run.removed().items() if test.endswith("/")},
        parts=run.parts(),
        requires=tuple(pins),
    )


def _candidate(use: RecipeUse, slimmed: Slimmed, select: tuple[str, ...]) -> Candidate:
    """The wheel as `verify` takes it, alone; level core has the selected tests."""
    record = slimmed.to_json()
    plan = plan_for(use, slimmed.wheel, record, "host")
    loaded = loaded_for(use, slimmed.stock, slimmed.wheel)
    if select:
        verify = loaded.recipe.verify.model_copy(update={"core": select})
        loaded = replace(loaded, recipe=loaded.recipe.model_copy(update={"verify": verify}))
    own = BuiltWheel(path=slimmed.wheel, sha256=slimmed.sha256, plan=plan, tests=slimmed.tests)
    return Candidate(own=own, loaded=loaded, companions=())


def _deselected(run: PairedRun) -> Iterator[str]:
    """The options of pytest for tests that are not run, with the wheel's folder as the root."""
    compiler = run.candidate.loaded.recipe.verify.compiler
    rows = (test for test in run.removed() if not test.endswith("/"))
    for test in (*compiler, *(skip.test for skip in run.skips()), *rows):
        whole = test.endswith((".py", "/"))
        yield f"--ignore-glob=*/{test.rstrip('/')}" if whole else f"--deselect={test}"
