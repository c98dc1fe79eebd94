"""Built wheels in a folder, with their records, tests archives and companions."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.version import Version

from spokeshave.context import Context
from spokeshave.errors import WheelError
from spokeshave.inside.model import BuildPlan, file_sha256, is_of_profile, plan_from_json
from spokeshave.inside.wheel import MalformedWheel, archives_of_tests, beside, parse_name, wheels_of
from spokeshave.recipes.book import Loaded
from spokeshave.sources.stock import StockPin, stock_pin, stock_wheel


@dataclass(frozen=True, kw_only=True, slots=True)
class BuiltWheel:
    """A wheel that spokeshave built, read and hashed once; sha256 are hex, empty where there is no file."""

    path: Path
    sha256: str
    plan: BuildPlan
    tests: Path | None
    tests_sha256: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A wheel to verify, its recipe, and the wheels that it is installed with.

    `stack` are the recipes of those companions that PyPI has a wheel of, too.
    """

    own: BuiltWheel
    loaded: Loaded
    companions: tuple[BuiltWheel, ...]
    stack: tuple[Loaded, ...] = ()

    @property
    def plan(self) -> BuildPlan:
        return self.own.plan

    @property
    def wheels(self) -> tuple[Path, ...]:
        """What is installed: the companions, and the wheel itself last."""
        return (*(one.path for one in self.companions), self.own.path)

    @property
    def companion_plans(self) -> tuple[BuildPlan, ...]:
        return tuple(one.plan for one in self.companions)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fits:
    """Which version a companion must have: that one, or any of a profile."""

    version: str = ""
    profile: str = ""

    def __call__(self, version: str) -> bool:
        return version == self.version or (bool(self.profile) and is_of_profile(version, self.profile))

    def __str__(self) -> str:
        return self.version or f"of profile {self.profile}"


def candidates(context: Context, wheels: tuple[Path, ...]) -> list[Candidate]:
    """Pairs wheels with their recipes, plans and companions; each file is read and hashed once.

    Raises WheelError for a wheel that spokeshave did not build, or whose companion is not available.
    """
    named = {}
    for path in wheels:
        if path.suffix == ".whl" and not path.is_file():
            raise WheelError(
                f"{path}: no such file", next_step="build it first (`spokeshave build`), or check its name"
            )
        try:
            name = parse_name(path.name)
            named[name.distribution, name.version] = path
        except MalformedWheel as fault:
            raise WheelError(str(fault), next_step="name files that end in .whl") from fault
    read = functools.cache(read_built)
    return [_candidate(context, read(path), named, read) for path in wheels]


def _candidate(
    context: Context,
    own: BuiltWheel,
    others: Mapping[tuple[str, str], Path],
    read: Callable[[Path], BuiltWheel],
) -> Candidate:
    loaded = context.book.load(own.plan.recipe).at(own.plan.version)
    stack = tuple(context.book.load(name) for name in loaded.recipe.verify.stack)
    wanted = dict(own.plan.libraries)
    companions = []
    for recipe in (one.recipe for one in stack):
        found = read(_companion(own.path, recipe.distribution, _Fits(profile=own.plan.profile), others))
        wanted |= found.plan.libraries
        companions.append(found)
    companions += [
        read(_companion(own.path, library, _Fits(version=exact), others)) for library, exact in wanted.items()
    ]
    return Candidate(own=own, loaded=loaded, companions=tuple(companions), stack=stack)


def _companion(path: Path, distribution: str, fits: _Fits, others: Mapping[tuple[str, str], Path]) -> Path:
    """The wheel of that distribution whose version fits, from those named or in the folder of `path`."""
    name = distribution.replace("-", "_")
    named = (other for (known, version), other in others.items() if known == name and fits(version))
    near = {p: Version(n.version) for p, n in wheels_of(path.parent, name).items() if fits(n.version)}
    found = next(named, None) or max(near, key=lambda one: near[one], default=None)
    if found is None:
        raise WheelError(
            f"{path.name} needs {distribution} {fits}, which is neither named nor next to it",
            next_step=f"build it, or name its wheel too: spokeshave verify {path} …",
        )
    return found


def read_built(path: Path) -> BuiltWheel:
    """Reads a wheel and the record next to it.

    Raises WheelError where the record is of another file, or of another version of spokeshave.
    """
    record = beside(path, ".record.json")
    if not record.is_file():
        slimmed = beside(path, ".slim.json").is_file()
        raise WheelError(
            f"{path}: {'`spokeshave slim` made it' if slimmed else f'{record.name} is not next to it'}",
            next_step="name wheels of `spokeshave build`, in the folder where it put them: "
            "`wheelhouse/*+PROFILE*.whl`" + ("; `slim` has checked its own" if slimmed else ""),
        )
    try:
        return _read_built(path, json.loads(record.read_text("utf-8")))
    except (AttributeError, KeyError, TypeError, ValueError) as fault:
        raise WheelError(
            f"{path}: {record.name} is of another version of spokeshave, or damaged ({fault})",
            next_step="build the wheel again: `spokeshave build` delivers both",
        ) from fault


def _read_built(path: Path, data: Mapping[str, Any]) -> BuiltWheel:
    sha256 = file_sha256(path)
    if data["wheel"]["sha256"] != sha256:
        raise WheelError(
            f"{path.name} is not the file that its record describes (sha256 differs)",
            next_step="build the wheel again: `spokeshave build` delivers both",
        )
    tests = data["tests"] or {"sha256": ""}
    return BuiltWheel(
        path=path,
        sha256=sha256,
        plan=plan_from_json(data["build_plan"]),
        tests=_tests_archive(path, tests) if data["tests"] else None,
        tests_sha256=tests["sha256"],
    )


def _tests_archive(path: Path, row: Mapping[str, Any]) -> Path:
    for tests in archives_of_tests(path):
        if file_sha256(tests) == row["sha256"]:
            return tests
    raise WheelError(
        f"{row['name']} is not next to {path.name}, or not the file that its record describes",
        next_step="build the wheel again: `spokeshave build` delivers both",
    )


def stock_pins(candidate: Candidate) -> tuple[StockPin, ...]:
    """The PyPI wheels to compare with, the candidate's own first; only those that a recipe pins."""
    target = candidate.plan.target
    own = stock_pin(candidate.loaded, target, candidate.plan.version)
    pins = (own, *(stock_pin(loaded, target, None) for loaded in candidate.stack))
    return tuple(pin for pin in pins if pin is not None)


def own_stock_wheel(context: Context, candidate: Candidate) -> Path | None:
    """The PyPI wheel of the candidate itself; nothing where its recipe pins none."""
    plan = candidate.plan
    pins = [p for p in stock_pins(candidate) if p.distribution == plan.distribution]
    return stock_wheel(context, pins[0], plan.target) if pins else None
