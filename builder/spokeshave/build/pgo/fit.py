"""Whether a PGO profile fits a build: it was collected from the same sources with the same flags. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import PurePosixPath

from spokeshave.build.pgo.bundle import Manifest
from spokeshave.inside.levers.link_time import APART
from spokeshave.inside.model import BuildPlan, CompilePlan, Environment, digest_of
from spokeshave.recipes.patch_files import patched_files
from spokeshave.recipes.verify_schema import BundleTable, TrainingTable

_INTERPRETED = {".py", ".pyi"}


def fitting(
    plan: BuildPlan,
    table: TrainingTable,
    manifests: Mapping[str, Manifest],
    *,
    anywhere: bool = False,
) -> BundleTable | None:
    """The PGO profile of the same source with the same flags and release of gcc; None where there is none.

    `manifests` are by file; `anywhere` ignores the compiler, for what is said of a plan wherever it is built.
    """
    key = fit_key(plan, table)
    for row in table.bundles:
        manifest = manifests[row.file]
        if manifest.fits == key and (anywhere or manifest.compiler == gcc_stamp(plan.environment)):
            return row
    return None


def gcc_stamp(environment: Environment) -> str:
    """How gcc names its release in profile data: `B42*` for 14.2; empty where the image's gcc is not known.

    As gcc's `gcov-iov.cc` writes it: `A` plus the tens of the major version, its ones, the minor version, and
    `*` for a release.
    """
    found = (version for name, version in environment.toolchain.items() if re.fullmatch(r"gcc-\d+", name))
    version = re.match(r"(\d+)\.(\d)\.", next(found, ""))
    if not version:
        return ""
    tens, ones = divmod(int(version[1]), 10)
    return f"{chr(ord('A') + tens)}{ones}{version[2]}*"


def fit_key(plan: BuildPlan, table: TrainingTable) -> str:
    """The key (sha256 hex) of what profile data depend on, except the compiler.

    That is source, patches and flags of the plan without profile data, and the level. With `unreached =
    "small"` it is also the tests that show what runs.

    Patches of Python files alone have no part in it: they change no compiled code. (If one changes a program
    that writes C, the profile data do not match the changed functions, and gcc compiles these without them.)
    Nor have patches that the recipe lists as `unchanging`.
    gcc counts what is left after its first optimisations: profile data of one level do not match at another.
    Link-time optimization comes later.
    """
    compiled = without_link_time(plan.compile).to_key()
    del compiled["libraries"]
    compiled["edits"] = ()  # plans had this key once; PGO profiles of that time still fit
    other = {name for name in plan.patches if name in table.unchanging or _is_of_python(plan, name)}
    compiled["files"] = {name: text for name, text in compiled["files"].items() if name not in other}
    return digest_of(
        {
            "source": dict(plan.source),
            "patches": {name: digest for name, digest in plan.patches.items() if name not in other},
            "compile": compiled,
            "target": asdict(plan.target),
            **({"level": table.level} if table.level else {}),
            **({"reach": table.reach} if table.unreached == "small" else {}),
        }
    )


def without_link_time(compiled: CompilePlan) -> CompilePlan:
    """The compile without link-time optimization: profile data fit with and without it."""
    return replace(
        compiled,
        flags={
            key: tuple(flag for flag in given if not flag.startswith("-flto"))
            for key, given in compiled.flags.items()
        },
        fixes=tuple(row for row in compiled.fixes if row.level != APART),
    )


def _is_of_python(plan: BuildPlan, patch: str) -> bool:
    files = patched_files(plan.compile.files[patch])
    return all(PurePosixPath(path).suffix in _INTERPRETED for path in files)
