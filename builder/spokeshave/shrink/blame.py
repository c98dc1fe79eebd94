"""What ours lacks, the package that is to blame for it, and the order in which packages depend on others."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.parser import BytesParser
from typing import Literal

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from spokeshave.shrink.model import Chosen

Requires = Mapping[str, frozenset[str]]  # by project, those of the set that it requires


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """A module, a command or a requirement (`name`) of a project that does less with ours, and the message.

    `files` are those in site-packages that it went through, innermost first.
    """

    project: str
    kind: Literal["module", "command", "requirement"]
    name: str
    text: str
    files: tuple[str, ...] = ()


def blame(faults: Sequence[Fault], chosen: Sequence[Chosen]) -> dict[str, tuple[Fault, ...]]:
    """The faults by the changed project to blame, in the order of dependency; its own faults come first.

    A changed project is to blame if the innermost file of a changed wheel is its own, else if the fault is.
    Faults of unchanged wheels that go through no changed one have nobody to blame.
    """
    changed = {str(one.pick.project): one for one in chosen if one.changed and not one.extra}
    owners = dict(_owners(changed)) if any(fault.files for fault in faults) else {}
    found: dict[str, tuple[Fault, ...]] = {}
    for fault in faults:
        places = (owners[file] for file in fault.files if file in owners)
        project = next(places, fault.project if fault.project in changed else "")
        if project:
            found[project] = (*found.get(project, ()), fault)
    order = [name for name in in_order(requires_of(chosen)) if name in found]
    return {name: tuple(sorted(found[name], key=lambda fault: fault.project != name)) for name in order}


def _owners(changed: Mapping[str, Chosen]) -> Iterator[tuple[str, str]]:
    for project, one in changed.items():
        with zipfile.ZipFile(one.wheel) as archive:
            yield from ((name, project) for name in archive.namelist())


def requires_of(chosen: Sequence[Chosen]) -> Requires:
    """What the wheels of a set require of it, with all extras and markers."""
    known = {str(one.pick.project) for one in chosen}
    return {
        str(one.pick.project): frozenset(_required(one)) & known - {str(one.pick.project)} for one in chosen
    }


def _required(one: Chosen) -> Iterator[str]:
    with zipfile.ZipFile(one.wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        headers = BytesParser().parsebytes(archive.read(name), headersonly=True)
    for text in headers.get_all("Requires-Dist", ()):
        try:
            yield canonicalize_name(Requirement(str(text)).name)
        except InvalidRequirement:  # of an old wheel; the installer reports it
            continue


def in_order(requires: Requires) -> tuple[str, ...]:
    """The projects, each after those that it requires; a cycle is cut where it is met first."""
    order: dict[str, None] = {}

    def add(name: str, above: frozenset[str]) -> None:
        for needed in sorted(requires[name] - above):
            if needed not in order:
                add(needed, above | {needed})
        order.setdefault(name)

    for name in sorted(requires):
        add(name, frozenset((name,)))
    return tuple(order)


def dependents(requires: Requires, project: str) -> frozenset[str]:
    """The projects that require one, directly or through others."""
    found: frozenset[str] = frozenset()
    wanted = frozenset((project,))
    while wanted:
        wanted = frozenset(name for name, needs in requires.items() if needs & wanted) - found - {project}
        found |= wanted
    return found
