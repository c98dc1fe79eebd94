"""The two installs of a comparison: their wheels, and a venv of each, alike in everything else."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.version import Version

from spokeshave.bench.model import PYPI, STOCK, side_title
from spokeshave.build.wheelhouse import candidates
from spokeshave.context import Context
from spokeshave.errors import BenchError, WheelError
from spokeshave.inside.model import Target, is_of_profile
from spokeshave.inside.wheel import parse_name, wheels_of
from spokeshave.machine.venv_pair import InstallFailed, make_venv_pair
from spokeshave.machine.venvs import Venv, find_interpreter
from spokeshave.nearest import did_you_mean
from spokeshave.recipes.book import Loaded
from spokeshave.recipes.select import pick_version
from spokeshave.sources.download import pip_error
from spokeshave.sources.stock import stock_pin, stock_wheel

RUNNER = (
    "asv_runner>=0.2,<1",
    "packaging",
)  # some suites read versions with the second


@dataclass(frozen=True, kw_only=True, slots=True)
class SidesRequest:
    """The wheels to compare: `packages` in `profile` from `wheelhouse`, and what `against` names.

    Either side is `pypi` (the PyPI wheels), or a profile by name or by the path of its file. `against` may
    also be another wheelhouse.
    """

    packages: tuple[str, ...]
    profile: str
    wheelhouse: Path
    against: str
    target: Target


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """The wheels of one install, its label, and the tests archives of their builds."""

    label: str
    wheels: tuple[Path, ...]
    tests: tuple[Path, ...] = ()

    @property
    def versions(self) -> Mapping[str, str]:
        """Each distribution's version without the local part."""
        names = [parse_name(path.name) for path in self.wheels]
        return {name.distribution.replace("_", "-"): Version(name.version).public for name in names}


def stack_of(context: Context, packages: tuple[str, ...]) -> tuple[Loaded, ...]:
    """The recipes of packages and of their verification stacks, each after those that it needs.

    Raises RecipeError for a package without a recipe, and BenchError for a library.
    """
    found: dict[str, Loaded] = {}
    for name in packages:
        loaded = context.book.load(name)
        if loaded.recipe.kind != "python":
            raise BenchError(f"{name} is a library", next_step="compare its calls: spokeshave bench --blas")
        for part in (*loaded.recipe.verify.stack, name):
            found[part] = context.book.load(part)
    return tuple(found.values())


def find_sides(context: Context, sides: SidesRequest) -> tuple[Side, Side]:
    """Our wheels and those of the other side; PyPI wheels are fetched in the versions of ours.

    Raises WheelError if one of ours is missing, BenchError if no PyPI wheel is pinned.
    """
    ours = _side(context, sides, _as_filed(sides.profile), {})
    named = _as_filed(sides.against)
    if named == STOCK or named.endswith(".toml") or named in context.book.profile_names():
        return ours, _side(context, sides, named, ours.versions)
    if not Path(named).is_dir():
        known = (PYPI, *context.book.profile_names())
        raise BenchError(
            f"--against {named}: not `{PYPI}` (the PyPI wheels), a profile or a folder of wheels",
            next_step=did_you_mean(named, known),
        )
    return ours, replace(_built(context, sides, ours.label, Path(named)), label=named)


def _as_filed(named: str) -> str:
    """A side's name in options as files have it."""
    return STOCK if named == PYPI else named


def _side(context: Context, sides: SidesRequest, named: str, versions: Mapping[str, str]) -> Side:
    if named == STOCK:
        return Side(label=named, wheels=tuple(_stock(context, sides, versions)))
    return _built(context, sides, context.book.profile(named).name, sides.wheelhouse)


def _stock(context: Context, sides: SidesRequest, versions: Mapping[str, str]) -> Iterator[Path]:
    for loaded in stack_of(context, sides.packages):
        wanted = versions.get(loaded.recipe.distribution)
        pin = stock_pin(loaded, sides.target, wanted)
        if pin is None:
            row = pick_version(loaded.recipe, sides.target.python_version, wanted)
            raise BenchError(
                f"recipe {loaded.recipe.name} pins no PyPI wheel of {row.version}"
                f" for {sides.target.identifier}",
                next_step="add its sha256 to the recipe: `stock` of that version",
            )
        yield stock_wheel(context, pin, sides.target)


def _built(context: Context, sides: SidesRequest, profile: str, folder: Path) -> Side:
    """The newest wheels of a profile in a folder, with the libraries that they need."""
    wheels = []
    for loaded in stack_of(context, sides.packages):
        found = {
            path: Version(name.version)
            for path, name in wheels_of(folder, loaded.recipe.distribution).items()
            if is_of_profile(name.version, profile) and name.python in (sides.target.python, "py3")
        }
        if not found:
            raise WheelError(
                f"there is no wheel of {loaded.recipe.name} in profile {profile} in {folder}",
                next_step=f"spokeshave build {loaded.recipe.name} --profile {profile} --output {folder}",
            )
        wheels.append(max(found, key=lambda path: found[path]))
    built = candidates(context, tuple(wheels))
    return Side(
        label=profile,
        wheels=tuple(dict.fromkeys(path for one in built for path in one.wheels)),
        tests=tuple(one.own.tests for one in built if one.own.tests),
    )


def install_sides(
    context: Context, target: Target, ours: Side, against: Side, folder: Path
) -> tuple[Venv, Venv]:
    """Two new venvs in `folder` that differ only in the wheels of the sides.

    Raises NetworkError if pip cannot get what the wheels require, BenchError if ours cannot be installed.
    """
    log, python = context.logs / "bench-install.log", find_interpreter(target, "the benchmark").path
    with context.reporter.stage(f"installing {side_title(ours.label)} and {side_title(against.label)}"):
        try:
            theirs, mine = make_venv_pair(
                folder,
                ("stock", "ours"),
                reference=(*map(str, against.wheels), *RUNNER),
                ours=tuple(map(str, ours.wheels)),
                replaced=tuple(dict.fromkeys([*ours.versions, *against.versions])),
                runner=context.runner,
                log=log,
                python=python,
            )
        except InstallFailed as failed:
            if failed.side == "ours":
                what = f"the wheels of {ours.label} cannot be installed:\n  {failed.tail}"
                raise BenchError(what, log=log) from failed
            what = "the wheels of the other side and what they require"
            raise pip_error(failed.output, what, log) from failed
    for venv, side in ((mine, ours), (theirs, against)):
        _add_helpers(venv, side)
    return mine, theirs


def _add_helpers(venv: Venv, side: Side) -> None:
    """Installs test helpers that benchmarks import, too, such as scipy.optimize._tstutils."""
    for path in side.tests:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(venv.site, (name for name in archive.namelist() if "/tests/" not in name))
