"""The content-addressed store: finished stages by key, outside the checkout.

An entry is a folder with a manifest of its files' hashes. It is written beside its place and renamed
into it, so it is whole or absent; it is checked on every read, and a corrupt one is removed and said.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from spokeshave.errors import StoreError
from spokeshave.model import file_sha256

_MANIFEST = "manifest.json"
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Store:
    """Entries by kind (`source`, `compiled`, `built`, …) and key (a sha256 in hex)."""

    root: Path
    say: Callable[[str], None]

    def get(self, kind: str, key: str) -> Path | None:
        """The folder of an entry whose every file is intact, or nothing; a corrupt one is removed."""
        folder = self._folder(kind, key)
        if not folder.is_dir():
            return None
        fault = _fault(folder)
        if fault is None:
            return folder
        self.say(f"store: {kind} {key[:12]} is corrupt ({fault}); it is made again")
        shutil.rmtree(folder)
        return None

    def put(self, kind: str, key: str, fill: Callable[[Path], object]) -> Path:
        """Makes an entry from what `fill` writes into a new folder, and returns its place.

        Where another run has made the same one meanwhile, that stays, since it may be being read.
        Raises StoreError where the disk is full; nothing is left behind then.
        """
        folder = self._folder(kind, key)
        with self.scratch() as temporary:
            fill(temporary)
            with _disk_errors(self.root):
                _write_manifest(temporary)
                folder.parent.mkdir(parents=True, exist_ok=True)
                while self.get(kind, key) is None:
                    try:
                        temporary.rename(folder)
                    except OSError as fault:  # made by another run in this moment
                        if fault.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                            raise
        return folder

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder on the store's own disk, removed at the end."""
        with _disk_errors(self.root):
            (self.root / "tmp").mkdir(parents=True, exist_ok=True)
            path = Path(tempfile.mkdtemp(dir=self.root / "tmp", prefix=f"{os.getpid()}-"))
        try:
            with _disk_errors(self.root):
                yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    @contextlib.contextmanager
    def locked(self, kind: str, key: str) -> Iterator[None]:
        """Holds the entry for one builder; a second one waits, and says so."""
        with _disk_errors(self.root):
            (self.root / "locks").mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.root / "locks" / f"{kind}-{key}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            self.say(f"another run is making {kind} {key[:12]}; waiting for it")
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def sweep(self) -> int:
        """Removes the scratch folders of runs that are gone; returns how many."""
        gone = [
            path
            for path in (self.root / "tmp").glob("*-*")
            if not Path(f"/proc/{path.name.split('-')[0]}").exists()
        ]
        for path in gone:
            shutil.rmtree(path, ignore_errors=True)
        return len(gone)

    def entries(self) -> list[tuple[str, str, int]]:
        """All entries as kind, key and bytes."""
        return [
            (folder.parent.name, folder.name, sum(f.stat().st_size for f in _files(folder)))
            for folder in sorted(self.root.glob("entries/*/*"))
            if folder.is_dir()
        ]

    def remove(self, kinds: tuple[str, ...] = ()) -> int:
        """Removes the entries of some kinds, or of all; returns the bytes freed."""
        freed = 0
        for kind, key, size in self.entries():
            if not kinds or kind in kinds:
                shutil.rmtree(self._folder(kind, key))
                freed += size
        return freed

    def remove_logs(self, keep: str) -> int:
        """Removes the logs of earlier runs; `keep` names the folder of this one. Returns bytes freed."""
        freed = 0
        for folder in (self.root / "logs").glob("run-*"):
            if folder.name != keep:
                freed += sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
                shutil.rmtree(folder, ignore_errors=True)
        return freed

    def _folder(self, kind: str, key: str) -> Path:
        return self.root / "entries" / kind / key


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file() and p.name != _MANIFEST)


def _write_manifest(folder: Path) -> None:
    rows = {path.relative_to(folder).as_posix(): file_sha256(path) for path in _files(folder)}
    (folder / _MANIFEST).write_text(json.dumps(rows, indent=1, sort_keys=True), "utf-8")


def _fault(folder: Path) -> str | None:
    try:
        rows = json.loads((folder / _MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return "its manifest cannot be read"
    present = {path.relative_to(folder).as_posix(): path for path in _files(folder)}
    if set(present) != set(rows):
        return "files are missing or added"
    for name, digest in rows.items():
        if file_sha256(present[name]) != digest:
            return f"{name} has changed"
    return None


@contextlib.contextmanager
def _disk_errors(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        if fault.errno in DISK_FULL:
            free = shutil.disk_usage(root if root.exists() else root.parent).free
            raise StoreError(
                f"the disk of {root} is full ({free / 1e6:.0f} MB free)",
                next_step="free some space, run `spokeshave clean`, or name another folder with --cache",
            ) from fault
        if fault.errno in (errno.EACCES, errno.EROFS):
            raise StoreError(
                f"the store {root} cannot be written: {fault.strerror}",
                next_step="name another folder with --cache",
            ) from fault
        raise


def unwritable(folder: Path) -> str:
    """Why nothing can be put into a folder that is there or is still to be made; nothing where it can."""
    absolute = folder.absolute()
    nearest = next(place for place in (absolute, *absolute.parents) if os.path.lexists(place))
    if not nearest.is_dir():
        return f"{nearest} is not a folder"
    if not os.access(nearest, os.W_OK | os.X_OK):
        return f"no rights to write in {nearest}"
    try:  # rights are not all: /proc takes no file, not even from root
        Path(tempfile.mkdtemp(prefix=".spokeshave-", dir=nearest)).rmdir()
    except OSError as fault:
        return f"nothing can be made in {nearest}: {fault.strerror}"
    return ""


def copy_whole(source: Path, target: Path) -> None:
    """Copies a file to where users look, as `write_whole` writes one."""
    with _arriving(target) as part:
        shutil.copyfile(source, part)


def write_whole(target: Path, text: str) -> None:
    """Writes a text file to where users look; it is there whole, or as it was before.

    Raises StoreError where it cannot be written.
    """
    with _arriving(target) as part:
        part.write_text(text, "utf-8")


@contextlib.contextmanager
def _arriving(target: Path) -> Iterator[Path]:
    part = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield part
        part.rename(target)
    except OSError as fault:
        if fault.errno in DISK_FULL:
            raise  # the command line tells what frees space
        raise StoreError(
            f"{target} cannot be written: {fault.strerror}", next_step="name another place, or mend this one"
        ) from fault
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
