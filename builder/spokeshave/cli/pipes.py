"""Output into a pipe whose reader ends early (`| head`): the command runs on, and writes whole files."""

from __future__ import annotations

import io
import os
import stat
import sys
from typing import Any, TextIO

_CLOSED = (BrokenPipeError, ConnectionResetError)


class _Pipe(io.FileIO):
    """A descriptor to which writing does not fail when its reader ends; children then inherit /dev/null."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except _CLOSED:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.fileno(), inheritable=True)
            os.close(null)
            return len(memoryview(data).cast("B"))


def survive_closed_pipes() -> None:
    """Makes stdout and stderr, if they are pipes or sockets, drop output that nobody reads any more."""
    sys.stdout = _surviving(sys.stdout)
    sys.stderr = _surviving(sys.stderr)


def _surviving(stream: TextIO) -> TextIO:
    try:
        number = stream.fileno()
        mode = os.fstat(number).st_mode
    except (OSError, ValueError, AttributeError):  # closed, or not a file: a test's stream
        return stream
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Pipe(number, "wb", closefd=False)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=bool(stream.line_buffering),
    )
