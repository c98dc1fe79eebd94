"""Slim wheels as `verify` takes them: with the plan that they would have, had they been built."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from packaging.version import Version

from spokeshave.build.elf import elf_files
from spokeshave.build.pipeline import choose_engine
from spokeshave.build.wheelhouse import BuiltWheel, Candidate, candidates, own_stock_wheel, read_built
from spokeshave.context import Context
from spokeshave.errors import WheelError
from spokeshave.inside.model import BuildPlan, Target, file_sha256, is_of_profile
from spokeshave.inside.wheel import archives_of_tests, beside, parse_name, wheels_of
from spokeshave.recipes.book import Loaded
from spokeshave.slim.intake import read_stock
from spokeshave.slim.model import COMPONENT, Settings, Stock
from spokeshave.slim.recipe_use import LABEL, RecipeUse, Wish, find_use
from spokeshave.slim.slim_plan import acting, carrying, loaded_for, plan_for
from spokeshave.sources.stock import StockPin, stock_wheel
from spokeshave.verify.contents import library_faults

_AGAIN = "slim the PyPI wheel again: `spokeshave slim` writes the wheel and its record"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Slim:
    """A slim wheel, its recipe for its own version, and the plans of the libraries that the recipe links."""

    own: BuiltWheel
    loaded: Loaded
    libraries: tuple[BuildPlan, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reader:
    """Reads slim wheels; `named` are all wheels that the user named."""

    context: Context
    engine: Literal["docker", "host"]
    named: tuple[Path, ...]

    def candidate(self, path: Path) -> Candidate:
        """The wheel with its stack, slim too, and the libraries that it and its stack require."""
        main = self.read(path)
        stack = tuple(self.context.book.load(name) for name in main.loaded.recipe.verify.stack)
        others = [self._slim_companion(path, one.recipe.distribution) for one in stack]
        built = {
            library: self._library(path, library, version, one.libraries)
            for one in (main, *others)
            for library, version in one.own.plan.libraries.items()
        }
        companions = (*(one.own for one in others), *built.values())
        return Candidate(own=main.own, loaded=main.loaded, companions=companions, stack=stack)

    def read(self, path: Path) -> _Slim:
        """Reads a slim wheel and the record next to it, and fetches the PyPI wheel that it was made of.

        Raises WheelError where the record is not of this file, or no recipe is for the package.
        """
        record = beside(path, ".slim.json")
        try:
            return self._read(path, json.loads(record.read_text("utf-8")))
        except (AttributeError, KeyError, TypeError, ValueError) as fault:
            raise WheelError(
                f"{path}: {record.name} is of another version of spokeshave, or damaged ({fault})",
                next_step=_AGAIN,
            ) from fault

    def _read(self, path: Path, record: Mapping[str, Any]) -> _Slim:
        sha256 = file_sha256(path)
        if record["wheel"]["sha256"] != sha256:
            raise WheelError(
                f"{path.name} is not the file that its record describes (sha256 differs)", next_step=_AGAIN
            )
        stock = self._stock(record["stock"])
        use = _use(self.context, stock, path, record)
        tests = record["tests"]
        own = BuiltWheel(
            path=path,
            sha256=sha256,
            plan=plan_for(use, path, record, self.engine),
            tests=_tests_archive(path, tests) if tests else None,
            tests_sha256=tests,
        )
        return _Slim(own=own, loaded=loaded_for(use, stock, path), libraries=use.libraries)

    def _stock(self, row: Mapping[str, Any]) -> Stock:
        name = parse_name(row["name"])
        pin = StockPin(distribution=name.distribution, version=name.version, sha256=row["sha256"])
        return read_stock(stock_wheel(self.context, pin, Target(python=name.python)))

    def _slim_companion(self, path: Path, distribution: str) -> _Slim:
        near = _near(path, distribution, self.named)
        found = [one for one, version in near.items() if is_of_profile(version, LABEL)]
        if not found:
            raise WheelError(
                f"{path.name} is verified with a slim wheel of {distribution}, which is neither named nor"
                " next to it",
                next_step=f"spokeshave slim {distribution} --output {path.parent}",
            )
        return self.read(max(found, key=lambda one: Version(near[one])))

    def _library(self, path: Path, library: str, version: str, plans: tuple[BuildPlan, ...]) -> BuiltWheel:
        """The wheel of a library; one from an index has no record, and the plan of its recipe."""
        found = [one for one, other in _near(path, library, self.named).items() if other == version]
        if not found:
            raise WheelError(
                f"{path.name} needs {library} {version}, which is neither named nor next to it",
                next_step=f"name its wheel too: spokeshave verify {path} …",
            )
        if beside(found[0], ".record.json").is_file():
            return read_built(found[0])
        plan = next(one for one in plans if one.distribution == library)
        return BuiltWheel(path=found[0], sha256=file_sha256(found[0]), plan=plan, tests=None)


def candidates_of(context: Context, wheels: tuple[Path, ...]) -> list[Candidate]:
    """Pairs wheels of `build` and of `slim` with recipes, plans and companions, in the order given.

    Raises WheelError for a wheel that neither command made or that has no recipe, and where a companion is
    not available.
    """
    slim = [path for path in wheels if path.is_file() and beside(path, ".slim.json").is_file()]
    built = tuple(path for path in wheels if path not in slim)
    found = dict(zip(built, candidates(context, built), strict=True))
    if slim:
        reader = _Reader(context=context, engine=choose_engine(context, "auto"), named=wheels)
        found |= {path: reader.candidate(path) for path in slim}
    return [found[path] for path in wheels]


def is_slim(candidate: Candidate) -> bool:
    """Whether a wheel is one of `slim`: no profile has that name."""
    return candidate.plan.profile == LABEL


def faults_of_pypi(context: Context, candidate: Candidate) -> list[str]:
    """The faults of the compiled files of the PyPI wheel that a slim wheel was made of; else none.

    The slim wheel has the same files, so that a fault of theirs is no loss: a call of what Python loads.
    """
    path = own_stock_wheel(context, candidate) if is_slim(candidate) else None
    if path is None:
        return []
    return library_faults(list(elf_files(path)), carrying(candidate.plan, path), candidate.wheels[:-1])


def _use(context: Context, stock: Stock, path: Path, record: Mapping[str, Any]) -> RecipeUse:
    """The recipe, with what the record says that levers and components took."""
    took = acting(record)
    build = int(parse_name(path.name).version.rpartition(".")[2])
    settings = Settings(levers=took, keep=tuple(record["keep"]), build=build)
    use = find_use(context.book, stock, settings, Wish())
    if use is None:
        raise WheelError(
            f"{path.name}: no recipe says which tests of {stock.project} to run",
            next_step=f"`spokeshave slim {stock.project} --tests` runs those of its sdist",
        )
    names = (name.removeprefix(COMPONENT) for name in took if name.startswith(COMPONENT))
    wish = Wish(remove=tuple(f"{use.loaded.recipe.name}/{name}" for name in names))
    return find_use(context.book, stock, settings, wish) or use


def _near(path: Path, distribution: str, named: tuple[Path, ...]) -> dict[Path, str]:
    """The wheels of a distribution with their versions: the named ones, or those in the folder of `path`."""
    stem = distribution.replace("-", "_")
    told = {one: name.version for one in named if (name := parse_name(one.name)).distribution == stem}
    return told or {one: name.version for one, name in wheels_of(path.parent, distribution).items()}


def _tests_archive(path: Path, sha256: str) -> Path:
    for tests in archives_of_tests(path):
        if file_sha256(tests) == sha256:
            return tests
    raise WheelError(
        f"the tests archive of {path.name} is not next to it, or not the file that its record describes",
        next_step=_AGAIN,
    )
