"""Reads the rules for PyPI wheels of packages without a recipe."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from spokeshave.errors import RecipeError
from spokeshave.nearest import did_you_mean
from spokeshave.recipes.reading import parse
from spokeshave.recipes.rule_schema import RulesFile

FOLDER = "rules"  # next to the folders of the recipes


def rule_names(folders: Iterable[Path]) -> list[str]:
    """The packages that have rules, sorted."""
    return sorted({path.stem for folder in folders for path in (folder / FOLDER).glob("*.toml")})


def rules_of(folders: Iterable[Path], name: str) -> RulesFile | None:
    """The rules for a package (normalized name), from the first folder that has some; None without any.

    Raises RecipeError where the file is malformed or is about another package.
    """
    for folder in folders:
        path = folder / FOLDER / f"{name}.toml"
        if path.is_file():
            rules = parse(path, RulesFile)
            if rules.name != name:
                raise RecipeError(
                    f"{path}: name is {rules.name!r}, but its file is {name!r}",
                    next_step="give both one name",
                )
            return rules
    return None


def check_removals(folders: Iterable[Path], removals: Iterable[str]) -> None:
    """Raises RecipeError for a `PACKAGE/COMPONENT` that no rules offer."""
    places = tuple(folders)
    for wanted in removals:
        package, _, _ = wanted.partition("/")
        own = rules_of(places, package)
        if own is None or wanted not in _offered(own):
            offered = [one for name in rule_names(places) for one in _offered(_known(places, name))]
            raise RecipeError(
                f"no rules offer the component {wanted!r}",
                next_step=f"{did_you_mean(wanted, offered)} docs/reference/package-rules.md lists all",
            )


def _known(folders: Iterable[Path], name: str) -> RulesFile:
    found = rules_of(folders, name)
    assert found is not None
    return found


def _offered(rules: RulesFile) -> list[str]:
    return [] if rules.draft else [f"{rules.name}/{row.name}" for row in rules.components]
