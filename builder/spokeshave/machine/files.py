"""One way to write a file that others may read or write at the same moment: it is whole, or as it was before.

Each writer has a separate temporary file next to the target, and holds its lock (flock, which ends with the
process): what a killed writer left has a free lock, and the next one to write that file removes it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from spokeshave.errors import StoreError

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
_TEMPORARY = re.compile(r"\.[0-9a-f]{16}\.tmp")
_LONGEST = 220  # bytes of the target's name in that of its temporary file, which must be below 256


def unwritable(folder: Path) -> str:
    """Why nothing can be put into a folder that is there or is still to be made; nothing where it can."""
    absolute = folder.absolute()
    nearest = next(place for place in (absolute, *absolute.parents) if os.path.lexists(place))
    if not nearest.is_dir():
        return f"{nearest} is not a folder"
    if not os.access(nearest, os.W_OK | os.X_OK):
        return f"no rights to write in {nearest}"
    try:  # rights are not all: /proc takes no file, not even from root (this one has no name that others see)
        tempfile.TemporaryFile(dir=nearest).close()
    except OSError as fault:
        return f"nothing can be made in {nearest}: {fault.strerror}"
    return ""


def copy_whole(source: Path, target: Path) -> None:
    """Copies a file to where users look, as `write_whole` writes one."""
    with source.open("rb") as given, _arriving(target) as stream:
        shutil.copyfileobj(given, stream, 1 << 20)


def write_whole(target: Path, content: str | Iterable[bytes]) -> None:
    """Writes a file of UTF-8 text, or of chunks of bytes, to where users look.

    It is on the disk before anything that is written later. Raises StoreError where it cannot be written.
    """
    with _arriving(target) as stream:
        for chunk in [content.encode()] if isinstance(content, str) else content:
            stream.write(chunk)


@contextlib.contextmanager
def alone_with(target: Path) -> Iterator[None]:
    """Holds a file for one writer that merges into it, or that writes several files by its name; others wait.

    The lock is a hidden file next to it, which is there only while it is held. Raises StoreError where no
    lock can be held there.
    """
    place = Path(os.path.realpath(target))
    lock = place.with_name(f".{_short(place.name)}.lock")
    with _told(target):
        place.parent.mkdir(parents=True, exist_ok=True)
        held = _lock(lock)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)  # before others can hold it: they look whether theirs is still there
        os.close(held)


def remove_left(folder: Path) -> None:
    """Removes the temporary files in a folder whose writers have ended, those of earlier versions too."""
    for path in folder.glob(".*.tmp"):
        _remove_dead(path)


def is_temporary(path: Path, target: str) -> bool:
    """Whether a file is a temporary one for the target of that name."""
    start = f".{_short(target)}"
    return path.name.startswith(start) and bool(_TEMPORARY.fullmatch(path.name, len(start)))


@contextlib.contextmanager
def _arriving(target: Path) -> Iterator[BinaryIO]:
    """A stream whose content is at `target` in the end; a link is kept, a device is written directly."""
    place = Path(os.path.realpath(target))
    with _told(target):
        if target.exists() and not target.is_file():
            with target.open("wb") as stream:
                yield stream
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        for path in place.parent.glob(".*.tmp"):
            if is_temporary(path, place.name):
                _remove_dead(path)
        with _beside(place) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
            Path(stream.name).replace(place)
        _sync(place.parent)


@contextlib.contextmanager
def _told(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        if fault.errno in DISK_FULL:
            raise  # the command line says what frees space
        raise StoreError(
            f"{target} cannot be written: {fault.strerror}",
            next_step="name another folder, or make this one writable",
        ) from fault


@contextlib.contextmanager
def _beside(place: Path) -> Iterator[BinaryIO]:
    """A new file for this writer alone, locked; it is removed in the end unless it was moved."""
    while True:
        path = place.with_name(f".{_short(place.name)}.{secrets.token_hex(8)}.tmp")
        with path.open("xb") as stream:
            try:
                with contextlib.suppress(OSError):  # a file system without locks: then nobody removes it
                    fcntl.flock(stream, fcntl.LOCK_EX)
                if os.fstat(stream.fileno()).st_nlink:
                    yield stream
                    return
            finally:
                path.unlink(missing_ok=True)


def _remove_dead(path: Path) -> None:
    """Removes a file whose lock is free: its writer has ended without moving it."""
    with contextlib.suppress(OSError), path.open("r+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()


def _lock(path: Path) -> int:
    """Waits for the lock of a file, which its holder removes, and returns the descriptor that holds it."""
    while True:
        held = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(held), path.stat()):
                    return held
        except BaseException:
            os.close(held)
            raise
        os.close(held)


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _short(name: str) -> str:
    return os.fsdecode(os.fsencode(name)[:_LONGEST])
