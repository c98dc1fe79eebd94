"""A recipe as it is written, in one file or in four: pydantic models, strict and immutable."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from spokeshave.recipes.build_schema import FixTable, Glob, LevelTable, Reason, Strict
from spokeshave.recipes.schema import BundledTable, ComponentTable, ComponentTests, Prose, Recipe


class ComponentRow(ComponentTable):
    """A part of the package that a profile may remove; it inherits what its groups have."""

    groups: tuple[str, ...] = Field(
        (), description="groups whose patches, tests and allowed imports come before its own, in this order"
    )


class GroupAllowTable(Strict):
    """Kept code that may still import the first module of the group's components, on purpose."""

    importer: Glob = Field(description="glob of the modules that refer to it")
    reason: Reason = Field(description="what happens when that code runs")


class GroupTable(Strict):
    """What several components have in common; each of them inherits it."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$", description="name that components give under `groups`")
    summary: Prose = Field(description="what the components have in common")
    patches: tuple[str, ...] = Field((), description="patch files that removing any of them needs")
    tests: tuple[ComponentTests, ...] = Field((), description="upstream tests that fail without any of them")
    allow: tuple[GroupAllowTable, ...] = Field(
        (), description="imports that kept code may have; the target is the first module of each component"
    )


class RecipeFile(Recipe):
    """A package, `recipes/<name>/recipe.toml`; the tables of the three files below may stand here, too."""

    model_config = ConfigDict(title="Recipe")
    groups: tuple[GroupTable, ...] = Field((), description="what several components have in common")
    components: tuple[ComponentRow, ...] = Field((), description="parts that a profile may remove")


class LevelsTable(Strict):
    """The rows of `[build]` about parts of the sources."""

    levels: tuple[LevelTable, ...] = Field((), description="optimisation levels of parts of the sources")
    fixes: tuple[FixTable, ...] = Field((), description="compiler flags that parts of the sources need")


class LevelsFile(Strict):
    """Compiler flags of parts of the sources, `levels.toml`."""

    model_config = ConfigDict(title="Levels file")
    build: LevelsTable = Field(description="the two lists of this file")


class ComponentsFile(Strict):
    """The parts that a profile may remove, `components.toml`."""

    model_config = ConfigDict(title="Components file")
    groups: tuple[GroupTable, ...] = Field((), description="what several components have in common")
    components: tuple[ComponentRow, ...] = Field(description="parts that a profile may remove")


class BundledFile(Strict):
    """Somebody else's code in the wheel, `bundled.toml`."""

    model_config = ConfigDict(title="Bundled file")
    bundled: tuple[BundledTable, ...] = Field(description="third-party code inside the wheel")
