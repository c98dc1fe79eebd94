"""Interpreters, and venvs without pip, which this Python's own pip fills."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from spokeshave.errors import EngineMissing
from spokeshave.inside.model import Target
from spokeshave.inside.run import Command, Finished, Runner, run

_WHO_ARE_YOU = """
import hashlib, platform, sys, sysconfig
from pathlib import Path
folder = Path(sysconfig.get_path("include"))
headers = hashlib.sha256()
for path in sorted(folder.rglob("*.h")):
    headers.update(path.relative_to(folder).as_posix().encode() + b"\\0" + path.read_bytes() + b"\\0")
identity = platform.python_version(), sysconfig.get_config_var("SOABI"), headers.hexdigest()
print(sys.implementation.name, "%d.%d" % sys.version_info[:2], (folder / "Python.h").is_file(), sep="\\n")
print(*identity)
print(sys.executable)
"""
_TRIAL_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Venv:
    """The folder of a venv."""

    root: Path

    @property
    def python(self) -> str:
        return str(self.root / "bin" / "python")

    @property
    def site(self) -> Path:
        return next((self.root / "lib").glob("python3*/site-packages"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Interpreter:
    """An interpreter that has run and said what it is; `fault` says why one is of no use, if it is not.

    `identity` is what a compile depends on, wherever it is: its version, its ABI, and the sha256 (hex)
    of its headers.
    """

    path: str
    headers: bool = False
    identity: str = ""
    fault: str = ""


def find_interpreter(target: Target, needed_by: str, *, runner: Runner = run) -> Interpreter:
    """This Python where it is of the target's version, else the first on PATH that runs and is.

    Raises EngineMissing, with what became of each that was tried. A name on PATH is no interpreter yet:
    shims of version managers answer to Pythons that are not installed.
    """
    tried = []
    for found in _interpreters(target, runner):
        if not found.fault:
            return found
        tried.append(f"{found.path} {found.fault}")
    raise EngineMissing(
        f"{needed_by} needs Python {target.python_version}, {'; '.join(tried) or 'which is not on PATH'}",
        next_step=f"install python{target.python_version} and its -dev and -venv packages",
    )


def _interpreters(target: Target, runner: Runner) -> Iterator[Interpreter]:
    if f"cp{sys.version_info[0]}{sys.version_info[1]}" == target.python:
        yield _try(sys.executable, target, runner)
    name = f"python{target.python_version}"
    for folder in os.get_exec_path():
        path = Path(folder, name)
        if path.is_file() and os.access(path, os.X_OK):
            yield _try(str(path), target, runner)


def _try(path: str, target: Target, runner: Runner) -> Interpreter:
    """Runs an interpreter and asks what it is."""
    try:
        done = runner(Command(argv=(path, "-I", "-c", _WHO_ARE_YOU), timeout=_TRIAL_SECONDS))
    except (OSError, TimeoutError) as fault:
        return Interpreter(path=path, fault=f"cannot be run ({fault})")
    lines = done.output.strip().splitlines()
    if not done.ok or len(lines) < 5:
        said = lines[0] if lines else "no output"
        return Interpreter(path=path, fault=f"cannot be run (exit code {done.returncode}: {said[:200]})")
    name, version, headers, identity, executable = lines[-5:]
    if (name, version) != ("cpython", target.python_version):
        return Interpreter(path=path, fault=f"is {name} {version}")
    return Interpreter(path=executable, headers=headers == "True", identity=identity)


def make_venv(root: Path, runner: Runner, log: Path, *, python: str = sys.executable) -> Venv:
    """A new venv of an interpreter; raises EngineMissing where that has no venv module."""
    done = runner(Command(argv=(python, "-m", "venv", "--without-pip", str(root)), log=log))
    if not done.ok:
        raise EngineMissing(
            f"no venv can be made with {python}: {done.output.strip()[-300:]}",
            next_step="install its venv module (`apt-get install python3-venv`)",
            log=log,
        )
    return Venv(root=root)


def install(venv: Venv, words: tuple[str, ...], runner: Runner, log: Path) -> Finished:
    """Has pip install files and requirements, with the user's settings of pip."""
    # Bytecode would take longer to write than the few modules that are imported twice take to compile.
    options = ("--no-input", "--progress-bar=off", "--no-compile")
    return _pip(venv, ("install", *options, *words), runner, log)


def install_alike(
    venv: Venv,
    files: tuple[str, ...],
    *,
    like: Venv,
    exclude: tuple[str, ...],
    runner: Runner,
    log: Path,
) -> Finished:
    """Installs `files`, and all that `like` has except the distributions `exclude`, in the same versions."""
    without = tuple(word for name in exclude for word in ("--exclude", name))
    frozen = _pip(like, ("freeze", "--all", *without), runner, None)  # unlogged, to keep every line
    beside = tuple(line for line in frozen.output.splitlines() if "==" in line)
    return install(venv, ("--no-deps", "--", *files, *beside), runner, log) if frozen.ok else frozen


def _pip(venv: Venv, words: tuple[str, ...], runner: Runner, log: Path | None) -> Finished:
    return run_pip(venv.python, words, runner, log)


def run_pip(python: str, words: tuple[str, ...], runner: Runner, log: Path | None) -> Finished:
    """Has this Python's pip work for another interpreter, with the user's settings of pip."""
    argv = (sys.executable, "-P", "-m", "pip", "--python", python, *words)
    return runner(Command(argv=argv, env=_plain_environment(), log=log))


def _plain_environment() -> Mapping[str, str]:
    """The user's environment, pip's settings in it, without what would make Python look elsewhere."""
    return {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
