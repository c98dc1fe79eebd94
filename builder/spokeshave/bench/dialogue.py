"""A worker process from the driver's side: start it, ask it, give it up."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spokeshave.bench.model import Kind
from spokeshave.inside.run import SYSTEM_PATH, clean_environment, converse

SCRIPT = Path(__file__).with_name("worker.py")
_THREADS = ("OPENBLAS", "OMP", "MKL", "BLIS", "NUMEXPR", "VECLIB_MAXIMUM", "GOTO", "NVPL")


class WorkerError(Exception):
    """A command that a worker did not carry out; `kind` and `reason` say why."""

    def __init__(self, kind: Kind, reason: str) -> None:
        super().__init__(f"{kind}: {reason}")
        self.kind = kind
        self.reason = reason


def fixed_environment(
    python: Path, home: Path, extra: Mapping[str, str], *, threads: int = 1
) -> dict[str, str]:
    """An environment that takes nothing from the caller's: no OPENBLAS_CORETYPE, NPY_*, PYTHONPATH.

    Every library gets the same number of threads, and string hashes are equal, so that two installs differ
    only in their files. `extra` is added last.
    """
    path = f"{python.parent}:{SYSTEM_PATH}"
    fixed = clean_environment(home, path=path, TMPDIR=str(home), PYTHONHASHSEED="0")
    fixed.update({f"{name}_NUM_THREADS": str(threads) for name in _THREADS})
    return fixed | dict(extra)


class Worker:
    """One long-lived process of an install, pinned to `cpus`, with a thread for each."""

    def __init__(
        self, python: Path, suite: Path, home: Path, *, cpus: tuple[int, ...], extra: Mapping[str, str]
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._log = home.with_name(f"{home.name}.log")
        with self._log.open("ab") as log:
            self._process = converse(
                # -P: the folder of the script must not shadow modules of the install
                (str(python), "-P", str(SCRIPT), str(suite), ",".join(map(str, cpus))),
                cwd=home,
                env=fixed_environment(python, home, extra, threads=len(cpus)),
                log=log,
            )
        self._rest = b""

    def ask(self, do: str, *, timeout: float, **values: object) -> dict[str, Any]:
        """Sends a command and waits at most `timeout` seconds for its answer.

        Raises WorkerError if it fails, is skipped, takes too long or ends the process; the last two end the
        worker.
        """
        stdin = self._process.stdin
        assert stdin is not None
        try:
            stdin.write(json.dumps({"do": do, **values}).encode() + b"\n")
            stdin.flush()
        except BrokenPipeError:
            raise self._crashed() from None
        answer: dict[str, Any] = json.loads(self._line(timeout))
        if not answer["ok"]:
            raise WorkerError(answer["kind"], answer["reason"])
        return answer

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def finish(self, seconds: float) -> None:
        """Lets the process end by itself, so that it writes profile data; kills it after so many seconds."""
        if self._process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        self.close()

    def close(self) -> None:
        """Ends the process and all that it started; may be called twice."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def _line(self, timeout: float) -> bytes:
        stdout = self._process.stdout
        assert stdout is not None
        deadline = time.monotonic() + timeout
        while b"\n" not in self._rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([stdout], [], [], left)[0]:
                self.close()
                raise WorkerError("timeout", f"no answer within {timeout:.0f} s")
            piece = os.read(stdout.fileno(), 1 << 16)
            if not piece:
                raise self._crashed()
            self._rest += piece
        line, self._rest = self._rest.split(b"\n", 1)
        return line

    def _crashed(self) -> WorkerError:
        code = self._process.wait()
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        tail = self._log.read_text("utf-8", "replace").strip().splitlines()[-1:]
        self.close()
        return WorkerError("crashed", " ".join([f"the process ended with {how};", *tail]))
