"""Recipes and profiles as they are written in TOML: pydantic models, strict and immutable."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from spokeshave.recipes.build_schema import (
    CHECK,
    PROSE,
    SHELL_PATTERN,
    BlasTable,
    BuildTable,
    Glob,
    Reason,
    SdistTable,
    Sha256,
    SourceTable,
    Specifier,
    Strict,
    Text,
)
from spokeshave.recipes.verify_schema import TrainingTable, VerifyTable

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
    source: SourceTable = Field(description="the sdist or the wheels that this version is built from")
    patches: tuple[str, ...] = Field((), description="patch files, applied in this order")
    lp64_patches: tuple[str, ...] = Field(
        (),
        alias="lp64-patches",
        description="patch files for a BLAS with 32-bit integers, applied after these",
    )
    docstring_patches: tuple[str, ...] = Field(
        (),
        alias="docstring-patches",
        description="patch files that leave docstrings out of compiled code, applied last if the profile has"
        " `compiled-docstrings` on",
    )
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


class ComponentTests(Strict):
    """Upstream tests outside a component's folders that fail without it, but not with its stub's error."""

    test: str = Field(description="start of a node id")
    reason: Reason = Field(description="why the test fails without the component")


class AllowTable(Strict):
    """Kept code that may still refer to a removed module, on purpose."""

    importer: Glob = Field(description="glob of the modules that refer to it")
    target: str = Field(description="removed module, or one below it")
    reason: Reason = Field(description="what happens when that code runs")


class ComponentTable(Strict):
    """A part of the package that a profile may remove."""

    name: str = Field(
        pattern=r"^[a-z][a-z0-9-]*$", description="name of the component; profiles name it `recipe/name`"
    )
    summary: Prose = Field(description="content of the component, for `spokeshave components`")
    modules: tuple[str, ...] = Field(
        (),
        description="modules to remove, with all below them; each gets a stub that raises on import",
    )
    late: tuple[str, ...] = Field(
        (), description="those of `modules` whose stub raises on first use, because kept code imports them"
    )
    files: tuple[Glob, ...] = Field((), description="globs of further files of the wheel to remove")
    variants: tuple[str, ...] = Field(
        (),
        description="folders of the compiled wheel whose files replace those in the folder above; deleted"
        " where the component is kept",
    )
    patches: tuple[str, ...] = Field(
        (), description="patch files that removing it needs; they change Python files of the compiled wheel"
    )
    needed_by_pypi: Annotated[bool, CHECK] = Field(
        False,
        alias="needed-by-pypi",
        description="kept compiled code needs it in the PyPI wheel, but not in ours: a traced run with the"
        " PyPI wheels cannot show that it is unused",
    )
    allow: tuple[AllowTable, ...] = Field(
        (),
        description="imports of it that kept code may have, as a patch handles its absence",
    )
    tests: tuple[ComponentTests, ...] = Field(
        (), description="upstream tests outside its folders that fail without it"
    )


class Recipe(Strict):
    """A package: all that its files say, with what its components inherit."""

    schema_: Literal[1] = Field(alias="schema", description="version of this format")
    name: str = Field(description="name of the recipe: that of its folder, and what commands take")
    kind: Literal["library", "python"] = Field("python", description="a Python package or a shared library")
    distribution: str = Field(description="name of the wheel's distribution")
    import_name: str = Field(alias="import-name", description="package to import")
    timed_import: str | None = Field(
        None,
        alias="timed-import",
        pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$",
        description="module whose import `spokeshave bench --imports` times: the one that applications import"
        " first; `import-name` if there is none",
    )
    summary: Text = Field(description="one line about the package; a library wheel has it in METADATA")
    draft: bool = Field(False, description=_DRAFT)
    license: str = Field(description="SPDX expression of the package's own code")
    versions: tuple[VersionTable, ...] = Field(
        min_length=1, description="versions that can be built; the first one that the Python admits is used"
    )
    build: BuildTable = Field(description="how the source is compiled")
    bundled: tuple[BundledTable, ...] = Field(
        (), description="third-party code inside the wheel, for its licences and its SBOM"
    )
    components: tuple[ComponentTable, ...] = Field((), description="parts that a profile may remove")
    levers: dict[str, dict[str, tuple[str, ...]]] = Field(
        default_factory=dict,
        description="data for the levers: globs to match, to keep, to compile `apart`, …; `off` with a reason"
        " switches a lever off for this package",
    )
    verify: VerifyTable = Field(description="how the wheel is compared with the PyPI wheel")
    training: TrainingTable | None = Field(
        None, description="how profile data is collected and used; without it, the package is built without"
    )

    @property
    def timed_module(self) -> str:
        """The module whose import `spokeshave bench` times."""
        return self.timed_import or self.import_name

    @model_validator(mode="after")
    def _imports_its_own(self) -> Self:
        if self.timed_module.split(".")[0] != self.import_name.split(".")[0]:
            raise ValueError(f"timed-import: {self.timed_import!r} is not in {self.import_name!r}")
        return self

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
                raise ValueError(f"`levers.link-time.apart`: {glob!r} is not a shell pattern for a path")
        return self


class RemoveTable(Strict):
    """A component that the profile removes."""

    component: str = Field(pattern=r"^[a-z0-9-]+/[a-z0-9-]+$", description="recipe/component")
    reason: str = Field(min_length=8, description="also in the error of the stubs")


TRACED = "traced runs: "
"""How the reason of a removal begins that `spokeshave trace` wrote."""


class TracedRunTable(Strict):
    """A run that `spokeshave trace` recorded."""

    date: Prose = Field(description="day of the run, as YYYY-MM-DD")
    command: Prose = Field(description="command line that was traced")


class TraceTable(Strict):
    """What traced runs showed: for people and for `spokeshave explain`, in no key."""

    runs: Annotated[tuple[TracedRunTable, ...], PROSE] = Field((), description="runs that were recorded")
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
    summary: Prose = Field(description="one line about the profile")
    draft: bool = Field(False, description=_DRAFT)
    blas: BlasTable = Field(
        default_factory=lambda: BlasTable.model_validate({}), description="the BLAS that the stack shares"
    )
    trace: TraceTable | None = Field(None, description="what traced runs showed, written by `trace`")
    remove: tuple[RemoveTable, ...] = Field((), description="components that the profile removes")
    allow: tuple[AllowTable, ...] = Field(
        (), description="imports of removed modules that kept code may have"
    )
    levers: dict[str, bool] = Field(
        default_factory=dict, description="lever name to on or off; one not named is off"
    )
    budgets: dict[str, int] = Field(
        default_factory=dict, description="bytes unpacked that a distribution may have at most"
    )
