"""One paired check of all wheels: PyPI's in one venv, ours in another, all else the same."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from spokeshave import own_code
from spokeshave.context import Context
from spokeshave.errors import EngineMissing
from spokeshave.inside.model import Target, digest_of
from spokeshave.machine.venvs import (
    Interpreter,
    Venv,
    find_interpreter,
    run_pip,
)
from spokeshave.shrink.help_texts import compare_help, without_labels
from spokeshave.shrink.lanes import side_by_side
from spokeshave.shrink.model import Chosen
from spokeshave.shrink.module_pairs import compare_modules
from spokeshave.shrink.set_venvs import make_pair_of_sets

_KIND = "paired"  # of the store's entries: passed checks
_RECORD = "check.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """The result of the check, or why there was none (`skipped`).

    All by project: `imported` counts modules that import from both, `failing` names those that fail with
    PyPI's, with the reason, `scripts` counts commands whose `--help` is the same, `faults` is what ours
    lacks.
    """

    skipped: str = ""
    imported: Mapping[str, int] = field(default_factory=dict)
    failing: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    scripts: Mapping[str, int] = field(default_factory=dict)
    faults: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def levels(self, chosen: Sequence[Chosen]) -> dict[str, str]:
        """The level of each wheel (by sha256) of which a module was imported and that has no fault."""
        if self.skipped:
            return {}
        return {
            one.sha256: "imports"
            for one in chosen
            if self.imported.get(one.pick.project) and not self.faults.get(one.pick.project)
        }


def why_not_checked(context: Context, target: Target) -> tuple[str, Interpreter | None]:
    """Why the wheels of a target cannot be installed here, or the interpreter that can."""
    if target.arch != platform.machine() or platform.system() != "Linux":
        return f"wheels for {target.arch} Linux cannot be imported on {platform.machine()}", None
    try:
        return "", find_interpreter(target, "the check", runner=context.runner)
    except EngineMissing as fault:
        return fault.what, None


def check_all(
    context: Context, chosen: Sequence[Chosen], python: Interpreter, extra: Sequence[str], folder: Path
) -> tuple[Checked, tuple[Venv, Venv]]:
    """Compares imports, commands and `pip check`; returns the venvs too, that of PyPI's wheels first.

    Raises VerifyError where one set cannot be installed.
    """
    with context.reporter.stage(f"installing {len(chosen)} wheels of PyPI's and ours"):
        pair = make_pair_of_sets(context, chosen, python.path, extra, folder)
    with context.reporter.stage("importing all modules from both"):
        modules = compare_modules(context, chosen, pair, folder / "imports")
    with context.reporter.stage("starting all commands with --help from both"):
        scripts = compare_help(context, chosen, pair, folder / "help")
    faults: dict[str, tuple[str, ...]] = {}
    for more in (modules.faults, scripts.faults, _pip_check(context, chosen, pair)):
        for project, texts in more.items():
            faults[project] = (*faults.get(project, ()), *texts)
    checked = Checked(imported=modules.imported, failing=modules.failing, scripts=scripts.same, faults=faults)
    return checked, pair


def stored_check(
    context: Context, chosen: Sequence[Chosen], python: Interpreter, extra: Sequence[str]
) -> Checked | None:
    """The result for the same wheels, by the same code and interpreter, if one is stored."""
    entry = context.store.get(_KIND, _key(chosen, python, extra))
    return Checked(**json.loads((entry / _RECORD).read_text("utf-8"))) if entry else None


def store_check(
    context: Context, chosen: Sequence[Chosen], python: Interpreter, extra: Sequence[str], checked: Checked
) -> None:
    """Stores a result without faults."""
    text = json.dumps(asdict(checked))
    context.store.put(
        _KIND, _key(chosen, python, extra), lambda folder: (folder / _RECORD).write_text(text, "utf-8")
    )


def _key(chosen: Sequence[Chosen], python: Interpreter, extra: Sequence[str]) -> str:
    rows = sorted([one.pick.project, one.pick.sha256, one.sha256] for one in chosen)
    return digest_of([rows, own_code.code_digest("shrink"), python.identity, *extra])


def _pip_check(
    context: Context, chosen: Sequence[Chosen], pair: tuple[Venv, Venv]
) -> Mapping[str, tuple[str, ...]]:
    """The lines of `pip check` that only ours have, by the project that each begins with."""
    jobs = [partial(run_pip, venv.python, ("check",), context.runner, None) for venv in pair]
    theirs, ours = side_by_side(context.cpus, jobs)
    if ours.ok:
        return {}
    known = {one.pick.project for one in chosen}
    found: dict[str, tuple[str, ...]] = {}
    for line in ours.output.splitlines():
        plain = without_labels(line, chosen)
        if plain not in theirs.output:
            project = line.split(" ", 1)[0] if line.split(" ", 1)[0] in known else chosen[0].pick.project
            found[project] = (*found.get(project, ()), f"pip check: {line}")
    return found
