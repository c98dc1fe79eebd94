"""One paired check of all wheels: PyPI's in one venv, ours in another, all else the same."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from spokeshave import own_code
from spokeshave.context import Context
from spokeshave.errors import EngineMissing
from spokeshave.inside.model import Target, digest_of
from spokeshave.machine.venvs import Interpreter, Venv, find_interpreter
from spokeshave.shrink.blame import Fault
from spokeshave.shrink.help_texts import Helps, Script, commands_of, compare_help, without_labels
from spokeshave.shrink.lanes import side_by_side
from spokeshave.shrink.model import Chosen
from spokeshave.shrink.module_pairs import Modules, compare_modules, modules_to_compare
from spokeshave.shrink.set_venvs import Sets

_KIND = "paired"  # of the store's entries: passed checks
_RECORD = "check.json"
_WORD = re.compile(r"[\w.-]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """The result of the check, or why there was none (`skipped`).

    All by project: `imported` counts modules that import from both, `failing` names those that fail with
    PyPI's, with the reason, `scripts` counts commands whose `--help` is the same.
    """

    skipped: str = ""
    imported: Mapping[str, int] = field(default_factory=dict)
    failing: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    scripts: Mapping[str, int] = field(default_factory=dict)

    def levels(self, chosen: Sequence[Chosen]) -> dict[str, str]:
        """The level of each wheel (by sha256) of which a module was imported."""
        if self.skipped:
            return {}
        return {one.sha256: "imports" for one in chosen if self.imported.get(one.pick.project)}


def why_not_checked(context: Context, target: Target) -> tuple[str, Interpreter | None]:
    """Why the wheels of a target cannot be installed here, or the interpreter that can."""
    if target.arch != platform.machine() or platform.system() != "Linux":
        return f"wheels for {target.arch} Linux cannot be imported on {platform.machine()}", None
    try:
        return "", find_interpreter(target, "the check", runner=context.runner)
    except EngineMissing as fault:
        return fault.what, None


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """How ours compare with PyPI's: imports, commands and requirements."""

    modules: Modules
    helps: Helps
    requirements: tuple[Fault, ...]

    @property
    def faults(self) -> tuple[Fault, ...]:
        return (*self.modules.faults, *self.helps.faults, *self.requirements)

    def checked(self) -> Checked:
        """The result to show and to store."""
        return Checked(imported=self.modules.imported, failing=self.modules.failing, scripts=self.helps.same)


@dataclass(frozen=True, kw_only=True, slots=True)
class Both:
    """The two venvs of a set, that of PyPI's wheels first, and a folder for results."""

    context: Context
    sets: Sets
    pair: tuple[Venv, Venv]
    folder: Path

    def replace(self, new: Chosen, unneeded: Sequence[str]) -> None:
        """Changes the venv of ours; raises VerifyError where that fails."""
        self.sets.replace(self.pair[1], new, unneeded)

    def compare(
        self,
        chosen: Sequence[Chosen],
        projects: Collection[str],
        before: Compared | None = None,
        faults: Sequence[Fault] = (),
    ) -> Compared:
        """Compares imports and commands of projects, all requirements, and where there were faults.

        Other results are those of `before`.
        """
        wanted, scripts = _wanted(chosen, projects, faults)
        with self.context.reporter.stage(f"importing {sum(map(len, wanted.values())):,} modules from both"):
            modules = compare_modules(
                self.context,
                chosen,
                self.pair,
                self.folder,
                wanted=wanted,
                before=before.modules if before else None,
            )
        with self.context.reporter.stage(f"starting {len(scripts)} commands with --help from both"):
            helps = compare_help(
                self.context,
                chosen,
                self.pair,
                self.folder / "help",
                wanted=scripts,
                before=before.helps if before else None,
            )
        with self.context.reporter.stage("checking requirements of both"):
            requirements = self._requirements(chosen)
        return Compared(modules=modules, helps=helps, requirements=requirements)

    def _requirements(self, chosen: Sequence[Chosen]) -> tuple[Fault, ...]:
        """The lines of `pip check` that only ours have, by the first project that each names."""
        jobs = [partial(self.sets.check_requirements, venv) for venv in self.pair]
        theirs, ours = side_by_side(self.context.cpus, jobs)
        if ours.ok:
            return ()
        known = {str(one.pick.project) for one in chosen}
        found = []
        for line in ours.output.splitlines():
            names = [name for word in _WORD.findall(line) if (name := canonicalize_name(word)) in known]
            if names and without_labels(line, chosen) not in theirs.output:
                text = f"its requirements are not met: {line.strip()}"
                found.append(Fault(project=names[0], kind="requirement", name=line, text=text))
        return tuple(found)


def _wanted(
    chosen: Sequence[Chosen], projects: Collection[str], faults: Sequence[Fault]
) -> tuple[dict[str, list[str]], list[Script]]:
    """Modules and commands of projects, and those of the faults of others."""
    wanted = {
        str(one.pick.project): list(modules_to_compare(one))
        for one in chosen
        if not one.extra and one.pick.project in projects
    }
    scripts = [(name, script) for name in wanted for script in commands_of(_stock(chosen, name))]
    for fault in faults:
        if fault.project not in projects and fault.kind == "module":
            wanted.setdefault(fault.project, []).append(fault.name)
        elif fault.project not in projects and fault.kind == "command":
            scripts.append((fault.project, fault.name))
    return wanted, scripts


def _stock(chosen: Sequence[Chosen], project: str) -> Path:
    return next(one.stock for one in chosen if one.pick.project == project)


def both_of(
    context: Context, chosen: Sequence[Chosen], python: Interpreter, extra: Sequence[str], folder: Path
) -> Both:
    """Makes the two venvs in `folder`; raises VerifyError where one set cannot be installed."""
    sets = Sets(context=context, folder=folder)
    with context.reporter.stage(f"installing {len(chosen)} wheels of PyPI's and ours"):
        return Both(context=context, sets=sets, pair=sets.pair(chosen, python.path, extra), folder=folder)


def stored_check(context: Context, key: str) -> tuple[Checked, Mapping[str, Mapping[str, Any]]] | None:
    """The result that is stored by `key_of`, and how faulty wheels were mended, by project."""
    entry = context.store.get(_KIND, key)
    if entry is None:
        return None
    record = json.loads((entry / _RECORD).read_text("utf-8"))
    return Checked(**record["checked"]), record["mends"]


def store_check(context: Context, key: str, checked: Checked, mends: Mapping[str, Any]) -> None:
    """Stores a result without faults, and how faulty wheels were mended."""
    text = json.dumps({"checked": asdict(checked), "mends": mends})
    context.store.put(_KIND, key, lambda folder: (folder / _RECORD).write_text(text, "utf-8"))


def key_of(chosen: Sequence[Chosen], python: Interpreter, extra: Sequence[str]) -> str:
    """The key of a check: the wheels, our code, the interpreter and further requirements."""
    rows = sorted([one.pick.project, one.pick.sha256, one.sha256] for one in chosen)
    return digest_of([rows, own_code.code_digest("shrink"), python.identity, *extra])
