"""Imports a package's public modules, asks them what tools ask, says what failed.

`python -m spokeshave.inside.prover.public_modules PACKAGE [NAMES [OTHER]]` writes the names that the modules
offer to the file NAMES. With OTHER, that file of another run, it writes those that they lack; see `names`.
"""

from __future__ import annotations

import importlib
import io
import json
import pickle
import pkgutil
import pydoc
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from types import ModuleType

from spokeshave.inside.prover.names import STAND_INS, lacking, offered

_PLAIN = pydoc.__dict__["plaintext"]  # typeshed does not know it


def public_modules(package: str) -> list[str]:
    """All modules below `package` that no part of whose name is private or belongs to its tests."""
    root = importlib.import_module(package)
    names = [package]
    for info in pkgutil.walk_packages(root.__path__, f"{package}.", onerror=lambda _: None):
        parts = info.name.split(".")
        if not any(part.startswith("_") or part in ("tests", "conftest") for part in parts):
            names.append(info.name)
    return names


def faults_of(module: ModuleType) -> Iterator[tuple[str, str]]:
    """What a module cannot answer: help(), the names that dir() lists, pickles of what it has."""
    name = module.__name__
    yield from _fault(f"help({name})", partial(pydoc.render_doc, module, renderer=_PLAIN))
    for key in dir(module):
        yield from _fault(f"{name}.{key}", partial(getattr, module, key))
    for key, value in list(vars(module).items()):
        if (
            not key.startswith("_") and callable(value) and type(value).__name__ not in STAND_INS
        ):  # these cannot be pickled
            yield from _fault(f"pickle {name}.{key}", partial(pickle.dumps, value))


def _fault(what: str, attempt: Callable[[], object]) -> Iterator[tuple[str, str]]:
    try:
        attempt()
    except BaseException as fault:
        yield what, f"{type(fault).__name__}: {fault}"


def main(package: str, names: str = "", stock: str = "") -> None:
    """Prints a JSON object: the modules imported, and the failures with their reasons.

    `unsound` has what an import alone does not show: see `faults_of`.
    """
    warnings.simplefilter("ignore")
    imported, failed = [], {}
    for name in public_modules(package):
        try:
            importlib.import_module(name)
        except BaseException as fault:
            failed[name] = f"{type(fault).__name__}: {fault}"
        else:
            imported.append(name)
    if names:  # before anything is asked, which may change what is there
        wanted = json.loads(Path(stock).read_text("utf-8")) if stock else None
        told = offered(imported) if wanted is None else lacking(wanted, imported)
        Path(names).write_text(json.dumps(told), "utf-8")
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        unsound = dict(fault for name in imported for fault in faults_of(sys.modules[name]))
    print(json.dumps({"imported": imported, "failed": failed, "unsound": unsound}))


if __name__ == "__main__":
    main(*sys.argv[1:])
