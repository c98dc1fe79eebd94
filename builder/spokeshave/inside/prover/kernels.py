"""Asks a trimmed OpenBLAS which kernels it has and which it takes: prints a JSON object.

Called with PACKAGE, FEATURES and SYMBOLS as JSON: the recipe's `cpu-features`, and the name of cblas_dgemm by
the width of its integers (`lp64`, `ilp64`). Each kernel multiplies two matrices through each width.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from spokeshave.inside.run import Command, run

_ROWS = 37  # no multiple of a kernel's block
_PLAIN_BY_COLUMNS = (102, 111, 111)  # CblasColMajor, CblasNoTrans twice


def chosen(library: ctypes.CDLL) -> str:
    """The core name that the library reports in this process."""
    library.openblas_get_corename.restype = ctypes.c_char_p
    return str(library.openblas_get_corename().decode())


def product_fault(library: ctypes.CDLL, width: str, symbol: str) -> str:
    """What is wrong with cblas_dgemm in one width of integers; empty if its products are right.

    LP64 must not read the upper half of a 64-bit integer, and ILP64 must.
    """
    dgemm = getattr(library, symbol, None)
    if dgemm is None:
        return f"{width}: the library has no {symbol}"
    shapes = ((_ROWS, _ROWS), (1, 2**32)) if width == "ilp64" else ((_ROWS, _ROWS),)
    wrong = [shape for shape in shapes if not _multiplies(dgemm, width, *shape)]
    return f"{width}: {symbol} returns a wrong product" if wrong else ""


def _multiplies(dgemm: Any, width: str, columns: int, leading: int) -> bool:
    """Whether A B is right; B and the product have that many columns and that leading dimension."""

    def size(value: int) -> ctypes.c_int64:
        return ctypes.c_int64(value if width == "ilp64" else value - 2**32)

    matrix = ctypes.c_double * _ROWS**2
    a, b, product = (
        matrix(*(i % 7 for i in range(_ROWS**2))),
        matrix(*(i % 5 for i in range(_ROWS**2))),
        matrix(),
    )
    one, zero = ctypes.c_double(1), ctypes.c_double(0)
    sizes = (size(_ROWS), size(columns), size(_ROWS))
    dgemm(*_PLAIN_BY_COLUMNS, *sizes, one, a, size(_ROWS), b, size(leading), zero, product, size(leading))
    return all(
        product[i + _ROWS * j] == sum(a[i + _ROWS * k] * b[k + _ROWS * j] for k in range(_ROWS))
        for i in range(_ROWS)
        for j in range(columns)
    )


def cpu_flags() -> set[str]:
    """The CPU's features as the Linux kernel sees them."""
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("flags"):
            return set(line.split(":")[1].split())
    return set()


def ask(package: str, symbols: Mapping[str, str], core: str | None) -> str:
    """The core that a fresh process takes, with OPENBLAS_CORETYPE set to `core` or unset; or its error."""
    env = {key: value for key, value in os.environ.items() if key != "OPENBLAS_CORETYPE"}
    if core:
        env["OPENBLAS_CORETYPE"] = core
    words = (package, "--chosen", json.dumps(symbols))
    argv = (sys.executable, "-m", "spokeshave.inside.prover.kernels", *words)
    done = run(Command(argv=argv, env=env))
    return done.output.strip() if done.ok else f"exit {done.returncode}: {done.output[-300:]}"


def answer(package: str, symbols: Mapping[str, str]) -> str:
    """The core of this process; exits with 1 and says what is wrong where a product is wrong."""
    library = importlib.import_module(package).load()
    found = (product_fault(library, width, symbol) for width, symbol in symbols.items())
    if faults := [fault for fault in found if fault]:
        sys.exit(", ".join(faults))
    return chosen(library)


def runnable_cores(features: Mapping[str, Iterable[str]], flags: set[str]) -> list[str]:
    """The cores whose features a CPU with these flags has, in the order of `features`."""
    return [core for core, needs in features.items() if set(needs) <= flags]


def main(package: str, features: Mapping[str, Iterable[str]], symbols: Mapping[str, str]) -> None:
    """Prints the cores that this CPU can run, the default one, and the one chosen where each is forced."""
    runnable = runnable_cores(features, cpu_flags())
    answers = {core: ask(package, symbols, core) for core in runnable}
    print(
        json.dumps(
            {
                "runnable": runnable,
                "default": ask(package, symbols, None),
                "forced": answers,
            }
        )
    )


if __name__ == "__main__":
    if sys.argv[2] == "--chosen":
        print(answer(sys.argv[1], json.loads(sys.argv[3])))
    else:
        main(sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3]))
