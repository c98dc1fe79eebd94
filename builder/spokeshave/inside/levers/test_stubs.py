"""Stubs instead of test modules: importing one says where the tests are and how to install them.

Unpacking the tests archive over the install replaces them, as the files have the same names. Runs inside the
build container, so standard library only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import PurePosixPath

from spokeshave.inside.levers.lever import Tree
from spokeshave.inside.model import BuildPlan
from spokeshave.inside.stub_message import MARK, NAME

HELPER = "_tests_archive"
_STUB = "from {package}.{helper} import missing\n\nraise missing(__name__)\n"
# pytest shows an exception of `pytest.fail` without the traceback, which is importlib's and pytest's own; no
# other code sees a conftest.py fail.
_HELPER = (
    '''"""Says where the tests of this package are, which this wheel comes without (written by spokeshave)."""

import os
import sys

'''
    + NAME
    + '''
def missing(module):
    """The error of a test module that is not installed."""
    site = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    message = (
        f"{{module}}{mark}{distribution} ({version}): upstream's tests are in the tests"
        " archive next to the wheel. To install them:"
        f" python -m zipfile -e {archive} {{site}}"
    )
    kind = ModuleNotFoundError
    if module.endswith("conftest") and "pytest" in sys.modules:
        kinds = (kind, sys.modules["pytest"].fail.Exception)
        kind = type("ModuleNotFoundError", kinds, {{"__module__": "builtins", "pytrace": False}})
    return kind(message, name=Name(module))
'''
)


def write_stubs(plan: BuildPlan, tree: Tree, archive: str) -> int:
    """Writes the stubs, and the module that they share; returns their bytes.

    `archive` is the file name of the tests archive. Raises ValueError where upstream has such a module.
    """
    moved = {path.relative_to(tree.tests).as_posix() for path in tree.tests.rglob("*") if path.is_file()}
    names = stub_names({tree.name(path) for path in tree.files()}, moved)
    if not names:
        return 0
    helper = f"{plan.import_name}/{HELPER}.py"
    if (tree.root / helper).exists():
        raise ValueError(f"{helper} already exists in the wheel")
    stub = stub_text(plan.import_name)
    texts = dict.fromkeys(sorted(names), stub)
    texts[helper] = _HELPER.format(
        mark=MARK, distribution=plan.distribution, version=plan.local_version, archive=archive
    )
    for name, text in texts.items():
        path = tree.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return sum(len(text) for text in texts.values())


def stub_text(import_name: str) -> str:
    """The stub of any test module of a package."""
    return _STUB.format(package=import_name, helper=HELPER)


def stub_names(kept: Collection[str], moved: Collection[str]) -> set[str]:
    """The files to write stubs into, by the names of the wheel's files and of those that moved out of it.

    One stub per package that moved as a whole, as importing what is below it imports it first, and one per
    other module, but for `test_*` modules, which nobody imports.
    """
    folders = {folder for name in kept if _is_module(name) for folder in _folders(name)}
    found = (_stub_of(name, folders, moved) for name in moved if _is_module(name))
    return {name for name in found if name}


def _stub_of(name: str, kept_folders: Collection[str], moved: Collection[str]) -> str | None:
    bare = 0  # folders without `__init__.py`, which a stub would turn into packages
    for folder in _folders(name):
        if folder not in kept_folders:
            if f"{folder}/__init__.py" in moved:
                return f"{folder}/__init__.py"
            bare += 1
    path = PurePosixPath(name)
    module = path.name.partition(".")[0]
    needless = module == "__init__" or module.startswith("test_") or not module.isidentifier()
    return None if needless or bare > 1 or len(path.parts) < 2 else f"{path.parent}/{module}.py"


def _is_module(name: str) -> bool:
    return name.endswith((".py", ".so"))


def _folders(name: str) -> Iterator[str]:
    """The folders that a file is in, the outermost first."""
    return (str(folder) for folder in reversed(PurePosixPath(name).parents) if folder.name)
