"""Type stubs, sources and headers that must be kept in a wheel without a recipe.

The levers have the globs of files to remove. This module selects those to keep: the package reads them as
data, or they would be wrong once other files are removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from spokeshave.inside.levers.lever import Tree, fits
from spokeshave.slim.header_folders import include_folder, with_included
from spokeshave.slim.wheel_layout import EXT_SUFFIXES, Source, sources

_READS_STUBS = re.compile(r"attach_stub|\.pyi\b")  # lazy loaders take a package's names from its stub
_WORD = re.compile(r"[\w.+-]+")
SHARED_DATA = ("*.data/data/*", "*.data/scripts/*")
_PROMISE = re.compile(r"^def (get_include\w*|include_dir\w*)\b", re.MULTILINE)


def stubs_to_keep(tree: Tree) -> frozenset[str]:
    """Stubs without a module next to them, stubs that their module reads, and py.typed if no stub is removed.

    A stub without a module is data: a type checker's own stubs, a distribution of stubs only.
    py.typed without stubs says that the modules themselves are annotated, which remains true.
    """
    stubs = [path for path in tree.files() if path.suffix == ".pyi"]
    keep = {path for path in stubs if not _has_module(path) or _is_read(path)}
    tops = {_top(tree, path) for path in stubs if path not in keep}
    keep |= {path for path in tree.files() if path.name == "py.typed" and _top(tree, path) not in tops}
    keep |= {path for path in [*stubs, *_marks(tree)] if fits(tree.name(path), SHARED_DATA)}
    return frozenset(tree.name(path) for path in keep)


def _marks(tree: Tree) -> Iterable[Path]:
    return (path for path in tree.files() if path.name == "py.typed")


def _top(tree: Tree, path: Path) -> str:
    return tree.name(path.parent).partition("/")[0]


def _has_module(stub: Path) -> bool:
    """Whether the module is next to its stub, or is a compiled one whose stubs fill a folder of its name."""
    if stub.with_suffix(".py").is_file() or _is_compiled(stub.parent, stub.name.removesuffix(".pyi")):
        return True
    return _is_compiled(stub.parent.parent, stub.parent.name)


def _is_compiled(folder: Path, name: str) -> bool:
    return any(p.name.partition(".")[0] == name and p.suffix in EXT_SUFFIXES for p in folder.iterdir())


def _is_read(stub: Path) -> bool:
    modules = (stub.with_suffix(".py"), stub.parent / "__init__.py")
    return any(_READS_STUBS.search(path.read_text("utf-8", "replace")) for path in modules if path.is_file())


def sources_to_keep(tree: Tree) -> frozenset[str]:
    """Files that some module names: templates that are compiled at run time, headers that are read.

    A folder without modules counts as named where a module of its package makes a path with its name:
    numpy.distutils compiles all that is in its `checks`. Folders of headers are decided elsewhere. The files
    that a kept file includes are kept too: numba.pycc compiles numba/_helperlib.c with its headers.
    """
    words: set[str] = set()
    parts: dict[str, set[str]] = {}
    for source in sources(tree.root):
        words.update(_WORD.findall(source.text))
        parts.setdefault(_top(tree, source.path), set()).update(source.path_parts)
    named = {path for path in tree.files() if path.suffix != ".py" and path.name in words}
    named |= {
        path
        for path in tree.files()
        if path.parent.name in parts.get(_top(tree, path), ())
        and not include_folder(tree.name(path))
        and not any(path.parent.glob("*.py"))
    }
    named |= {path for path in tree.files() if fits(tree.name(path), SHARED_DATA)}
    return with_included(tree, frozenset(tree.name(path) for path in named))


def promises_of_headers(found: Iterable[Source]) -> tuple[str, ...]:
    """The modules with a function that returns the folder of the headers, such as get_include."""
    return tuple(
        f"{source.module}.{match[1]}() now names folders without headers"
        for source in found
        if (match := _PROMISE.search(source.text))
    )
