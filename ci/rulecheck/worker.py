"""Runs functions of a file and writes their results as JSON: `worker.py FILE RESULTS FUNCTION...`.

Runs by its path in a venv without spokeshave, so standard library only.
"""

from __future__ import annotations

import json
import runpy
import sys
import warnings
from pathlib import Path


def main(file: str, results: Path, names: list[str]) -> None:
    """Calls each function once; a function that fails has its error instead of a result."""
    warnings.simplefilter("ignore")
    functions = runpy.run_path(file)
    found: dict[str, object] = {}
    for name in names:
        try:
            found[name] = {"result": functions[name]()}
        except BaseException as fault:
            found[name] = {"error": f"{type(fault).__name__}: {fault}"[:2000]}
    results.write_text(json.dumps(found, sort_keys=True), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
