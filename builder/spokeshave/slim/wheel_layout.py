"""Where modules are in an unpacked wheel, and their names once it is installed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from spokeshave.removal.readers.python import python_references
from spokeshave.removal.readers.reader import Reference, Unit
from spokeshave.slim.path_literals import Spelt, spelt_paths

EXT_SUFFIXES = (".so", ".pyd")
TEST_FOLDERS = ("tests", "test")
_DATA = re.compile(r"^[^/]+\.data/(purelib|platlib)/")
# A path to a file of the same package starts from one of these.
_ANCHORS = re.compile(r"\b(__file__|__path__|importlib[._]resources|pkgutil|pkg_resources)\b")
_NOT_MODULES = re.compile(r"^[^/]+\.(data|dist-info)/")


def module_of(member: str) -> str:
    """The dotted name of the module that a member of a wheel is; empty for any other file.

    A part that is no identifier makes it empty too: such a file can be run, but not imported.
    """
    member = _DATA.sub("", member)
    if _NOT_MODULES.match(member) or not member.endswith((".py", *EXT_SUFFIXES)):
        return ""
    *folders, file = member.split("/")
    stem = file.partition(".")[0] if file.endswith(EXT_SUFFIXES) else file.removesuffix(".py")
    parts = folders if stem == "__init__" else [*folders, stem]
    return ".".join(parts) if all(part.isidentifier() for part in parts) else ""


@dataclass(frozen=True)
class Source:
    """A Python file of an unpacked wheel: its path, its name in the wheel and its module's name."""

    path: Path
    member: str
    module: str

    @cached_property
    def text(self) -> str:
        """The text, with what is not UTF-8 replaced: it is only searched."""
        return self.path.read_text("utf-8", "replace")

    @cached_property
    def references(self) -> tuple[Reference, ...] | None:
        """Its imports; None where it is no valid Python."""
        unit = Unit(text=self.text, module=self.module, package=self.path.name == "__init__.py")
        try:
            return tuple(python_references(unit))
        except (SyntaxError, ValueError, RecursionError):
            return None

    @cached_property
    def paths(self) -> frozenset[Spelt]:
        """Its strings that could be paths, if it makes paths to files of the same package."""
        if not _ANCHORS.search(self.text):
            return frozenset()
        try:
            return spelt_paths(ast.parse(self.text))
        except (SyntaxError, ValueError, RecursionError):
            return frozenset()

    @property
    def path_parts(self) -> frozenset[str]:
        """All parts of those paths, without endings such as `.py`."""
        return frozenset(part for path in self.paths for name in path.parts for part in name.split("."))


def sources(root: Path) -> Iterator[Source]:
    """All Python files of an unpacked wheel, sorted."""
    for path in sorted(root.rglob("*.py")):
        member = path.relative_to(root).as_posix()
        yield Source(path=path, member=member, module=module_of(member))


def site_folders(root: Path) -> tuple[Path, ...]:
    """The folders of an unpacked wheel whose content is installed into site-packages."""
    return (root, *sorted(root.glob("*.data/purelib")), *sorted(root.glob("*.data/platlib")))
