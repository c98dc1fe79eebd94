"""The only module that starts subprocesses. Standard library only: it also runs inside containers."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LIBC = ctypes.CDLL(None)
_GRACE_SECONDS = 45.0  # cibuildwheel needs up to 30 s to stop and remove its container


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A subprocess to start: `argv`, and where and with what it runs.

    `log` receives stdout and stderr together; without it both are only kept. `timeout` is in seconds.
    """

    argv: tuple[str, ...]
    cwd: Path | None = None
    env: Mapping[str, str] | None = None
    log: Path | None = None
    timeout: float | None = None
    stdin: bytes | None = None
    on_line: Callable[[str], None] | None = field(default=None, compare=False)
    on_start: Callable[[int], None] | None = field(default=None, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """How a subprocess ended: its exit code, the tail of its output (whole when not logged), seconds."""

    argv: tuple[str, ...]
    returncode: int
    output: str
    seconds: float

    @property
    def ok(self) -> bool:
        return self.returncode == 0


SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


def clean_environment(home: Path, *, path: str = SYSTEM_PATH, **more: str) -> dict[str, str]:
    """An environment for a subprocess that takes no setting from the caller's shell.

    `path` is the value of PATH, `more` are further variables.
    """
    return {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", **more}


def pytest_words(root: Path) -> tuple[str, ...]:
    """The words with which pytest runs upstream's tests alike everywhere: no cache, no options of theirs."""
    return ("-q", "-p", "no:cacheprovider", "-o", "addopts=", "--rootdir", str(root))


class Runner(Protocol):
    """Starts a command and waits for it; the seam that tests replace."""

    def __call__(self, command: Command) -> Finished: ...


def _die_with_parent() -> None:
    """In the child: get SIGINT when the parent dies, so that a SIGKILLed run leaves no container."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends a child and its group politely first: SIGINT, then SIGTERM, then SIGKILL."""
    for sig, wait in (
        (signal.SIGINT, _GRACE_SECONDS),
        (signal.SIGTERM, 5.0),
        (signal.SIGKILL, 5.0),
    ):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sig)
        try:
            process.wait(timeout=wait)
        except subprocess.TimeoutExpired:
            continue
        break
    end_session(process.pid)


def end_session(leader: int) -> None:
    """Kills what a child of `run` has left: jobs deaf to SIGINT, separate process groups (ninja's)."""
    for _ in range(5):  # one that forks meanwhile is found the next time
        left = [pid for pid in _processes_of(leader) if pid != os.getpid()]
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not left:
            return


def _processes_of(session: int) -> list[int]:
    """The live processes of a session, from fields 3 and 6 of /proc/PID/stat."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, _, sid = path.read_text("ascii", "replace").rpartition(")")[2].split()[:4]
            if state != "Z" and int(sid) == session:
                found.append(int(path.parent.name))
    return found


def _pump(command: Command, stream: IO[bytes], log: IO[bytes] | None) -> str:
    """Copies the child's output line by line to the log and the observer; returns what to keep."""
    kept: deque[str] = deque(maxlen=60 if log else None)
    for raw in stream:
        if log:
            log.write(raw)
            log.flush()
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        kept.append(line)
        if command.on_line:
            command.on_line(line)
    return "\n".join(kept)


def run(command: Command) -> Finished:
    """Runs `command` to its end, in a separate process group.

    Raises FileNotFoundError where the program does not exist, TimeoutError past `timeout`, and passes
    KeyboardInterrupt on once the child and all that it started have been stopped.
    """
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        log = None
        if command.log:
            command.log.parent.mkdir(parents=True, exist_ok=True)
            log = stack.enter_context(command.log.open("ab"))
        process = subprocess.Popen(
            command.argv,
            cwd=command.cwd,
            env=dict(command.env) if command.env is not None else None,
            stdin=subprocess.PIPE if command.stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509  (one prctl call, no lock is taken)
        )
        stack.callback(process.stdout.close if process.stdout else (lambda: None))
        if command.on_start:
            command.on_start(process.pid)
        timer = _Deadline(process, command.timeout)
        stack.callback(timer.cancel)
        try:
            if command.stdin is not None and process.stdin:
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.write(command.stdin)
                    process.stdin.close()
            assert process.stdout is not None
            output = _pump(command, process.stdout, log)
            code = process.wait()
        except BaseException:
            _stop(process)
            raise
    if timer.fired:
        raise TimeoutError(f"{command.argv[0]} did not end within {command.timeout:.0f} s")
    return Finished(
        argv=tuple(command.argv), returncode=code, output=output, seconds=time.monotonic() - started
    )


def converse(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Starts a process for a dialogue over its stdin and stdout; the caller ends it."""
    return subprocess.Popen(
        argv,
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        start_new_session=True,
    )


class _Deadline:
    """Kills the child and all that it started when its time is up."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float | None) -> None:
        import threading  # noqa: PLC0415  (only commands with a deadline pay for it)

        self.fired = False
        self._process = process
        self._timer = threading.Timer(seconds, self._fire) if seconds else None
        if self._timer:
            self._timer.daemon = True
            self._timer.start()

    def _fire(self) -> None:
        self.fired = True
        end_session(self._process.pid)

    def cancel(self) -> None:
        if self._timer:
            self._timer.cancel()
