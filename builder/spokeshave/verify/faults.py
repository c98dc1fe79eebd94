"""The faults of a wheel's tests, imports and BLAS, compared with the PyPI wheel's. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from spokeshave.build.wheelhouse import Candidate
from spokeshave.inside.model import BuildPlan
from spokeshave.inside.stub_message import is_for
from spokeshave.verify.outcomes import Comparison
from spokeshave.verify.paired_run import Level, Results


def loss_faults(level: Level, comparison: Comparison) -> list[str]:
    """The lost tests, the skips that fit no test, and a level that verifies nothing."""
    lost = [f"lost: {loss.test} ({loss.stock} -> {loss.ours})" for loss in comparison.losses]
    unmatched = [f"skip matches no test: {test}" for test in comparison.unmatched_skips]
    return [*lost, *unmatched, *scope_faults(level, comparison)]


def own_faults(faults: list[str], excused: Callable[[], Collection[str]]) -> list[str]:
    """The faults that `excused` does not return; it is called only if there are faults."""
    known = frozenset(excused()) if faults else frozenset()
    return [fault for fault in faults if fault not in known]


def expected_cores(candidate: Candidate) -> tuple[str, ...]:
    """The recipe's cores that the profile's kernels and the base of the build provide."""
    variables = candidate.plan.compile.settings.get("variables", {})
    table = candidate.plan.compile.settings.get("library") or {}
    kernels = str(variables.get(table.get("kernels_variable"), "")).split()
    provided = {*kernels, str(variables.get("TARGET", ""))}
    return tuple(core for core in candidate.loaded.recipe.verify.cores if core.upper() in provided)


def compiler_faults(candidate: Candidate, level: Level, stock: Results) -> list[str]:
    """At level full, the tests that need a compiler must have run: else there was none."""
    wanted = candidate.loaded.recipe.verify.compiler
    ran = any(t.startswith(wanted) and o[0] == "passed" for t, o in stock.outcomes.items())
    if level != "full" or not wanted or ran:
        return []
    return ["no test that needs a compiler passed with the PyPI wheel: the test environment has no compiler"]


def scope_faults(level: Level, comparison: Comparison) -> list[str]:
    """A level verifies nothing where all of its tests are of components that the profile removes."""
    if comparison.ours.get("passed") or not comparison.stock.get("passed"):
        return []
    higher = {"smoke": "; verify with --level core", "core": "; verify with --level full"}.get(level, "")
    return [f"no upstream test of level {level} passed: all are of removed components{higher}"]


def import_faults(ours: Results, stock: Results, plan: BuildPlan) -> list[str]:
    """Public modules that import, or answer help() or a pickle, with the PyPI wheel alone.

    A module that the profile removes must fail with its stub's message instead.
    """
    faults = []
    removed = [module for part in plan.removed for module in part.modules]
    late = {module for part in plan.removed for module in part.late}  # these can be imported
    for name in stock.imported:
        above = next((m for m in removed if name == m or name.startswith(f"{m}.")), None)
        why = ours.import_failures.get(name, "there is no such module")
        if above is None and name not in ours.imported:
            faults.append(f"import {name}: {why}")
        elif name == above and name not in late and not is_for(name, why):
            faults.append(f"import {name}: not its stub's message, but {why}")
    return faults + [f"{what}: {why}" for what, why in ours.unsound.items() if what not in stock.unsound]


def blas_faults(blas: Mapping[str, Any], cores: tuple[str, ...]) -> list[str]:
    """Kernels that are missing, or not the ones that fit the CPU's features."""
    faults = []
    expected = next((core for core in blas["runnable"] if core in cores), "none")
    if blas["default"] != expected:
        faults.append(f"the BLAS chose {blas['default']} where {expected} fits this CPU")
    for core, answer in blas["forced"].items():
        if core in cores and answer != core:
            faults.append(f"OPENBLAS_CORETYPE={core} gave {answer}")
    return faults
