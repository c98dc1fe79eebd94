"""The file that a recorded process writes, and the means to report that it cannot.

Standard library only: `inject.py` copies it into the traced program's path. A line is appended at once and
the program may do anything meanwhile, so there is more than one way to write it: the file that was opened
first (still writable after `setuid` and `chroot`), the path (after `closefrom`), the folder's descriptor
(after `chroot`, in a forked process), the parent's file. If none works, a byte of a page of memory that all
processes of the run share says so: no change of rights, root or open files takes that page away.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import sys
from collections.abc import Callable, Iterator

# Taken now, since a test suite may replace them.
_open, _write, _close, _fstat = os.open, os.write, os.close, os.fstat
_getpid, _geteuid, _fchmod = os.getpid, os.geteuid, os.fchmod
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_HIGH = (900, 200)  # descriptors that programs rarely close or count; below the usual limit of 1024
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

PAGE = "lost"
PAGE_SIZE = mmap.PAGESIZE
CANNOT_WRITE, FULL = 0, 1
LOSSES = (
    "a process could no longer write its record: it changed its user, root folder or open files",
    "the disk with the record was full",
)


class Journal:
    """Rows of one process, each written once; a forked process writes a separate file."""

    def __init__(self, output: str) -> None:
        self._output = output
        self._written: set[tuple[str, ...]] = set()
        self._page: mmap.mmap | None = None
        self._folder = -1
        self._file = self._before = (-1, 0, 0)  # descriptor, device, inode: this process's and its parent's
        self._pid = _getpid()

    def begin(self) -> None:
        """Opens all that is needed later, while the process still may; what it cannot open, it leaves."""
        try:
            handle = _open(f"{self._output}/{PAGE}", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            more = {"trackfd": False} if sys.version_info >= (3, 13) else {}
            self._page = mmap.mmap(handle, PAGE_SIZE, **more)
            _close(handle)
        except OSError:
            self._page = None
        try:
            self._folder = _high(_open(self._output, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))
        except OSError:
            self._folder = -1

    def has_written(self, *key: str) -> bool:
        """Whether this key was asked for before."""
        return key in self._written

    def is_new(self, *key: str) -> bool:
        """Whether this key is asked for the first time."""
        if key in self._written:
            return False
        self._written.add(key)
        return True

    def write(self, *fields: str) -> None:
        """Writes a row, once."""
        if self.is_new(*fields):
            line = "\t".join(field.replace("\t", " ").replace("\n", " ") for field in fields)
            self._append(f"{line}\n".encode("utf-8", "backslashreplace"))

    def lose(self, reason: int) -> None:
        """Reports a loss by its index in `LOSSES`: this works where no file can be written."""
        if self._page is not None:
            self._page[reason] = 1

    def _append(self, line: bytes) -> None:
        if self._pid != (pid := _getpid()):
            self._pid, self._before, self._file = pid, self._file, (-1, 0, 0)
        for handle in self._handles():
            try:
                if _write(handle, line) == len(line):
                    return
                self.lose(FULL)
                return
            except OSError as fault:
                if fault.errno in _FULL:
                    self.lose(FULL)
                    return
        self.lose(CANNOT_WRITE)

    def _handles(self) -> Iterator[int]:
        if _is_still(self._file):
            yield self._file[0]
        name = f"{self._pid}-{_geteuid()}.tsv"
        opens: tuple[Callable[[], int], ...] = (
            lambda: _open(f"{self._output}/{name}", _FLAGS, 0o644),
            lambda: _open(name, _FLAGS, 0o644, dir_fd=self._folder),
        )
        for way in opens:
            try:
                handle = _high(way())
                _fchmod(handle, 0o644)  # whatever the program's umask is
                self._file = _known(handle)
                yield handle
            except OSError as fault:
                if fault.errno in _FULL:
                    self.lose(FULL)
        if _is_still(self._before):
            yield self._before[0]


def _high(handle: int) -> int:
    """The same file under a number that is out of the program's way."""
    for least in _HIGH:
        try:
            moved = fcntl.fcntl(handle, fcntl.F_DUPFD_CLOEXEC, least)
        except OSError:
            continue
        _close(handle)
        return moved
    return handle


def _known(handle: int) -> tuple[int, int, int]:
    found = _fstat(handle)
    return handle, found.st_dev, found.st_ino


def _is_still(file: tuple[int, int, int]) -> bool:
    """Whether a descriptor is the file that it was: neither closed, nor another one's, nor deleted."""
    try:
        found = _fstat(file[0])
    except OSError:
        return False
    return (found.st_dev, found.st_ino) == file[1:] and found.st_nlink > 0
