"""Becomes a `sitecustomize.py` in front of the program's own: starts the recorder, then runs that one.

Standard library only. A fault of the recorder is passed over; one of the program's own file is its own.
"""

import os
import sys


def _run_next(here: str) -> None:
    from importlib.machinery import PathFinder  # noqa: PLC0415
    from importlib.util import module_from_spec  # noqa: PLC0415

    sys.path[:] = [entry for entry in sys.path if entry != here]
    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec is not None and spec.loader is not None:
        module = module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


if __name__ == "sitecustomize":
    _HERE = os.path.dirname(__file__)  # noqa: PTH120  (pathlib would be loaded into the program)
    try:
        from spokeshave_recorder.recorder import start  # type: ignore[import-not-found]  # the copy

        start(f"{_HERE}/settings.tsv")
    except Exception as fault:
        print(f"spokeshave trace: this process is not recorded: {fault}", file=sys.stderr)
    _run_next(_HERE)
