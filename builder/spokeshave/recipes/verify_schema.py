"""The tables about runs of tests and benchmarks: verification, and the collection of profile data."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from spokeshave.recipes.build_schema import CHECK, Glob, Pattern, Reason, Sha256, Strict, Width


class SkipTable(Strict):
    """An upstream test that is not run."""

    test: str = Field(description="start of a node id")
    reason: Reason = Field(description="why the test is not run; the report lists it")
    lever: str | None = Field(None, description="skip only where this lever is on")
    blas_integers: Width | None = Field(
        None, alias="blas-integers", description="skip only where the package calls a BLAS of this width"
    )


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
    skip: tuple[SkipTable, ...] = Field((), description="upstream tests that are not run")
    cores: tuple[str, ...] = Field((), description="kernels that the BLAS must report, by core name")
    cpu_features: Annotated[dict[str, tuple[str, ...]], CHECK] = Field(
        default_factory=dict,
        alias="cpu-features",
        description="CPU features that the kernels of each of `cores` need, as `/proc/cpuinfo` names them;"
        " the best core first",
    )

    @model_validator(mode="after")
    def _features_of_each_core(self) -> Self:
        if strange := sorted(set(self.cores) ^ set(self.cpu_features)):
            raise ValueError(f"cores and cpu-features must name the same cores: {', '.join(strange)}")
        return self


class BundleTable(Strict):
    """A PGO profile, which `spokeshave train` has written."""

    file: str = Field(description="file in the recipe's folder")
    sha256: Sha256 = Field(description="sha256 of the file; a build checks it")


class TrainingTable(Strict):
    """Profile-guided optimization (PGO): how profile data is collected and used."""

    level: str | None = Field(
        None,
        description="optimisation level of code that ran 300 times or more, instead of `build.level`; the"
        " other code of sources with profile data is optimised for size",
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
    unchanging: tuple[str, ...] = Field(
        (), description="patch files that change no function: PGO profiles fit with and without them"
    )
    bundles: tuple[BundleTable, ...] = Field((), description="PGO profiles; a build uses the first that fits")

    @model_validator(mode="after")
    def _reach_for_small(self) -> Self:
        if self.reach and self.unreached == "kept":
            raise ValueError(
                "`reach` says which code is unreached, but nothing is done to it: set unreached = 'small'"
            )
        return self
