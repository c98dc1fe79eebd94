"""Runs a command with the recorder in each of its Python processes; input and output are the user's."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from spokeshave.digests import package_root
from spokeshave.errors import NothingRecorded, TraceError
from spokeshave.tracing.record import Lines, read_lines

_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_NEXT = (
    "python -I, -E and -S keep the recorder out, and so does a program that clears PYTHONPATH for its "
    "children: start it without"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Watch:
    """What to listen for: packages by import name, and the modules of components in them."""

    packages: tuple[str, ...]
    modules: tuple[str, ...]


def run_recorded(
    argv: Sequence[str], environment: Mapping[str, str], watch: Watch, folder: Path
) -> tuple[int, Lines]:
    """Runs a command to its end, with `folder` for the recorder; its exit code, and what was recorded.

    The code is 128 more than the signal that ended the command, as in a shell. SIGINT, SIGTERM and SIGHUP are
    passed on to it. Raises TraceError where it cannot be started, NothingRecorded where it ran unheard.
    """
    code = _pass_through(argv, prepare(environment, watch, folder))
    lines = read_lines((folder / "processes").glob("*.tsv"))
    if not lines.processes:
        told = f"no Python process of {argv[0]!r} was recorded (exit code {code})"
        raise NothingRecorded(told, next_step=_NEXT, code=code)
    return code, lines


def prepare(environment: Mapping[str, str], watch: Watch, folder: Path) -> dict[str, str]:
    """Writes the recorder into a folder; returns the variables with which Python finds it there."""
    injected, output = folder.resolve() / "inject", folder.resolve() / "processes"
    for place in (injected, output):
        place.mkdir(parents=True)
    source = package_root() / "tracing"
    shutil.copyfile(source / "recorder.py", injected / "spokeshave_recorder.py")
    shutil.copyfile(source / "hook.py", injected / "sitecustomize.py")
    rows = [("output", str(output)), *(("package", name) for name in watch.packages)]
    rows += [("watch", name) for name in watch.modules]
    (injected / "settings.tsv").write_text("".join(f"{key}\t{value}\n" for key, value in rows), "utf-8")
    path = [str(injected), *([before] if (before := environment.get("PYTHONPATH")) else [])]
    return {**environment, "PYTHONPATH": os.pathsep.join(path)}


def _pass_through(argv: Sequence[str], environment: Mapping[str, str]) -> int:
    """Not by `run.py`, which keeps the output and starts a session of its own: this one may be a dialogue."""
    try:
        process = subprocess.Popen(argv, env=dict(environment))
    except OSError as fault:
        raise TraceError(
            f"{argv[0]!r} cannot be started: {fault.strerror}", next_step="give the command behind --"
        ) from fault
    with _signals_to(process):
        code = process.wait()
    return code if code >= 0 else 128 - code


@contextmanager
def _signals_to(process: subprocess.Popen[bytes]) -> Iterator[None]:
    def pass_on(number: int, frame: FrameType | None) -> None:
        if number != signal.SIGINT or not _at_terminal():
            process.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in _PASSED_ON}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _at_terminal() -> bool:
    """Whether the terminal has sent Ctrl-C to the command too, as one of its foreground processes."""
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False
