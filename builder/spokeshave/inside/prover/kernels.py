"""Asks a trimmed OpenBLAS which kernels it has and which it takes: prints a JSON object.

Called with PACKAGE and FEATURES, the recipe's `cpu-features` as JSON.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from spokeshave.inside.run import Command, run


def chosen(package: str) -> str:
    """The core name that the library reports in this process."""
    library = importlib.import_module(package).load()
    library.openblas_get_corename.restype = ctypes.c_char_p
    return str(library.openblas_get_corename().decode())


def cpu_flags() -> set[str]:
    """The CPU's features as the Linux kernel sees them."""
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("flags"):
            return set(line.split(":")[1].split())
    return set()


def ask(package: str, core: str | None) -> str:
    """The core that a fresh process takes, with OPENBLAS_CORETYPE set to `core` or unset."""
    env = {key: value for key, value in os.environ.items() if key != "OPENBLAS_CORETYPE"}
    if core:
        env["OPENBLAS_CORETYPE"] = core
    argv = (sys.executable, "-m", "spokeshave.inside.prover.kernels", package, "--chosen")
    done = run(Command(argv=argv, env=env))
    return done.output.strip() if done.ok else f"exit {done.returncode}: {done.output[-300:]}"


def runnable_cores(features: Mapping[str, Iterable[str]], flags: set[str]) -> list[str]:
    """The cores whose features a CPU with these flags has, in the order of `features`."""
    return [core for core, needs in features.items() if set(needs) <= flags]


def main(package: str, features: Mapping[str, Iterable[str]]) -> None:
    """Prints the cores that this CPU can run, the default one, and the one chosen where each is forced."""
    runnable = runnable_cores(features, cpu_flags())
    answers = {core: ask(package, core) for core in runnable}
    print(
        json.dumps(
            {
                "runnable": runnable,
                "default": ask(package, None),
                "forced": answers,
            }
        )
    )


if __name__ == "__main__":
    if "--chosen" in sys.argv:
        print(chosen(sys.argv[1]))
    else:
        main(sys.argv[1], json.loads(sys.argv[2]))
