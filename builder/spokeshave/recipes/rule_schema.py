"""Rules for PyPI wheels of packages without a recipe, `recipes/rules/NAME.toml`: strict and immutable."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from pydantic import AfterValidator, ConfigDict, Field, model_validator

from spokeshave.recipes.build_schema import Arch, Glob, Reason, Specifier, Strict

LOCALE = "{locale}"
"""Where the name of a locale is in a pattern of `[[locales]]`."""
_NAME = r"^[a-z0-9]+(-[a-z0-9]+)*$"
_MODULE = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$"
_LOCALE_MODULE = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*\.\{locale\}$"


def _project(name: str) -> str:
    if name != canonicalize_name(name):
        raise ValueError(f"{name!r} is not normalized: write {canonicalize_name(name)!r}")
    return name


def _with_locale(glob: str) -> str:
    if glob.count(LOCALE) != 1:
        raise ValueError(f"{glob!r} must have {LOCALE} once, where the name of the locale is")
    return glob


def _function(name: str) -> str:
    if not re.fullmatch(r"[a-z]\w*", name):
        raise ValueError(f"{name!r} is not the name of a public function")
    return name


TestName = Annotated[
    str,
    AfterValidator(_function),
    Field(description="function of `tests/NAME.py` that gives equal results with both wheels"),
]
Saved = Annotated[
    int, Field(ge=0, description="bytes unpacked that it saves in the wheel of `sizes`; `ci/rules` writes it")
]


class MinifyTable(Strict):
    """Data files that are written again with the same content in fewer bytes."""

    kind: Literal["json", "pickle"] = Field(
        description="`json`: without white space (also in `.json.gz`);"
        " `pickle`: without unused memo entries, and with the short strings of protocol 4"
    )
    files: tuple[Glob, ...] = Field(min_length=1, description="globs of the files; `*` also crosses slashes")
    drop: tuple[str, ...] = Field(
        (), description="JSON keys that are removed where their value is a string or a list of strings"
    )
    intact: tuple[str, ...] = Field((), description="JSON keys whose values `drop` leaves as they are")

    @model_validator(mode="after")
    def _keys_of_json(self) -> Self:
        if self.drop and self.kind != "json":
            raise ValueError("`drop` names keys of JSON; other kinds have none")
        if self.intact and not self.drop:
            raise ValueError("`intact` is about `drop`, which names no keys")
        return self


class RowTable(Strict):
    """What all rows have: for which wheels they are, why they are safe, and what they save."""

    name: str = Field(pattern=_NAME, description="name of the row, unique in the file")
    versions: Specifier = Field("", description="versions that the row is for; those of the file, if empty")
    arch: Arch | None = Field(None, description="architecture that the row is for; all, if there is none")
    keep: tuple[Glob, ...] = Field((), description="globs of files that the row leaves unchanged")
    reason: Reason = Field(description="why it is safe, or what is lost")
    test: TestName
    saved: Saved

    def holds(self, version: str, arch: str) -> bool:
        """Whether the row is for a version and an architecture (empty: for all of them)."""
        return arch in ("", self.arch or arch) and _admits(self.versions, version)


class RuleTable(RowTable):
    """What nobody misses: on by default."""

    remove: tuple[Glob, ...] = Field((), description="globs of the files to remove; `*` also crosses slashes")
    minify: tuple[MinifyTable, ...] = Field((), description="data files to write again in fewer bytes")

    @model_validator(mode="after")
    def _acts(self) -> Self:
        if not self.remove and not self.minify:
            raise ValueError("the row removes nothing: give `remove` or `minify`")
        return self


class PartTable(RowTable):
    """A feature that `--remove NAME/COMPONENT` or a profile removes."""

    remove: tuple[Glob, ...] = Field((), description="globs of the files to remove; `*` also crosses slashes")
    modules: tuple[Annotated[str, Field(pattern=_MODULE)], ...] = Field(
        (), description="modules to remove; a stub that says so replaces each"
    )
    lost: tuple[Glob, ...] = Field(
        (), description="globs of modules and names (`demo.io.read_*`) that are then missing elsewhere"
    )
    missed: Reason = Field(description="what a program sees that still uses the feature")

    @model_validator(mode="after")
    def _acts(self) -> Self:
        if not self.remove and not self.modules:
            raise ValueError("the row removes nothing: give `remove` or `modules`")
        return self


class LocaleTable(RowTable):
    """Data by language; `--locales` names the languages that are kept."""

    remove: tuple[Annotated[str, AfterValidator(_with_locale)], ...] = Field(
        (), description="globs of the files, with `{locale}` where the name of the locale is"
    )
    modules: tuple[Annotated[str, Field(pattern=_LOCALE_MODULE)], ...] = Field(
        (), description="modules by language, such as `demo.lang.{locale}`; a stub replaces each"
    )
    always: tuple[str, ...] = Field((), description="locales that are kept in any case")
    needs: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="locales that another one needs"
    )
    missed: Reason = Field(description="what a program sees that asks for a removed language")

    @model_validator(mode="after")
    def _acts(self) -> Self:
        if not self.remove and not self.modules:
            raise ValueError("the row removes nothing: give `remove` or `modules`")
        return self


class KeptTable(Strict):
    """Files that no other lever touches in this package."""

    files: tuple[Glob, ...] = Field(min_length=1, description="globs of the files")
    versions: Specifier = Field("", description="versions that the row is for; those of the file, if empty")
    reason: Reason = Field(description="what fails if a lever changes them")
    test: TestName

    def holds(self, version: str) -> bool:
        """Whether the row is for a version."""
        return _admits(self.versions, version)


class RulesFile(Strict):
    """The rules for one package's PyPI wheels: `recipes/rules/NAME.toml`."""

    model_config = ConfigDict(title="Rules file")
    schema_: Literal[1] = Field(alias="schema", description="version of this format")
    name: Annotated[str, AfterValidator(_project)] = Field(description="normalized name of the project")
    versions: Specifier = Field(min_length=1, description="versions that the rules are for")
    sizes: str = Field(pattern=r"^\d[\w.]*$", description="version of the wheel that `saved` is about")
    tested: tuple[str, ...] = Field((), description="further versions that `ci/rules` runs the tests with")
    requires: tuple[str, ...] = Field((), description="requirements that the tests need besides the wheel's")
    draft: bool = Field(
        False,
        description="the tests have not passed yet: `slim` uses none of it; `ci/rules --sizes` deletes it",
    )
    keep: tuple[KeptTable, ...] = Field((), description="files that no other lever touches")
    rules: tuple[RuleTable, ...] = Field((), description="what is removed by default")
    components: tuple[PartTable, ...] = Field((), description="features that are removed by name")
    locales: tuple[LocaleTable, ...] = Field((), description="data by language")

    def admits(self, version: str) -> bool:
        """Whether the rules are for a version of the package."""
        return _admits(self.versions, version)

    def rows(self) -> tuple[RowTable, ...]:
        """All rows that remove something."""
        return (*self.rules, *self.components, *self.locales)

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        names = [row.name for row in self.rows()]
        for name in dict.fromkeys(name for name in names if names.count(name) > 1):
            raise ValueError(f"two rows have the name {name!r}")
        if strange := [one for one in (self.sizes, *self.tested) if not self.admits(one)]:
            raise ValueError(f"`versions` does not admit {', '.join(strange)}")
        return self


def _admits(specifier: str, version: str) -> bool:
    return SpecifierSet(specifier).contains(version, prereleases=True)
