"""One package's rules on real wheels: the bytes that each row saves, and its test with both wheels."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rulecheck import worker
from spokeshave.errors import VerifyError
from spokeshave.inside.model import Target
from spokeshave.inside.run import SYSTEM_PATH, Command, clean_environment, run
from spokeshave.inside.stub_message import MARK
from spokeshave.machine.venvs import Venv, install_alike, make_venv
from spokeshave.recipes.rule_schema import RulesFile, RuleTable
from spokeshave.slim.import_check import compare_imports, import_all, modules_to_try
from spokeshave.slim.intake import read_stock
from spokeshave.slim.make_wheel import Known, slim
from spokeshave.slim.model import RULES, Settings, Slimmed
from spokeshave.slim.rules import choose
from spokeshave.slim.two_venvs import make_pair
from spokeshave.sources.download import download_requirement

LOCALES = ("de", "en")  # those that the check keeps
_SECONDS = 1200.0  # for the tests of a package with one wheel; the slowest takes 60 on two CPUs


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """The result for one version: bytes of the PyPI wheel, bytes saved by row, tests run, faults."""

    version: str
    bytes: int
    saved: Mapping[str, int]
    tests: int
    faults: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Checker:
    """Checks the rules of one package in an empty folder; the rules are in a folder of recipes."""

    recipes: Path
    rules: RulesFile
    folder: Path
    tests: bool = True
    imports: bool = True

    def all(self) -> Iterator[Checked]:
        """Each tested version, that of the sizes first."""
        for version in (self.rules.sizes, *(self.rules.tested if self.tests else ())):
            yield self.one(version)

    def one(self, version: str) -> Checked:
        """The PyPI wheel compared with one that has all rules on, and with one that has all removed."""
        folder = self.folder / version
        folder.mkdir(parents=True)
        target = Target()
        wheel = download_requirement(
            f"{self.rules.name}=={version}",
            folder / "fetched",
            python_tag=target.python,
            platforms=target.pip_platforms,
            runner=run,
            log=folder / "pip.log",
        )
        rows = [row for row in self.rules.rows() if row.holds(version, target.arch)]
        on = [row for row in rows if isinstance(row, RuleTable)]
        sides = {}
        if on or self.rules.keep:
            sides["rules"] = self._slim(wheel, Settings(levers=(RULES,)), folder / "rules")
        if len(on) < len(rows):
            names = tuple(f"{self.rules.name}/{row.name}" for row in self.rules.components)
            bare = Settings(levers=(RULES,), remove=names, locales=LOCALES)
            sides["bare"] = self._slim(wheel, bare, folder / "bare")
        savings = [row for slimmed in sides.values() for row in slimmed.savings]
        notes = dict.fromkeys(note for row in savings for note in row.notes)
        faults = self._compare(version, sides, folder) if self.tests else ()
        return Checked(
            version=version,
            bytes=next(iter(sides.values())).before.unpacked,
            saved={row.lever.partition("/")[2]: row.saved for row in savings},
            tests=len(self._functions(version, "rules")) + len(self._functions(version, "bare")),
            faults=(*notes, *faults),
        )

    def _slim(self, wheel: Path, settings: Settings, folder: Path) -> Slimmed:
        (folder / "work").mkdir(parents=True)
        stock = read_stock(wheel)
        known = Known(rules=choose((self.recipes,), stock, settings, drafts=True))
        return slim(stock, settings, output=folder / "made", scratch=folder / "work", known=known)

    def _functions(self, version: str, side: str) -> list[str]:
        """The tests for a side, each once: of rules with rules alone, of others with all removed."""
        rows = [row for row in self.rules.rows() if row.holds(version, Target().arch)]
        kept = [row.test for row in self.rules.keep if row.holds(version) and side == "rules"]
        tests = [row.test for row in rows if isinstance(row, RuleTable) == (side == "rules")]
        return list(dict.fromkeys([*tests, *kept]))

    def _compare(self, version: str, sides: Mapping[str, Slimmed], folder: Path) -> Iterator[str]:
        """The faults of the slim wheels: imports, results of tests, stubs without their message.

        Imports are compared where most is removed: with less removed, no more of them can fail.
        """
        stock: Venv | None = None
        for side, slimmed in sorted(sides.items()):  # `bare` comes first
            where = folder / f"venvs-{side}"
            where.mkdir()
            stock, ours = self._venvs(stock, slimmed, where)
            if self.imports and (len(sides) == 1 or side == "bare"):
                names = modules_to_try(slimmed)
                theirs = import_all(stock, names, folder=where / "stock-imports", runner=run)
                ends = where / "slim-imports"
                imports = compare_imports(theirs, ours, folder=ends, runner=run, excused=slimmed.excused)
                yield from imports.faults
                if not imports.imported:
                    yield "no module was imported"
            tests = self._functions(version, side)
            yield from _differences(self._results(stock, tests, where), self._results(ours, tests, where))
            if side == "bare":
                yield from self._stub_faults(version, ours, where)

    def _venvs(self, stock: Venv | None, slimmed: Slimmed, folder: Path) -> tuple[Venv, Venv]:
        """The venv of the PyPI wheel, unless there is one, and the one of ours."""
        log = folder / "pip.log"
        if stock is None:
            return make_pair(slimmed, extra=self.rules.requires, folder=folder, runner=run, log=log)
        ours, exclude = make_venv(folder / "slim", run, log), (slimmed.stock.project,)
        done = install_alike(ours, (str(slimmed.wheel),), like=stock, exclude=exclude, runner=run, log=log)
        if not done.ok:
            raise VerifyError(f"{slimmed.wheel.name} cannot be installed", log=log)
        return stock, ours

    def _results(self, venv: Venv, names: list[str], folder: Path) -> Mapping[str, Any]:
        """What the functions return in a venv, or why they fail."""
        file = self.recipes / "rules" / "tests" / f"{self.rules.name.replace('-', '_')}.py"
        return _run(venv, (str(file),), names, folder)

    def _stub_faults(self, version: str, ours: Venv, folder: Path) -> Iterator[str]:
        """Components whose modules do not say that they were removed."""
        rows = [row for row in self.rules.components if row.holds(version, Target().arch)]
        for module in (module for row in rows for module in row.modules):
            words = (ours.python, "-I", "-B", "-c", f"import {module}")
            done = run(Command(argv=words, cwd=folder, env=_environment(ours, folder), timeout=_SECONDS))
            if f"{module}{MARK}" not in done.output:
                last = "".join(done.output.splitlines()[-1:])
                yield f"import {module} does not end in its stub's message: {last}"


def _run(venv: Venv, words: tuple[str, ...], names: list[str], folder: Path) -> Mapping[str, Any]:
    results = folder / "results.json"
    results.unlink(missing_ok=True)
    argv = (venv.python, "-I", "-B", str(Path(worker.__file__)), *words, str(results), *names)
    done = run(Command(argv=argv, cwd=folder, env=_environment(venv, folder), timeout=_SECONDS))
    if not results.is_file():
        return {name: {"error": f"ended with {done.returncode}: {done.output[-500:]}"} for name in names}
    found: Mapping[str, Any] = json.loads(results.read_text("utf-8"))
    return found


def _environment(venv: Venv, folder: Path) -> Mapping[str, str]:
    """A separate home for each venv: caches of one must not serve the other."""
    home = folder / f"home-{venv.root.name}"
    home.mkdir(exist_ok=True)
    return clean_environment(home, path=f"{Path(venv.python).parent}:{SYSTEM_PATH}")


def _differences(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[str]:
    for name, row in theirs.items():
        if "error" in row:
            yield f"{name} fails with the PyPI wheel: {row['error']}"
        elif row["result"] in (None, [], {}, "", 0):
            yield f"{name} returns nothing that could differ"
        elif ours[name] != row:
            yield f"{name} differs: {_short(row)} with the PyPI wheel, {_short(ours[name])} with ours"


def _short(row: Mapping[str, Any]) -> str:
    text = str(row.get("error", row.get("result")))
    return text if len(text) <= 400 else f"{text[:200]} … {text[-200:]}"
