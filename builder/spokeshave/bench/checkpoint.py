"""The records of a run as JSON lines, written one by one, so that a kill loses none of them."""

from __future__ import annotations

import fcntl
from dataclasses import replace
from pathlib import Path
from typing import IO

from pydantic import TypeAdapter, ValidationError

from spokeshave.bench.findings import BenchReport, Header, Record, assemble
from spokeshave.errors import BenchError

_HEADER: TypeAdapter[Header] = TypeAdapter(Header)
_RECORD: TypeAdapter[Record] = TypeAdapter(Record)


class Journal:
    """Writes a header and records to a new file; writes nothing without a path."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def close(self) -> None:
        """Closes the file, if there is one."""
        if self._file:
            self._file.close()

    def begin(self, header: Header) -> None:
        """Writes the first line of a new file; raises BenchError if another run is writing it."""
        self._file = _opened_alone(self._path) if self._path else None
        self._write(_HEADER.dump_json(header))

    def add(self, record: Record) -> None:
        """Writes one more line, and hands it to the system at once."""
        self._write(_RECORD.dump_json(record))

    def _write(self, line: bytes) -> None:
        if self._file:
            self._file.write(line + b"\n")
            self._file.flush()


def _opened_alone(path: Path) -> IO[bytes]:
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as fault:
        file.close()
        raise BenchError(
            f"another benchmark is running and writes {path}",
            next_step="wait until it has ended, or name another folder with --output",
        ) from fault
    except OSError:
        pass  # a file system without locks
    file.truncate(0)
    return file


def read_journal(path: Path) -> BenchReport:
    """The report of a run that was killed; an incomplete last line is ignored."""
    lines = path.read_bytes().split(b"\n")[:-1]
    if not lines:
        raise BenchError(
            f"{path}: the run was stopped before its first measurement", next_step="run it again"
        )
    try:
        header = _HEADER.validate_json(lines[0])
        report = assemble(header, [_RECORD.validate_json(line) for line in lines[1:]])
    except ValidationError as fault:
        raise BenchError(
            f"{path} is not a checkpoint file of `spokeshave bench`", next_step="name another file"
        ) from fault
    return replace(report, interrupted=True)  # a run that ends by itself removes the file
