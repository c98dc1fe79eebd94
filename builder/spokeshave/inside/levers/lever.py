"""What a lever is. Standard library only: levers also run inside the build container."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

Options = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Flags:
    """What a lever adds to the compile: flags for the C, C++ and Fortran compilers, the linker, Cython."""

    c: tuple[str, ...] = ()
    cxx: tuple[str, ...] = ()
    fortran: tuple[str, ...] = ()
    link: tuple[str, ...] = ()
    cython: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Tree:
    """An unpacked wheel: `root` holds what will be installed, `tests` the files for the tests archive."""

    root: Path
    tests: Path

    def files(self) -> Iterator[Path]:
        """All regular files below the root, sorted."""
        return (path for path in sorted(self.root.rglob("*")) if path.is_file())

    def name(self, path: Path) -> str:
        """The file's name inside the wheel, with forward slashes."""
        return path.relative_to(self.root).as_posix()

    def matching(self, match: Iterable[str], keep: Iterable[str] = ()) -> list[Path]:
        """The files whose name fits a glob of `match` and none of `keep` (`*` also crosses slashes)."""
        return [
            path for path in self.files() if fits(self.name(path), match) and not fits(self.name(path), keep)
        ]

    def move_to_tests(self, path: Path) -> int:
        """Moves a file into the tests archive; returns its size in bytes."""
        size = path.stat().st_size
        target = self.tests / path.relative_to(self.root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)
        return size


@dataclass(frozen=True, kw_only=True, slots=True)
class Shaved:
    """What a lever took off one wheel, in bytes unpacked, and the files that it touched."""

    saved: int
    files: int
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lever:
    """One way to make a wheel smaller.

    `flags` acts on the compile and is pure; `shave` acts on the unpacked wheel and counts what it
    removed. What a lever of the compile saves is known from a build without it: `spokeshave ablate`.
    `options` names the recipe's own data that it reads (globs to match or to keep, languages).
    """

    name: str
    summary: str
    options: tuple[str, ...] = ()
    flags: Callable[[Options], Flags] | None = None
    shave: Callable[[Tree, Options], Shaved] | None = None


def fits(name: str, globs: Iterable[str]) -> bool:
    """Whether `name` fits one of the globs; `*` also crosses slashes."""
    return any(fnmatchcase(name, glob) for glob in globs)


def is_elf(path: Path) -> bool:
    """Whether the file starts as an ELF object."""
    with path.open("rb") as stream:
        return stream.read(4) == b"\x7fELF"
