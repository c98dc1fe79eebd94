"""Test outcomes of PyPI wheels, kept in the store: the same wheels run once for the same tests."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from spokeshave import own_code
from spokeshave.build.wheelhouse import Candidate, stock_pins
from spokeshave.context import Context
from spokeshave.errors import VerifyError
from spokeshave.inside.model import digest_of
from spokeshave.sources.stock import stock_wheel


def kept_outcomes(
    context: Context, candidate: Candidate, facts: Sequence[Any], run: Callable[[list[Path]], Path]
) -> Path:
    """The folder with the results of the PyPI wheels of a candidate and its stack.

    The key is made of the wheels' hashes, of `facts` (environment, tests and requirements, as JSON) and of
    our code that runs the tests. If the store has no results, `run` runs the wheels and returns their folder.
    Raises VerifyError where a recipe pins no PyPI wheel.
    """
    pins = stock_pins(candidate)
    if len(pins) <= len(candidate.stack):
        raise VerifyError(
            f"recipe {candidate.loaded.recipe.name} or one of its stack pins no PyPI wheel for"
            f" {candidate.plan.target.identifier}",
            next_step="add its sha256 under `[versions.stock]`",
        )
    key = digest_of([[pin.sha256 for pin in pins], *facts, own_code.code_digest("test")])
    with context.store.locked("outcomes", key):
        stored = context.store.get("outcomes", key)
        if stored is None:
            results = run([stock_wheel(context, pin, candidate.plan.target) for pin in pins])
            stored = context.store.put("outcomes", key, lambda new: _copy_folder(results, new))
    return stored


def _copy_folder(source: Path, target: Path) -> None:
    shutil.copytree(source, target, dirs_exist_ok=True)
