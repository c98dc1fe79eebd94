"""The plan and the recipe of a slim wheel: what of them holds for code that PyPI's project compiled."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from packaging.requirements import Requirement

from spokeshave.build.elf import elf_files
from spokeshave.inside.levers.lever import fits
from spokeshave.inside.model import BuildPlan, Environment
from spokeshave.inside.sbom import INTEGERS
from spokeshave.recipes.book import Loaded
from spokeshave.recipes.verify_schema import VerifyTable
from spokeshave.slim.model import COMPONENT, Stock
from spokeshave.slim.recipe_use import RecipeUse
from spokeshave.slim.shared_blas import WIDE

_LICENCES = ".dist-info/licenses/"


def plan_for(
    use: RecipeUse, path: Path, record: Mapping[str, Any], engine: Literal["docker", "host"]
) -> BuildPlan:
    """The plan of a slim wheel, for tests that run in that engine's environment.

    It has the levers and components that acted, the libraries that the wheel requires, and those that PyPI's
    wheel brought along. It has the width of the integers that modules pass to the BLAS. Licences are PyPI's.
    """
    wanted = [Requirement(text) for text in record["requires"]]
    wide = any(name.endswith(WIDE) for one in elf_files(path) for name in one.imports)
    settings = {**use.plan.compile.settings, INTEGERS: "ilp64" if wide else "lp64"}
    plan = carrying(replace(use.plan, compile=replace(use.plan.compile, settings=settings)), path)
    took = acting(record)
    return replace(
        plan,
        environment=Environment(engine=engine, image="", image_digest=""),
        libraries={one.name: str(one.specifier).removeprefix("==") for one in wanted},
        sonames=plan.sonames if wanted else (),
        bundled=(),
        levers=tuple(one for one in plan.levers if one.name in took),
        removed=tuple(part for part in plan.removed if f"{COMPONENT}{part.component}" in took),
    )


def acting(record: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of levers that changed a file and of removed components; kept ones have no row."""
    rows = record["levers"]
    return tuple(row["name"] for row in rows if row["files"] or row["name"].startswith(COMPONENT))


def carrying(plan: BuildPlan, path: Path) -> BuildPlan:
    """The plan with the libraries that a wheel of PyPI's brings along, in its folder `*.libs`."""
    carried = [PurePosixPath(name).name for name in _members(path) if _is_vendored(name)]
    settings = {**plan.compile.settings, "library": {"carries": carried}}
    return replace(plan, compile=replace(plan.compile, settings=settings))


def loaded_for(use: RecipeUse, stock: Stock, path: Path) -> Loaded:
    """The recipe as it is for one slim wheel: compared with the PyPI wheel that the wheel was made of."""
    plan = use.plan
    recipe = use.loaded.at(plan.version).recipe
    row = next((row for row in recipe.versions if row.version == plan.version), recipe.versions[0])
    pinned = {plan.target.identifier: stock.sha256}  # and its file name says which Python it is for
    row = row.model_copy(update={"version": plan.version, "requires_python": "", "stock": pinned})
    verify = _verify_for(recipe.verify, _members(stock.path), _members(path))
    recipe = recipe.model_copy(update={"versions": (row,), "verify": verify})
    return replace(use.loaded, recipe=recipe, version=plan.version)


def _verify_for(verify: VerifyTable, before: list[str], after: list[str]) -> VerifyTable:
    """The rows on files that are about PyPI's wheel too, and a row for each of its licences."""
    present = (glob for glob in verify.present if any(fits(name, (glob,)) for name in before))
    vendored = [name for name in after if _is_vendored(name)]
    absent = (glob for glob in verify.absent if not any(fits(name, (glob,)) for name in vendored))
    return verify.model_copy(update={"present": (*present, *_licence_globs(before)), "absent": tuple(absent)})


def _licence_globs(names: list[str]) -> Iterator[str]:
    for name in names:
        _, mark, rest = name.partition(_LICENCES)
        if mark and not name.endswith("/"):
            yield f"*{mark}{rest}"


def _members(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def _is_vendored(name: str) -> bool:
    """Whether auditwheel put a file there."""
    return PurePosixPath(name).parent.suffix == ".libs"
