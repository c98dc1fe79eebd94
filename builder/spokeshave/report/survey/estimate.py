"""What `slim` would save of an installed package: its levers act on a copy, and nothing is packed or checked.

The tests of a package with a recipe are those that its recipe removes. What strip would remove is read from
the tables of each compiled file.
"""

from __future__ import annotations

import errno
import json
import shutil
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from spokeshave import own_code
from spokeshave.inside.levers import lever_named
from spokeshave.inside.levers.lever import Options, Tree
from spokeshave.inside.model import digest_of, file_sha256
from spokeshave.machine.store import Store
from spokeshave.recipes.book import RecipeBook
from spokeshave.report.survey.model import BYTECODE, Estimate, File, Package, Saved, file_kind
from spokeshave.report.survey.symbol_sizes import symbol_bytes
from spokeshave.slim.levers import Levers
from spokeshave.slim.model import DEFAULT_LEVERS, Settings

_TESTS, _SYMBOLS = "tests", "symbols"
LEVERS = tuple(name for name in DEFAULT_LEVERS if name != _SYMBOLS)
"""The levers that act on the copy."""

_BAD_NAME = (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ)  # for this file system
_KIND, _NAME = "estimate", "estimate.json"

Estimator = Callable[[Package, Mapping[str, str], Path], Estimate]


def estimate(package: Package, scratch: Path, recipe: Options | None = None) -> Estimate:
    """The estimate of a package whose files can be read; `scratch` is a new folder for the tree.

    `recipe` are the options of lever `tests` in the package's recipe; None if it has none.
    """
    tree = Tree(root=scratch / "tree", tests=scratch / "tests")
    tree.root.mkdir(parents=True)
    tree.tests.mkdir()
    copied = _copy(package, tree)
    levers = Counter[str]()
    counts = Counter[str]()
    for row in _pulled(tree, recipe):
        levers[row.lever] += row.saved
        counts[row.lever] += row.files
    left = {tree.name(path) for path in tree.files()}
    removed = {file.name: file for inside, file in copied.items() if inside not in left}
    compiled = _bytecode_of(package, removed)
    symbols = {
        file.name: size
        for file in package.files
        if file.path is not None and file.name not in removed and (size := symbol_bytes(file.path))
    }
    rows = [Saved(lever=lever, saved=saved, files=counts[lever]) for lever, saved in levers.items()]
    rows += [_row(BYTECODE, {file.name: file.size for file in compiled}), _row(_SYMBOLS, symbols)]
    return Estimate(
        rows=tuple(row for row in rows if row.saved),
        removed=frozenset(removed) | {file.name for file in compiled},
        symbols=symbols,
    )


def _pulled(tree: Tree, recipe: Options | None) -> Iterator[Saved]:
    """What each lever saves; the recipe's tests come first, what is left of them is slim's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the syntax of the modules that are read
        if recipe is not None:
            yield _tests_of_recipe(tree, recipe)
        for row in Levers(tree=tree, settings=Settings(levers=LEVERS)).pull():
            yield Saved(lever=row.lever, saved=row.saved, files=row.files)


def _tests_of_recipe(tree: Tree, options: Options) -> Saved:
    shave = lever_named(_TESTS).shave
    assert shave is not None
    done = shave(tree, options)
    return Saved(lever=_TESTS, saved=done.saved, files=done.files)


def kept_estimate(store: Store, book: RecipeBook) -> Estimator:
    """Estimates a package, or takes the estimate from the store.

    The key has the content and the names of all its files, its recipe's options, and the code that estimates.
    """
    recipes = frozenset(book.names())
    code = [own_code.code_digest("slim"), file_sha256(Path(__file__))]

    def found(package: Package, hashes: Mapping[str, str], scratch: Path) -> Estimate:
        content = sorted((file.name, hashes.get(file.name, "")) for file in package.files)
        name = canonicalize_name(package.name)
        recipe = book.load(name).recipe.levers.get(_TESTS, {}) if name in recipes else None
        key = digest_of([content, recipe, *code])
        if (entry := store.get(_KIND, key)) is not None:
            return _read(json.loads((entry / _NAME).read_text("utf-8")))
        try:
            fresh = estimate(package, scratch, recipe)
        except (RecursionError, MemoryError):  # a file that nobody wrote by hand
            return Estimate(rows=(), removed=frozenset(), symbols={})
        text = json.dumps({**asdict(fresh), "removed": sorted(fresh.removed)})
        store.put(_KIND, key, lambda new: (new / _NAME).write_text(text, "utf-8"))
        return fresh

    return found


def _copy(package: Package, tree: Tree) -> dict[str, File]:
    """Copies what the wheel had: no bytecode, and no file outside of the folder of packages."""
    copied = {}
    for file in package.files:
        inside = package.inside(file)
        outside = bool(package.site) and inside == file.name
        if file.path is None or outside or file_kind(inside) == BYTECODE:
            continue
        copy = tree.root / inside
        try:
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.path, copy)
        except OSError as fault:
            if fault.errno not in _BAD_NAME:
                raise
            continue  # it is not estimated
        copied[inside] = file
    return copied


def _bytecode_of(package: Package, removed: Mapping[str, File]) -> list[File]:
    """The bytecode of removed modules."""
    sources = {name.removesuffix(".py") for name in removed if name.endswith(".py")}
    return [
        file for file in package.files if file_kind(file.name) == BYTECODE and _module(file.name) in sources
    ]


def _module(name: str) -> str:
    """The path of the module that a bytecode file is of, without its ending."""
    folder, _, base = name.rpartition("/")
    return f"{folder.removesuffix('__pycache__')}{base.partition('.')[0]}"


def _row(lever: str, sizes: Mapping[str, int]) -> Saved:
    return Saved(lever=lever, saved=sum(sizes.values()), files=len(sizes))


def _read(data: Mapping[str, Any]) -> Estimate:
    return Estimate(
        rows=tuple(Saved(**row) for row in data["rows"]),
        removed=frozenset(data["removed"]),
        symbols=data["symbols"],
    )
