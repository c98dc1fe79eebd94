"""The tables that say where a source comes from and how it is compiled."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from packaging.specifiers import SpecifierSet
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from spokeshave.inside.model import Backend


def _specifier(text: str) -> str:
    SpecifierSet(text)
    return text


Specifier = Annotated[str, AfterValidator(_specifier)]
Arch = Literal["x86_64", "aarch64"]
Width = Literal["lp64", "ilp64"]  # of a BLAS's integers: 32 or 64 bits
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Glob = Annotated[str, Field(min_length=1)]
# Ends up in a shell's `case`: nothing that the shell reads otherwise.
SHELL_PATTERN = r"^[\w./*?\[\]+-]+$"
Pattern = Annotated[str, Field(pattern=SHELL_PATTERN)]


_SYMBOL = r"^\w*\{\}\w*$"
PROSE = "prose"  # marks fields that are for people alone: `Strict.facts` leaves them out of keys
TEXT = "text"  # marks texts that land in a wheel, and may hold `{version}` as prose may
CHECK = "check"  # marks fields that only say what a check lets pass: no key has them either
Reason = Annotated[str, Field(min_length=8), PROSE]
Text = Annotated[str, TEXT]


class Strict(BaseModel):
    """Base of all recipe tables: unknown keys are errors, values are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def facts(self) -> dict[str, Any]:
        """The table as JSON-serialisable data, for keys: without its prose, and what checks alone read."""
        fields = type(self).model_fields.items()
        keyless = {name for name, field in fields if PROSE in field.metadata or CHECK in field.metadata}
        return {name: _facts(getattr(self, name)) for name, _ in fields if name not in keyless}


def _facts(value: object) -> object:
    if isinstance(value, Strict):
        return value.facts()
    if isinstance(value, tuple):
        return [_facts(one) for one in value]
    return value


class SdistTable(Strict):
    """An sdist named by package and pinned by hash."""

    pypi: str = Field(description="name of the package whose sdist it is")
    sha256: Sha256 = Field(description="sha256 of the sdist")
    version: str | None = Field(None, description="version of the sdist where it is another one")


class SourceTable(Strict):
    """Where the source comes from: an sdist or upstream's own wheels, named by package, pinned by hash."""

    pypi: str = Field(description="name of the package whose sdist or wheel is the source")
    sha256: Sha256 | None = Field(None, description="sha256 of the sdist")
    wheels: dict[str, Sha256] = Field(
        default_factory=dict,
        description="instead, for backend `prebuilt`: sha256 of the wheel by platform (`manylinux_x86_64`)",
    )
    version: str | None = Field(None, description="version of the sdist or wheel where it is another one")

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.sha256 is None) != bool(self.wheels):
            raise ValueError("give sha256, of the sdist, or wheels, and not both")
        return self


class SourcesTable(Strict):
    """A row about a part of the sources, which may hold for some versions or one architecture alone."""

    match: Pattern = Field(description="shell pattern for the absolute path of a source file")
    versions: Specifier = Field("", description="versions of the package that the row is for; all, if empty")
    arch: Arch | None = Field(None, description="architecture that the row is for; all, if there is none")

    def holds(self, version: str, arch: str) -> bool:
        """Whether the row is for a version and an architecture."""
        return self.arch in (None, arch) and SpecifierSet(self.versions).contains(version, prereleases=True)


class LevelTable(SourcesTable):
    """An optimisation level for a part of the sources; the first row that matches counts."""

    level: str = Field(
        pattern=r"^O[123s]( -[fm][a-z0-9=-]+)*$", description="level, and flags that refine it"
    )
    reason: Reason = Field(description="why this part differs, with the benchmark if any")


class FixTable(SourcesTable):
    """Compiler flags that a part of the sources needs to be compiled rightly, whatever the levers say."""

    flags: str = Field(
        pattern=r"^-([fm][a-z0-9=-]+|D\w+(=\w+)?)( -([fm][a-z0-9=-]+|D\w+(=\w+)?))*$", description="the flags"
    )
    reason: Reason = Field(description="what is miscompiled without them")


class SharedTable(Strict):
    """What packages that link the library need to know."""

    soname: str = Field(description="file name and soname of the shared library")
    pkg_config: str = Field(alias="pkg-config", description="name of the pkg-config file")
    provides: Literal["blas"] | None = Field(
        None, description="what it is for: a profile's `blas.recipe` picks among those that provide `blas`"
    )
    setup_args: dict[str, str] = Field(
        default_factory=dict, alias="setup-args", description="meson options of packages that link it"
    )


class WithoutTable(Strict):
    """Exported symbols that only a component of another recipe calls; they are removed with it."""

    component: str = Field(pattern=r"^[\w-]+/[\w-]+$", description="the component, as `recipe/name`")
    exports: str = Field(description="file that lists the symbols, one a line")


class AliasTable(Strict):
    """A second name for exported symbols, at the same address."""

    symbol: str = Field(pattern=_SYMBOL, description="the second name, `{}` for the first")
    exports: str = Field(description="file of `exports` that lists the symbols")


class WideTable(Strict):
    """The second width of a BLAS's integers, 64 bits (ILP64), in addition to the first (LP64)."""

    folders: tuple[str, ...] = Field(
        description="folders of the build directory whose objects take or return integers, and exist twice"
    )
    variables: dict[str, str] = Field(description="make variables of the second width")
    targets: tuple[str, ...] = Field(description="make targets that make these folders")
    exports: str = Field(description="file that lists the symbols of the second width, one a line")
    symbol: str = Field(pattern=_SYMBOL, description="the exported name, `{}` for the name in the list")
    pkg_config: str = Field(alias="pkg-config", description="name of the pkg-config file")
    setup_args: dict[str, str] = Field(
        alias="setup-args", description="meson options of packages that ask for the second width"
    )


class LibraryTable(SharedTable):
    """How a make-built static archive becomes the shared library of a wheel."""

    archive: Glob = Field(description="glob of the static archive, below the build directory")
    exports: tuple[str, ...] = Field(description="files that list the exported symbols, one a line")
    without: tuple[WithoutTable, ...] = Field((), description="symbols that are removed with a component")
    aliases: tuple[AliasTable, ...] = Field((), description="second names of exported symbols")
    unreached: tuple[str, ...] = Field(
        (),
        description="files that list the objects that no exported symbol reaches, one a line; they are not"
        " compiled",
    )
    ilp64: WideTable | None = Field(None, description="the second width of the integers")
    link: tuple[str, ...] = Field((), description="libraries to link (`m`, `pthread`)")
    kernels_variable: str | None = Field(
        None, alias="kernels-variable", description="make variable that lists the profile's kernels"
    )
    kernel_symbol: str | None = Field(
        None,
        alias="kernel-symbol",
        description="symbol that each listed kernel and the base must have, `{}` for its name",
    )

    @model_validator(mode="after")
    def _aliases_are_exported(self) -> Self:
        for row in self.aliases:
            if row.exports not in self.exports:
                raise ValueError(f"aliases: {row.exports} is not one of exports")
        return self


class PrebuiltTable(SharedTable):
    """The library in upstream's wheel, taken as upstream has compiled it."""

    folder: str = Field(description="folder of the wheel that holds the library and `pkgconfig/`")
    carries: tuple[str, ...] = Field(
        (), description="libraries next to it that it needs, by file name; they are taken too"
    )


class BlasTable(Strict):
    """Which BLAS the stack shares, and which kernels it carries."""

    recipe: str = Field("openblas", description="a library recipe that provides `blas`")
    kernels: tuple[str, ...] = Field(("HASWELL", "SKYLAKEX"), description="kernels besides the base")
    interfaces: tuple[Width, ...] = Field(
        ("ilp64", "lp64"),
        description="widths of its integers, of those that the recipe has; `lp64` is one of them",
    )

    @model_validator(mode="after")
    def _has_the_first(self) -> Self:
        if "lp64" not in self.interfaces:
            raise ValueError("blas.interfaces lacks lp64, the 32-bit integers with which scipy calls it")
        return self


class BuildTable(Strict):
    """How the source is compiled."""

    backend: Backend = Field(
        description="what builds the wheel: meson-python, make, or upstream's wheel as it is (`prebuilt`)"
    )
    directory: str = Field(".", description="folder of the build, below the unpacked source")
    requires: str | None = Field(
        None, description="file with the hash-locked build requirements; all but `prebuilt` need one"
    )
    blas_integers: Width = Field(
        "lp64",
        alias="blas-integers",
        description="width of the BLAS's integers, where the profile's BLAS has it; else it is `lp64`",
    )
    libraries: tuple[str, ...] = Field(
        (), description="library recipes to link; `blas` stands for the one that the profile picks"
    )
    setup_args: dict[str, str | bool] = Field(
        default_factory=dict, alias="setup-args", description="meson options"
    )
    grafts: tuple[Glob, ...] = Field(
        (),
        description="globs of the build image's libraries that auditwheel copies into the wheel (vendored)",
    )
    targets: tuple[str, ...] = Field((), description="make targets, made one after the other")
    variables: dict[str, str] = Field(default_factory=dict, description="make variables")
    flags_variable: str | None = Field(
        None, alias="flags-variable", description="make variable that takes the compiler flags"
    )
    upstream_level: Literal["O2", "O3"] = Field(
        "O3", alias="upstream-level", description="level of all sources where the lever `optimisation` is off"
    )
    level: Literal["O2", "O3", "Os"] = Field(
        "O2", description="level of the sources that no row of `levels` matches"
    )
    baseline: dict[Arch, str] = Field(
        default_factory=dict,
        description="CPU baseline by architecture (`-march`), above the compiler's own: for a package that"
        " cannot be imported on older CPUs anyway",
    )
    levels: tuple[LevelTable, ...] = Field(
        (), description="optimisation levels of parts of the sources; the first row that matches counts"
    )
    fixes: tuple[FixTable, ...] = Field((), description="compiler flags that parts of the sources need")
    library: LibraryTable | None = Field(
        None, description="shared library that the wheel holds, for backend `make`"
    )
    prebuilt: PrebuiltTable | None = Field(
        None, description="shared library in upstream's wheel, for backend `prebuilt`"
    )

    @property
    def shared(self) -> LibraryTable | PrebuiltTable | None:
        """The shared library that the recipe yields, if it is one."""
        return self.library or self.prebuilt

    @model_validator(mode="after")
    def _fits_backend(self) -> Self:
        if self.prebuilt is not None and self.library is not None:
            raise ValueError("give library or prebuilt, and not both")
        if (self.backend == "prebuilt") != (self.prebuilt is not None):
            raise ValueError("backend 'prebuilt' and the table prebuilt belong together")
        if (self.backend == "prebuilt") != (self.requires is None):
            raise ValueError("requires: needed by all backends but 'prebuilt', which compiles nothing")
        return self
