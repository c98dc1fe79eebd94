"""The nouns of a survey: a file, a subject with its files, a package, and what is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from spokeshave.inside.sizes import KINDS, kind_of

Form = Literal["folder", "virtual environment", "wheelhouse", "zip archive", "image"]

BYTECODE = "bytecode"
FILE_KINDS = (*KINDS, BYTECODE)


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """A file: its path in the subject, its bytes, and where it can be read.

    `path` is None for a file of an image that is outside of all Python packages. `zipped` are its bytes in
    the zip archive that the subject is; None where it is none.
    """

    name: str
    size: int
    path: Path | None
    zipped: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """A layer of an image: the command that made it, its bytes, and those that layers above it hide."""

    made_by: str
    size: int
    hidden: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """A folder, an archive or an image with its files; `zipped` are the bytes of a zip archive itself."""

    title: str
    form: Form
    files: tuple[File, ...] = field(repr=False)
    layers: tuple[Layer, ...] = ()
    zipped: int | None = None

    @property
    def visible(self) -> int:
        """The bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def size(self) -> int:
        """The bytes unpacked: of all files, and of those that layers hide."""
        return self.visible + sum(layer.hidden for layer in self.layers)


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """A distribution, or a folder without metadata (`version` is empty), in a folder of packages (`site`)."""

    name: str
    version: str
    site: str
    files: tuple[File, ...] = field(repr=False)

    @property
    def size(self) -> int:
        """The bytes of its files."""
        return sum(file.size for file in self.files)

    def inside(self, file: File) -> str:
        """The file's path from the folder of packages; as it is for one outside of that folder."""
        return file.name.removeprefix(f"{self.site}/") if self.site else file.name

    def kinds(self) -> Mapping[str, tuple[int, int]]:
        """Files and bytes by kind, of the kinds that it has."""
        found: dict[str, tuple[int, int]] = {}
        for file in self.files:
            kind = file_kind(self.inside(file))
            count, size = found.get(kind, (0, 0))
            found[kind] = count + 1, size + file.size
        return {kind: found[kind] for kind in FILE_KINDS if kind in found}


@dataclass(frozen=True, kw_only=True, slots=True)
class Duplicates:
    """Files with the same content, by their paths in the subject; `size` are the bytes of one of them."""

    size: int
    names: tuple[str, ...]

    @property
    def wasted(self) -> int:
        """The bytes of all but one."""
        return self.size * (len(self.names) - 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Library:
    """A copy of a BLAS or OpenMP library: the family (such as OpenBLAS), its file and its bytes."""

    family: str
    name: str
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Saved:
    """The bytes that a lever of `slim` would save of a package, and the files that it would touch."""

    lever: str
    saved: int
    files: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """What `slim` would save of a package. The wheel that it was installed from may give other figures.

    `removed` are the files that levers would remove, `symbols` the bytes of symbol tables in all others; both
    by their paths in the subject.
    """

    rows: tuple[Saved, ...]
    removed: frozenset[str] = field(repr=False)
    symbols: Mapping[str, int] = field(repr=False)

    @property
    def saved(self) -> int:
        """The bytes of all levers."""
        return sum(row.saved for row in self.rows)


@dataclass(frozen=True, kw_only=True, slots=True)
class FolderOfTests:
    """A folder of tests in a package: its bytes and files, and the bytes that `shrink` would remove."""

    name: str
    package: str
    size: int
    files: int
    removed: int


def file_kind(name: str) -> str:
    """The kind of an installed file: that of a wheel's file, or bytecode."""
    return BYTECODE if name.endswith((".pyc", ".pyo")) else kind_of(name)


def printable(text: str) -> str:
    """A name of somebody else's archive for a terminal: control characters and stray bytes are replaced."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
