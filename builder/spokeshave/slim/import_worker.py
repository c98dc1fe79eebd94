"""Imports modules one after another and writes the result of each: `import_worker.py NAMES RESULTS SECONDS`.

Runs by its path in a venv without spokeshave, so standard library only. A module that ends the process
or takes more than SECONDS leaves only the line that says that its import began.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import warnings
from pathlib import Path
from types import FunctionType, MethodType, TracebackType

LONGEST = 5000  # characters of an error; the cause is often in its last lines


def public_names(name: str) -> list[str]:
    """The names that a module offers, without its submodules: those depend on the order of imports."""
    return sorted(
        key
        for key in vars(sys.modules[name])
        if not key.startswith("__") and f"{name}.{key}" not in sys.modules
    )


def files_of(traceback: TracebackType | None) -> list[str]:
    """The files that an exception went through, innermost first.

    Before each are those of its local functions and classes: a decorator fails on what it is given.
    """
    found: list[str] = []
    while traceback is not None:
        frame = traceback.tb_frame
        mine = [frame.f_code.co_filename]
        if frame.f_locals is not frame.f_globals:
            given = [v for v in frame.f_locals.values() if isinstance(v, (type, FunctionType, MethodType))]
            for value in given:
                module = sys.modules.get(str(value.__module__))
                mine.append(str(getattr(module, "__file__", "")))
        found = mine + found
        traceback = traceback.tb_next
    return list(dict.fromkeys(file for file in found if file.endswith(".py")))


def main(names: Path, results: Path, seconds: int) -> None:
    """Imports every module that `names` lists, a name a line; appends JSON lines to `results`."""
    warnings.simplefilter("ignore")
    with results.open("a", encoding="utf-8", buffering=1) as sink:
        for name in names.read_text("utf-8").split():
            print(json.dumps({"name": name}), file=sink)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(seconds)
            try:
                importlib.import_module(name)
                row = {"name": name, "offers": public_names(name)}
            except BaseException as fault:
                row = {
                    "name": name,
                    "error": f"{type(fault).__name__}: {fault}"[:LONGEST],
                    "files": files_of(fault.__traceback__),
                }
            signal.alarm(0)
            print(json.dumps(row), file=sink)
    os._exit(0)  # no module's farewell may hang or fail the run


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
