"""The compilers and interpreters of this machine."""

from __future__ import annotations

import os
import shutil

from spokeshave.errors import EngineMissing
from spokeshave.inside.model import CPYTHON, Target
from spokeshave.inside.run import Command, Runner
from spokeshave.machine.venvs import Interpreter, find_interpreter

_TOOLS = ("gcc", "g++", "make", "pkg-config", "strip", "nm", "ar", "objcopy")


def usable_cpus() -> int:
    """The number of CPUs that this process may use."""
    return len(os.sched_getaffinity(0))


def find_python(target: Target) -> str:
    """The path of `host_python`."""
    return host_python(target).path


def host_python(target: Target) -> Interpreter:
    """An interpreter of the target's version with headers; raises EngineMissing where there is none."""
    try:
        found = find_interpreter(target, "the host engine")
    except EngineMissing as fault:
        fault.next_step += ", or use Docker"
        raise
    if not found.headers:
        raise EngineMissing(
            f"Python {target.python_version} is at {found.path}, but without its headers (Python.h)",
            next_step=f"install them (`apt-get install python{target.python_version}-dev`)",
        )
    return found


def missing_tools() -> list[str]:
    """The compilers and tools that the host engine needs and PATH lacks."""
    return [tool for tool in _TOOLS if not shutil.which(tool)]


def host_versions(runner: Runner, python: Interpreter) -> dict[str, str]:
    """The exact versions that decide what a host build yields: compiler, linkers, libc and Python.

    Raises EngineMissing where a tool is not installed.
    """
    if missing := missing_tools():
        raise EngineMissing(
            f"the host engine needs {', '.join(missing)}",
            next_step="`apt-get install build-essential pkg-config`",
        )
    linkers = [name for name in ("ld", "ld.gold") if shutil.which(name)]
    found = {
        name: runner(Command(argv=(name, "--version"))).output.splitlines()[0] for name in ("gcc", *linkers)
    }
    return {**found, "libc": os.confstr("CS_GNU_LIBC_VERSION") or "unknown", CPYTHON: python.identity}
