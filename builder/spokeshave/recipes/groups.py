"""Groups of components: what several components have in common is written once, and each inherits it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from spokeshave.nearest import did_you_mean
from spokeshave.recipes.file_schema import ComponentRow, GroupTable, RecipeFile
from spokeshave.recipes.schema import AllowTable, ComponentTable, Recipe
from spokeshave.recipes.texts import Fault

Row = TypeVar("Row")


def inherited(own: RecipeFile) -> Recipe:
    """The recipe with what its components inherit: rows of their groups first, in order, then their own."""
    groups = {group.name: group for group in own.groups}
    fields = {name: getattr(own, name) for name in Recipe.model_fields}
    fields["components"] = tuple(_inherited(part, groups) for part in own.components)
    return Recipe.model_construct(own.model_fields_set - {"groups"}, **fields)


def _inherited(part: ComponentRow, groups: Mapping[str, GroupTable]) -> ComponentTable:
    mine = [groups[name] for name in part.groups]
    fields = {name: getattr(part, name) for name in ComponentTable.model_fields}
    fields["patches"] = _joined(part.patches, [group.patches for group in mine])
    fields["tests"] = _joined(part.tests, [group.tests for group in mine])
    fields["allow"] = _joined(part.allow, [_allowed(part, group) for group in mine])
    return ComponentTable.model_construct(**fields)


def _joined(own: tuple[Row, ...], theirs: list[tuple[Row, ...]]) -> tuple[Row, ...]:
    return (*(row for rows in theirs for row in rows), *own)


def _allowed(part: ComponentTable, group: GroupTable) -> tuple[AllowTable, ...]:
    return tuple(
        AllowTable(importer=row.importer, target=module, reason=row.reason)
        for row in group.allow
        for module in part.modules[:1]
    )


def group_faults(own: RecipeFile) -> Iterator[Fault]:
    """What is wrong between groups and components: names, and rows that a component has twice."""
    for key, rows in (("groups", own.groups), ("components", own.components)):
        names = [row.name for row in rows]
        for number, name in enumerate(names):
            if name in names[:number]:
                yield f"{key}.{number}.name", f"there are two rows {name!r}; give each another name"
    used = {name for part in own.components for name in part.groups}
    for number, group in enumerate(own.groups):
        if group.name not in used:
            yield f"groups.{number}", f"no component is in group {group.name!r}; delete it"
    groups = {group.name: group for group in own.groups}
    for number, part in enumerate(own.components):
        yield from _member_faults(part, groups, f"components.{number}")


def _member_faults(part: ComponentRow, groups: Mapping[str, GroupTable], where: str) -> Iterator[Fault]:
    unknown = [name for name in part.groups if name not in groups]
    for name in unknown:
        yield f"{where}.groups", f"there is no group {name!r}; {did_you_mean(name, groups)}"
    if not part.modules and any(groups[name].allow for name in part.groups if name in groups):
        yield where, f"{part.name!r} has no module that its group's `allow` could be about"
    if not unknown:
        yield from _repeated(_inherited(part, groups), where)
    for module in part.late:
        if module not in part.modules:
            yield f"{where}.late", f"{module!r} is not among the component's `modules`"


def _repeated(part: ComponentTable, where: str) -> Iterator[Fault]:
    """Rows that a component has twice, for example from a group and by itself."""
    rows = {
        "patches": list(part.patches),
        "tests": [row.test for row in part.tests],
        "allow": [f"{row.importer} -> {row.target}" for row in part.allow],
    }
    for key, names in rows.items():
        for name in dict.fromkeys(name for name in names if names.count(name) > 1):
            yield f"{where}.{key}", f"{part.name!r} has {name!r} twice, by itself or by its groups"
