"""Recipes and profiles as they are written in TOML: pydantic models, strict and immutable."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from spokeshave.recipes.build_schema import (
    CHECK,
    PROSE,
    SHELL_PATTERN,
    BuildTable,
    Glob,
    Pattern,
    Reason,
    SdistTable,
    Sha256,
    SourceTable,
    Specifier,
    Strict,
    Text,
)

Prose = Annotated[str, PROSE]
_DRAFT = "not verified yet: builds print so, and no verification record is required"
_PROFILE_NAME = r"^[a-z][a-z0-9]*([-_][a-z0-9]+)*$"


def profile_name(name: str) -> str:
    """The name of a profile as it is; raises ValueError where it cannot be one."""
    if not re.fullmatch(_PROFILE_NAME, name):
        raise ValueError(
            f"{name!r} cannot name a profile: a name has small letters and digits, begins with a letter,"
            " and may have single hyphens or underscores between them (my-app)"
        )
    if re.split("[-_]", name)[-1] == "slim":
        raise ValueError(f"{name!r} cannot name a profile: wheels of `spokeshave slim` have that label")
    return name


class VersionTable(Strict):
    """One version of the package that can be built."""

    version: str = Field(description="upstream's version")
    requires_python: Specifier = Field(
        ">=3.11", alias="requires-python", description="Pythons that this version is for"
    )
    source: SourceTable
    patches: tuple[str, ...] = Field((), description="patch files, applied in this order")
    stock: dict[str, Sha256] = Field(
        default_factory=dict,
        description="sha256 of the PyPI wheel to compare with, by target (`cp311-manylinux_x86_64`)",
    )


class BundledTable(Strict):
    """Third-party code inside the wheel."""

    name: str = Field(description="name of the code, also that of its licence folder in the wheel")
    version: Text = Field(description="version of the code, or what it comes with")
    license: str = Field(description="SPDX expression")
    license_file: Text = Field(alias="license-file", description="licence text, in the source tree")
    license_source: SdistTable | None = Field(
        None, alias="license-source", description="sdist with the licence text where it is another one"
    )
    source: Text = Field(description="where the code comes from")


class SkipTable(Strict):
    """An upstream test that is not run."""

    test: str = Field(description="start of a node id")
    reason: Reason
    lever: str | None = Field(None, description="skip only where this lever is on")


class EditTable(Strict):
    """A line of a build file that is deleted where the component is removed, so that it is not compiled."""

    file: str = Field(description="build file, below the unpacked source")
    line: str = Field(description="the line, without white space around it; the file must have it once")


class ComponentTests(Strict):
    """Upstream tests outside a component's folders that fail without it, but not with its stub's error."""

    test: str = Field(description="start of a node id")
    reason: Reason


class AllowTable(Strict):
    """Kept code that may still refer to a removed module, on purpose."""

    importer: Glob = Field(description="glob of the modules that refer to it")
    target: str = Field(description="removed module, or one below it")
    reason: Reason = Field(description="what happens when that code runs")


class ComponentTable(Strict):
    """A part of the package that a profile may remove."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    summary: Prose
    modules: tuple[str, ...] = Field(
        (),
        description="modules to remove, with all below them; each gets a stub that raises on import",
    )
    late: tuple[str, ...] = Field(
        (), description="those of `modules` whose stub raises on first use, because kept code imports them"
    )
    files: tuple[Glob, ...] = Field((), description="globs of further files of the wheel to remove")
    edits: tuple[EditTable, ...] = ()
    patches: tuple[str, ...] = Field((), description="patch files that removing it needs")
    untrained: tuple[Pattern, ...] = Field(
        (), description="patterns of generated sources that its patches change; PGO profiles do not fit them"
    )
    unmatched: Annotated[tuple[Glob, ...], CHECK] = Field(
        (),
        description="patterns of `build.levels`, `build.fixes`, `training.untrained` and `levers` that match"
        " nothing where the component is removed",
    )
    allow: tuple[AllowTable, ...] = Field(
        (),
        description="imports of it that kept code may have, as a patch handles its absence",
    )
    tests: tuple[ComponentTests, ...] = ()


class VerifyTable(Strict):
    """How a wheel is verified: compared with the PyPI wheel."""

    requires: str = Field(description="file with the hash-locked test requirements")
    present: tuple[Glob, ...] = Field((), description="globs that must match a file of the wheel")
    absent: tuple[Glob, ...] = Field((), description="globs that must match no file of the wheel")
    marker: str = Field("", description="pytest -m expression")
    options: tuple[str, ...] = Field((), description="further options for pytest, for example upstream's own")
    smoke: tuple[str, ...] = Field((), description="test files or folders that take seconds")
    core: tuple[str, ...] = Field((), description="test files or folders that take minutes")
    full: tuple[str, ...] = Field((), description="all test files or folders")
    compiler: tuple[str, ...] = Field(
        (), description="tests that need a compiler; level full runs them in the image with one"
    )
    stack: tuple[str, ...] = Field(
        (), description="recipes whose wheels are installed with this one, ours or PyPI's"
    )
    skip: tuple[SkipTable, ...] = ()
    cores: tuple[str, ...] = Field((), description="kernels that the BLAS must report, by core name")


class BundleTable(Strict):
    """A PGO profile, which `spokeshave train` has written."""

    file: str = Field(description="file in the recipe's folder")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class TrainingTable(Strict):
    """Profile-guided optimization (PGO): how profile data is collected and used."""

    level: str | None = Field(
        None,
        description="optimisation level, in place of `build.level`, of sources with profile data, for"
        " code that ran 300 times; their other code is optimised for size",
    )
    variable: str = Field("", description="environment variable that switches CPU dispatch levels off")
    dispatch: tuple[str, ...] = Field(("",), description="its values; profile data is collected with each")
    suite: bool = Field(True, description="run the benchmark suite: upstream's, or spokeshave's own")
    tests: tuple[str, ...] = Field((), description="upstream's tests that are run as well, files or folders")
    reach: tuple[str, ...] = Field(
        (),
        description="upstream's tests that show which code runs at all: what they miss is `unreached`",
    )
    unreached: Literal["kept", "small"] = Field(
        "kept",
        description="code that never ran, in sources with a row of levels: kept at that level, or small",
    )
    untrained: tuple[Pattern, ...] = Field(
        (),
        description="patterns of sources that are compiled without profile data",
    )
    bundles: tuple[BundleTable, ...] = Field((), description="PGO profiles; a build uses the first that fits")

    @model_validator(mode="after")
    def _reach_for_small(self) -> Self:
        if self.reach and self.unreached == "kept":
            raise ValueError(
                "`reach` tells what is unreached, and nothing is done to that: unreached = 'small'"
            )
        return self


class Recipe(Strict):
    """A package: all that its files say, with what its components inherit."""

    schema_: Literal[1] = Field(alias="schema", description="version of this format")
    name: str
    kind: Literal["library", "python"] = Field("python", description="a Python package or a shared library")
    distribution: str = Field(description="name of the wheel's distribution")
    import_name: str = Field(alias="import-name", description="package to import")
    summary: Text
    draft: bool = Field(False, description=_DRAFT)
    license: str = Field(description="SPDX expression of the package's own code")
    versions: tuple[VersionTable, ...] = Field(min_length=1)
    build: BuildTable
    bundled: tuple[BundledTable, ...] = ()
    components: tuple[ComponentTable, ...] = ()
    levers: dict[str, dict[str, tuple[str, ...]]] = Field(
        default_factory=dict,
        description="data for the levers: globs to match, to keep, to compile `apart`, …; `off` with a reason"
        " switches a lever off for this package",
    )
    verify: VerifyTable
    training: TrainingTable | None = None

    @model_validator(mode="after")
    def _wheels_for_prebuilt(self) -> Self:
        prebuilt = self.build.backend == "prebuilt"
        if wrong := [row.version for row in self.versions if bool(row.source.wheels) != prebuilt]:
            raise ValueError(f"version {wrong[0]}: backend 'prebuilt' needs source.wheels, others an sdist")
        return self

    @model_validator(mode="after")
    def _patterns_for_the_shell(self) -> Self:
        for glob in self.levers.get("link-time", {}).get("apart", ()):
            if not re.fullmatch(SHELL_PATTERN, glob):
                raise ValueError(f"levers.link-time.apart: {glob!r} is not a shell pattern for a path")
        return self


class BlasTable(Strict):
    """Which BLAS the stack shares, and which kernels it carries."""

    recipe: str = Field("openblas", description="a library recipe that provides `blas`")
    kernels: tuple[str, ...] = Field(("HASWELL", "SKYLAKEX"), description="kernels besides the base")


class RemoveTable(Strict):
    """A component that the profile removes."""

    component: str = Field(pattern=r"^[a-z0-9-]+/[a-z0-9-]+$", description="recipe/component")
    reason: str = Field(min_length=8, description="also in the error of the stubs")


TRACED = "traced runs: "
"""How the reason of a removal begins that `spokeshave trace` wrote."""


class TracedRunTable(Strict):
    """A run that `spokeshave trace` recorded."""

    date: Prose
    command: Prose


class TraceTable(Strict):
    """What traced runs showed: for people and for `spokeshave explain`, in no key."""

    runs: Annotated[tuple[TracedRunTable, ...], PROSE] = ()
    kept: Annotated[dict[str, str], PROSE] = Field(
        default_factory=dict, description="kept component (`recipe/name`) to the reason"
    )


class Profile(Strict):
    """Which levers are on: `recipes/profiles/<name>.toml`."""

    model_config = ConfigDict(title="Profile")
    schema_: Literal[1] = Field(alias="schema", description="version of this format")
    name: Annotated[str, AfterValidator(profile_name)] = Field(
        json_schema_extra={"pattern": _PROFILE_NAME},
        description="also the wheels' local label, where a hyphen or underscore is a dot",
    )
    build: int = Field(1, ge=1, description="build number in the local label")
    extends: str | None = Field(None, description="profile whose levers, removals and BLAS hold here too")
    summary: Prose
    draft: bool = Field(False, description=_DRAFT)
    blas: BlasTable = Field(default_factory=lambda: BlasTable.model_validate({}))
    trace: TraceTable | None = Field(None, description="what traced runs showed, written by `trace`")
    remove: tuple[RemoveTable, ...] = ()
    allow: tuple[AllowTable, ...] = ()
    levers: dict[str, bool] = Field(
        default_factory=dict, description="lever name to on or off; one not named is off"
    )
    budgets: dict[str, int] = Field(
        default_factory=dict, description="bytes unpacked that a distribution may have at most"
    )
