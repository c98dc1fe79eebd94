"""Plans of builds that collect or use profile data: the same sources and flags, and what PGO adds. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from spokeshave.build.pgo.bundle import REACHED
from spokeshave.build.pgo.counters import MOST
from spokeshave.build.pgo.fit import without_link_time
from spokeshave.errors import RecipeError, TrainError
from spokeshave.inside.model import BuildPlan, Level
from spokeshave.recipes.schema import Recipe
from spokeshave.recipes.verify_schema import BundleTable, TrainingTable

_COUNTERS = "/tmp/spokeshave-counters"  # noqa: S108  (GCOV_PREFIX puts another folder before it)
FOLDER = "training"
HEADER = "old_libc.h"
_FORTRAN = "*.f|*.f90|*.F|*.F90|*.for"
_KIT = "/project/kit"
_SHIMMED = f"fprofile-generate={_COUNTERS} -fprofile-update=prefer-atomic -include {_KIT}/{FOLDER}/{HEADER}"
_COLLECT = "collect"
# What ran twice is hot: by the threshold of gcc, a 10,000th of the module's most frequent block, loops that
# tests alone ran would be cold. Tail duplication, which comes with them, is 6 % more code and no faster.
# A PGO profile fits by gcc's release, and another revision of it may count a function differently: gcc then
# compiles that function without profile data and warns (by default, that is an error).
_USE = (
    f"fprofile-use={_KIT}/{{folder}} -Wno-missing-profile -Wno-error=coverage-mismatch -fno-tracer"
    " --param=hot-bb-count-fraction={most}"
)
# Functions that nothing ran are compiled as without profile data, not for size: with `-fprofile-use` alone,
# numpy's BinaryIntContig took 7 times as long.
_KEPT = " -fprofile-partial-training"
# Where a source is small without profile data, code that ran less often than this is small too.
_OFTEN = 300
_SMALL = _USE.format(folder=FOLDER, most=MOST // _OFTEN)
# A row must say something, and this changes nothing: `-fno-profile-use` switches vectorisation off with the
# profile, whatever -O says (gcc 12), and made numpy's integer loops 22 times as slow.
_UNTOLD = "Wno-missing-profile"
# What meson puts before a source's name in that of its object.
_OBJECT = re.compile(r"^.*#(meson-generated_)?(\.\._|[0-9a-f]{40}_)*")


def instrumented(plan: BuildPlan, recipe: Recipe, table: TrainingTable) -> BuildPlan:
    """The plan of the build whose code counts what it runs; nobody gets its wheel, whatever its size.

    Fortran does not: what libgcov calls of the C library comes from a header, and gfortran includes none.
    Raises TrainError where the profile compiles at another level than the one that `training.level` replaces.
    """
    rows = {_FORTRAN: _UNTOLD, "*": _SHIMMED}
    level = {f"-{recipe.build.level}": f"-{table.level}"} if table.level else {}
    plain = without_link_time(plan.compile)
    if level and not level.keys() & set(plain.flags["c"]):
        raise TrainError(
            f"profile {plan.profile} does not compile {plan.recipe} at -{recipe.build.level}",
            next_step="switch on its lever `optimisation`, or collect in a profile that has it",
        )
    flags = {key: tuple(level.get(flag, flag) for flag in given) for key, given in plain.flags.items()}
    return _with(replace(plan, compile=replace(plain, flags=flags), budget=None), rows, _COLLECT)


def is_instrumented(plan: BuildPlan) -> bool:
    """Whether a plan is one of `instrumented`."""
    return plan.compile.pgo == _COLLECT


def trained(
    plan: BuildPlan, recipe: Recipe, table: TrainingTable, bundle: BundleTable, counted: Iterable[str]
) -> BuildPlan:
    """The plan of the build that uses a PGO profile, which is part of its digest.

    `counted` are the names of its `.gcda` files, which only `training.level` asks for: sources that have none
    are compiled at the recipe's level.
    """
    rows = dict.fromkeys(table.untrained, _UNTOLD)
    fast = _fast(table)
    if (
        table.level
    ):  # what no row of levels names is small without profile data, and so is what did not run of it
        rows |= {row.match: fast for row in plan.compile.levels if row.match not in rows}
        _check_own(plan, rows)
        rows["|".join(sorted({_source(name) for name in counted}))] = f"{table.level} -{_SMALL}"
    else:
        rows["*"] = fast
    return _with(plan, rows, bundle.sha256)


def _fast(table: TrainingTable) -> str:
    """The flags of a source that is fast without profile data."""
    if table.unreached == "small":
        return _USE.format(folder=f"{FOLDER}/{REACHED}", most=MOST)
    return _USE.format(folder=FOLDER, most=MOST) + _KEPT


def _check_own(plan: BuildPlan, rows: Mapping[str, str]) -> None:
    """Raises RecipeError for a row of the recipe that `training.level` would come after, and undo."""
    for row in plan.compile.fixes:
        if row.match not in rows:
            raise RecipeError(
                f"{plan.recipe}: `training.level` would replace -{row.level} of {row.match}",
                next_step="name that pattern under `training.untrained`, or delete `training.level`",
            )


def _source(counters: str) -> str:
    """The pattern of a counter file's source: meson writes `_` for the slashes in an object's name."""
    return "*/" + _OBJECT.sub("", counters).removesuffix(".gcda").replace("_", "?")


def bundle_of(plan: BuildPlan, table: TrainingTable | None) -> BundleTable | None:
    """The PGO profile that a plan uses."""
    rows = table.bundles if table else ()
    return next((row for row in rows if row.sha256 == plan.compile.pgo), None)


def _with(plan: BuildPlan, flags: Mapping[str, str], pgo: str) -> BuildPlan:
    """Adds flags, by pattern, to every compile: the launcher takes the first row of fixes that fits a source.

    So the recipe's own rows get the flags of the last pattern too, unless they are for one of the others.
    """
    compiled = plan.compile
    *_, last = flags.values()
    own = tuple(replace(row, level=f"{row.level} -{flags.get(row.match, last)}") for row in compiled.fixes)
    new = {match: given for match, given in flags.items() if match not in {row.match for row in own}}
    reason = "collects profile data" if pgo == _COLLECT else f"uses PGO profile {pgo}"
    added = tuple(Level(match=match, level=given, reason=reason) for match, given in new.items())
    return replace(plan, compile=replace(compiled, fixes=(*own, *added), pgo=pgo))
