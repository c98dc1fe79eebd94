"""Which files of an unpacked source are modules, and which module each of them belongs to."""

from __future__ import annotations

import os
import posixpath
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spokeshave.removal.readers.cython import cython_references, included
from spokeshave.removal.readers.meson import extension_modules, relocations, shared_modules
from spokeshave.removal.readers.native import native_references
from spokeshave.removal.readers.python import python_references
from spokeshave.removal.readers.reader import Reader, Reference, Unit, parents

# Removed from every wheel, or never in one: nobody needs their imports.
_PRUNED = frozenset(
    {"tests", "test", "vendor_test", "vendor_tests", "benchmarks", "doc", "docs", "examples", "_examples"}
    | {"_build_utils", "code_generators"}
)
_PRUNED_FILES = frozenset({"conftest.py", "setup.py"})
_TEMPLATES = frozenset({".in", ".tp", ".src"})
_READERS: Mapping[str, Reader] = {
    ".py": python_references,
    **dict.fromkeys((".pyx", ".pxd", ".pxi"), cython_references),
    **dict.fromkeys((".c", ".cc", ".cpp", ".cxx", ".h", ".hh", ".hpp", ".hxx", ".inc"), native_references),
}
_MODULES = frozenset({".py", ".pyx", ".pxd"})
_ENTRY_LINE = "^\\s*[\"']?{name}[\"']?\\s*=\\s*[\"']{value}[\"']"


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A file to read: its name below the source's root, the module it is a part of, and how to read it."""

    path: Path
    file: str
    module: str
    package: bool
    template: bool
    reader: Reader

    def unit(self) -> Unit:
        """The file's text with its path and module."""
        return Unit(text=read_text(self.path), module=self.module, package=self.package)


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """The modules of one package, the files that they are made of, and what its entry points name.

    `shared` are modules that Cython makes for its own run time, and every .pyx of the package imports.
    """

    modules: frozenset[str]
    shared: tuple[str, ...]
    sources: tuple[Source, ...]
    entry_points: tuple[Reference, ...]


def read_text(path: Path) -> str:
    """A source's text; bytes that are not UTF-8 only stand in comments and strings, and may be lost."""
    return path.read_text("utf-8", errors="replace")


def read_layout(root: Path, package: str) -> Layout:
    """Finds the modules of `package` below an unpacked source's root."""
    files = sorted(_walk(root, package))
    moved: dict[str, str] = {}
    modules: set[str] = set()
    shared: set[str] = set()
    for name in ("meson.build", *files):
        if posixpath.basename(name) == "meson.build" and (root / name).is_file():
            text, folder = read_text(root / name), posixpath.dirname(name)
            moved |= relocations(text, folder)
            modules |= extension_modules(text, folder)
            shared |= shared_modules(text)
    installed = {name: moved.get(name, name) for name in files}
    packages = _packages(installed.values())
    sources = [s for name in files if (s := _source(root, name, installed[name], packages))]
    owners = _including(sources)
    modules |= packages | {s.module for s in sources if not s.package and _suffix(s.file)[1] in _MODULES}
    return Layout(
        modules=frozenset(modules | shared),
        shared=tuple(sorted(shared)),
        sources=tuple(_owned(source, owners) for source in sources),
        entry_points=tuple(_entry_points(root / "pyproject.toml")),
    )


def _walk(root: Path, package: str) -> Iterator[str]:
    for folder, folders, names in os.walk(root / package):
        folders[:] = [name for name in folders if name not in _PRUNED]
        for name in names:
            if name not in _PRUNED_FILES:
                yield (Path(folder) / name).relative_to(root).as_posix()


def _dotted(path: str) -> str:
    return path.replace("/", ".")


def _suffix(name: str) -> tuple[str, str, bool]:
    """A file name without its suffix, the suffix of its language, and whether it is a template."""
    stem, suffix = posixpath.splitext(name)
    if suffix in _TEMPLATES:
        return (*posixpath.splitext(stem), True)
    if suffix == ".pxd":  # `__init__.cython-30.pxd` is for one Cython only
        stem = posixpath.join(posixpath.dirname(stem), posixpath.basename(stem).partition(".")[0])
    return stem, suffix, False


def _packages(installed: Iterable[str]) -> frozenset[str]:
    """The dotted names of the folders with an `__init__.py` that lie in no folder without one."""
    found = {
        _dotted(posixpath.dirname(name)) for name in installed if posixpath.basename(name) == "__init__.py"
    }
    return frozenset(name for name in found if found.issuperset(parents(name)))


def _source(root: Path, name: str, installed: str, packages: frozenset[str]) -> Source | None:
    """The file as a part of its module; None for one that holds no imports or lies outside the packages."""
    stem, suffix, template = _suffix(installed)
    reader = _READERS.get(suffix)
    folder = _dotted(posixpath.dirname(stem))
    if not reader:
        return None
    if suffix in _MODULES:
        if folder not in packages:
            return None
        is_package = posixpath.basename(stem) == "__init__"
        module = folder if is_package else _dotted(stem)
    else:
        inside = [p for p in (*parents(folder), folder) if p in packages]
        if not inside:
            return None
        is_package, module = True, inside[-1]
    return Source(
        path=root / name, file=name, module=module, package=is_package, template=template, reader=reader
    )


def _including(sources: Iterable[Source]) -> dict[str, Source]:
    """Which source takes in a .pxi file, by the file's name without that of a template."""
    owners: dict[str, Source] = {}
    for source in sources:
        if source.reader is cython_references:
            for name in included(read_text(source.path)):
                owners.setdefault(
                    posixpath.normpath(posixpath.join(posixpath.dirname(source.file), name)), source
                )
    return owners


def _owned(source: Source, owners: Mapping[str, Source]) -> Source:
    """The source as a part of the module that includes it, if one does."""
    stem, suffix, template = _suffix(source.file)
    owner = owners.get(stem + suffix)
    if suffix in _MODULES or owner is None:
        return source
    return Source(
        path=source.path,
        file=source.file,
        module=owner.module,
        package=owner.package,
        template=template,
        reader=source.reader,
    )


def _entry_points(pyproject: Path) -> Iterator[Reference]:
    """What a project's scripts and entry points load: module and, behind it, the object in it."""
    if not pyproject.is_file():
        return
    text = read_text(pyproject)
    project: dict[str, Any] = tomllib.loads(text).get("project", {})
    groups = [project.get("scripts", {}), project.get("gui-scripts", {})]
    for group in [*groups, *project.get("entry-points", {}).values()]:
        for name, value in group.items():
            found = re.search(_ENTRY_LINE.format(name=re.escape(name), value=re.escape(value)), text, re.M)
            yield Reference(
                name=value.partition("[")[0].strip().replace(":", "."),
                line=text.count("\n", 0, found.end()) + 1 if found else 1,
                kind="entry point",
            )
