"""Runs a command with the recorder in each of its Python processes; input and output are the user's."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from spokeshave.errors import NothingRecorded, TraceError
from spokeshave.own_code import package_root
from spokeshave.trace.child_commands import kind_of, shown
from spokeshave.trace.journal import LOSSES, PAGE, PAGE_SIZE
from spokeshave.trace.processes import still_running
from spokeshave.trace.record import Lines, read_lines, read_starts

_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_INJECTED = ("calls", "chains", "child_commands", "journal", "origins", "recorder", "scope")
_NEXT = (
    "python -I, -E and -S keep the recorder out, and so does whatever sets or clears PYTHONPATH on the way "
    "to it: start it without, or have it keep what PYTHONPATH has"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Watch:
    """What to listen for: packages by import name, and the modules of components in them.

    Without `calls`, only loads and stubs are recorded: a recheck asks for no more.
    """

    packages: tuple[str, ...]
    modules: tuple[str, ...]
    calls: bool = True


def run_recorded(
    argv: Sequence[str],
    environment: Mapping[str, str],
    watch: Watch,
    folder: Path,
    *,
    output: Path | None = None,
    on_signal: Callable[[int], object] = int,
) -> tuple[int, Lines]:
    """Runs a command to its end with the recorder in it; its exit code, and what was recorded.

    The files of its processes are copied into `folder` afterwards. The code is 128 more than the signal that
    ended the command, as in a shell. SIGINT, SIGTERM and SIGHUP are passed on to it, and to `on_signal`. With
    `output` it gets no input, and its output is written there.
    Raises TraceError where it cannot be started, NothingRecorded where it ran unheard.
    """
    with open_folder() as work:
        variables = _prepared(environment, watch, work)
        processes = work / "processes"
        with (processes / PAGE).open("rb") as page:
            with nullcontext() if output is None else output.open("wb") as log:
                code = _pass_through(argv, variables, log, on_signal)
            reasons = _losses(processes, page.read(PAGE_SIZE))
        files = _copied(_files(processes), folder / "processes")
        kind = kind_of(argv[0], argv, variables, str(work.resolve() / "inject"))
    hidden = [shown(argv)] if kind == "hidden" else []
    lines = read_lines(files)
    if not lines.processes:
        what = f"no Python process of {argv[0]!r} was recorded (exit code {code})"
        raise NothingRecorded("; ".join([what, *reasons]), next_step=_NEXT, code=code)
    found = {"lost": (*lines.lost, *reasons), "hidden": (*lines.hidden, *hidden)}
    return code, lines.model_copy(update=found)


def _prepared(environment: Mapping[str, str], watch: Watch, folder: Path) -> dict[str, str]:
    try:
        return prepare(environment, watch, folder)
    except OSError as fault:
        raise TraceError(
            f"the recorder cannot be written to {folder}: {fault.strerror}",
            next_step="set TMPDIR to a folder with room",
        ) from fault


def _copied(files: Sequence[Path], folder: Path) -> list[Path]:
    """Copies the files next to the log of the run, where they are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    return [Path(shutil.copyfile(path, folder / path.name)) for path in files]


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that processes of other users get to, as those of a service do, and nobody else finds."""
    with tempfile.TemporaryDirectory(prefix="spokeshave-trace-", ignore_cleanup_errors=True) as name:
        outer = Path(name).resolve()
        inner = outer / secrets.token_hex(16)
        inner.mkdir()
        for folder in (outer, inner):
            folder.chmod(0o711)
        yield inner


def _files(folder: Path) -> list[Path]:
    """The files of processes: any user can put something else there."""
    return [path for path in folder.glob("*.tsv") if path.is_file() and not path.is_symlink()]


def _losses(folder: Path, page: bytes) -> list[str]:
    """Why the processes have recorded less than all: as they report, and as the folder shows."""
    found = [why for index, why in enumerate(LOSSES) if page[index : index + 1].strip(b"\0")]
    if not os.access(folder, os.W_OK):
        found.append("the folder of the record was removed or became read-only")
    if left := still_running(read_starts(_files(folder))):
        found.append(f"{len(left)} of its processes still ran when the command had ended")
    return found


def prepare(environment: Mapping[str, str], watch: Watch, folder: Path) -> dict[str, str]:
    """Writes the recorder into a folder; returns the variables with which Python finds it there."""
    injected, output = folder.resolve() / "inject", folder.resolve() / "processes"
    package = injected / "spokeshave_recorder"
    for one in (package, output):
        one.mkdir(parents=True)
    source = package_root() / "trace"
    for name in _INJECTED:
        shutil.copyfile(source / f"{name}.py", package / f"{name}.py")
    shutil.copyfile(source / "hook.py", injected / "sitecustomize.py")
    rows = [("output", str(output)), *(("package", name) for name in watch.packages)]
    rows += [("watch", name) for name in watch.modules]
    rows += [] if watch.calls else [("calls", "no")]
    (injected / "settings.tsv").write_text("".join(f"{key}\t{value}\n" for key, value in rows), "utf-8")
    (output / PAGE).write_bytes(bytes(PAGE_SIZE))
    _open_to_all(injected, output)
    path = [str(injected), *([before] if (before := environment.get("PYTHONPATH")) else [])]
    return {**environment, "PYTHONPATH": os.pathsep.join(path)}


def _open_to_all(injected: Path, output: Path) -> None:
    """Whatever the umask: each user may read the recorder and write files, and list or remove no others."""
    for path in (injected, *injected.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    output.chmod(0o1733)
    (output / PAGE).chmod(0o666)


def _pass_through(
    argv: Sequence[str],
    environment: Mapping[str, str],
    log: IO[bytes] | None,
    on_signal: Callable[[int], object],
) -> int:
    """Not by `run.py`, which keeps the output and starts a new session: this one may be a dialogue."""
    streams = (None, None, None) if log is None else (subprocess.DEVNULL, log, subprocess.STDOUT)
    try:
        process = subprocess.Popen(
            argv, env=dict(environment), stdin=streams[0], stdout=streams[1], stderr=streams[2]
        )
    except OSError as fault:
        raise TraceError(
            f"{argv[0]!r} cannot be started: {fault.strerror}", next_step="give the command behind --"
        ) from fault
    with _signals_to(process, on_signal):
        code = process.wait()
    return code if code >= 0 else 128 - code


@contextmanager
def _signals_to(process: subprocess.Popen[bytes], on_signal: Callable[[int], object]) -> Iterator[None]:
    def pass_on(number: int, frame: FrameType | None) -> None:
        on_signal(number)
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
