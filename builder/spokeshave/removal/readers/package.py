"""All that the source of one package says about imports, before it is known what other packages hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spokeshave.errors import RecipeError
from spokeshave.removal.readers.layout import Source, read_layout
from spokeshave.removal.readers.reader import Reference


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceFile:
    """One file (below the root of its source), the module that it is a part of, and what it names."""

    module: str
    file: str
    references: tuple[Reference, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageImports:
    """The modules of one package, its files with what they name, and what its entry points name."""

    name: str
    modules: frozenset[str]
    files: tuple[SourceFile, ...]
    entry_points: tuple[Reference, ...]

    def to_json(self) -> dict[str, Any]:
        """As JSON-serialisable data, in one order."""
        return {
            "name": self.name,
            "modules": sorted(self.modules),
            "files": [[one.module, one.file, [_row(r) for r in one.references]] for one in self.files],
            "entry_points": [_row(reference) for reference in self.entry_points],
        }


def package_from_json(data: Mapping[str, Any]) -> PackageImports:
    """The inverse of `PackageImports.to_json`."""
    return PackageImports(
        name=data["name"],
        modules=frozenset(data["modules"]),
        files=tuple(
            SourceFile(module=module, file=file, references=tuple(_reference(row) for row in rows))
            for module, file, rows in data["files"]
        ),
        entry_points=tuple(_reference(row) for row in data["entry_points"]),
    )


def _row(reference: Reference) -> tuple[str, int, str, str]:
    return (reference.name, reference.line, reference.kind, reference.beyond)


def _reference(row: Any) -> Reference:
    name, line, kind, beyond = row
    return Reference(name=name, line=line, kind=kind, beyond=beyond)


def read_package(root: Path, name: str) -> PackageImports:
    """Reads the package `name` below the root of its unpacked source.

    Raises RecipeError for a root without the package and for Python that cannot be parsed.
    """
    if not (root / name).is_dir():
        raise RecipeError(f"{root} holds no package {name}", next_step="give the root of its unpacked source")
    layout = read_layout(root, name)
    shared = [Reference(name=module, line=1, kind="import") for module in layout.shared]
    return PackageImports(
        name=name,
        modules=layout.modules,
        files=tuple(
            SourceFile(
                module=source.module,
                file=source.file,
                references=(*_references(source), *(shared if ".pyx" in source.file else ())),
            )
            for source in layout.sources
        ),
        entry_points=layout.entry_points,
    )


def _references(source: Source) -> list[Reference]:
    try:
        return source.reader(source.unit())
    except SyntaxError as fault:
        if source.template:  # Python only once it is filled in
            return []
        raise RecipeError(
            f"{source.path}: not valid Python: {fault}",
            next_step="a file in another Python's syntax cannot be read: run spokeshave on a newer Python",
        ) from fault
