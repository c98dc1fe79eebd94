"""The content-addressed store: finished stages by key, outside the checkout.

An entry is a folder with a manifest of its files' hashes. It is written next to its final name and renamed
to it, so it is whole or absent; it is checked on every read, against what is pinned of it too where
something is, and a wrong one is removed and said.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from spokeshave.errors import StoreError
from spokeshave.inside.model import file_sha256
from spokeshave.machine.files import DISK_FULL, alone_with
from spokeshave.machine.owners import Cleared, clear, is_held, own_folder

_MANIFEST = "manifest.json"
_PATIENCE = 0.5  # seconds between two looks at `Store.stopped`
Check = Callable[[Mapping[str, str]], str]
"""Says of an entry's files (name to the sha256 of the bytes as they are) why they are not the pinned ones."""


def anything(files: Mapping[str, str]) -> str:
    """The check of an entry of which nothing is pinned: one that this store's own runs have made."""
    return ""


def _never() -> bool:
    return False


@dataclass(frozen=True, kw_only=True, slots=True)
class Store:
    """Entries by kind (`source`, `compiled`, `built`, …) and key (a sha256 in hex).

    `stopped` says whether a thread that waits for another run has to end.
    """

    root: Path
    say: Callable[[str], None]
    stopped: Callable[[], bool] = _never

    def get(self, kind: str, key: str, check: Check = anything) -> Path | None:
        """The folder of an entry whose every file is intact and passes `check`, or nothing.

        A wrong one is removed, and said: it is made again.
        """
        folder = self._folder(kind, key)
        fault = _fault(folder, check)
        if fault is None:
            return folder
        if folder.is_dir():
            self._remove_wrong(kind, key, check)
        return None

    def put(self, kind: str, key: str, fill: Callable[[Path], object], check: Check = anything) -> Path:
        """Makes an entry from what `fill` writes into a new folder, and returns the entry's folder.

        Where another run has made the same one meanwhile, that one is kept, since it may be being read.
        Raises StoreError where the disk is full; nothing is left behind then.
        """
        folder = self._folder(kind, key)
        with self.scratch() as temporary:
            fill(temporary)
            with _disk_errors(self.root):
                _write_manifest(temporary)
                folder.parent.mkdir(parents=True, exist_ok=True)
                while self.get(kind, key, check) is None:
                    try:
                        temporary.rename(folder)
                    except OSError as fault:  # made by another run in this moment
                        if fault.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                            raise
        return folder

    def _remove_wrong(self, kind: str, key: str, check: Check) -> None:
        """Removes an entry that is still wrong once no other run can replace it."""
        folder = self._folder(kind, key)
        with alone_with(folder), self.scratch() as scratch, _disk_errors(self.root):
            fault = _fault(folder, check)
            if fault is not None and folder.is_dir():
                self.say(f"store: {kind} {key[:12]} cannot be used ({fault}); it is made again")
                folder.rename(scratch / key)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder on the store's own disk, held by its lock while it is used, and removed at the end."""
        with _disk_errors(self.root), own_folder(self.root / "tmp", str(os.getpid())) as path:
            try:
                yield path
            finally:
                shutil.rmtree(path, ignore_errors=True)

    @contextlib.contextmanager
    def locked(self, kind: str, key: str) -> Iterator[None]:
        """Holds the entry for one builder; a second one waits, and says so.

        Raises KeyboardInterrupt where `stopped` is true meanwhile: a signal reaches the main thread alone.
        """
        with _disk_errors(self.root):
            (self.root / "locks").mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.root / "locks" / f"{kind}-{key}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            self.say(f"another run is making {kind} {key[:12]}; waiting for it")
            self._wait_for(lock)
        try:
            yield
        finally:
            lock.release()

    def _wait_for(self, lock: FileLock) -> None:
        while not lock.is_locked:
            if self.stopped():
                raise KeyboardInterrupt
            with contextlib.suppress(Timeout):
                lock.acquire(timeout=_PATIENCE)

    def sweep(self, *, unsure: bool = False) -> Cleared:
        """Removes the scratch folders of runs that have ended; with `unsure`, also of those that may be."""
        return clear((self.root / "tmp").glob("*-*"), unsure=unsure)

    def runs(self, *, but: str) -> int:
        """How many other runs use this store now than the one whose log folder has that name."""
        return sum(is_held(folder) for folder in (self.root / "logs").glob("run-*") if folder.name != but)

    def entries(self, kind: str = "*") -> list[tuple[str, str, int]]:
        """All entries, or those of one kind, as kind, key and bytes."""
        folders = sorted(self.root.glob(f"entries/{kind}/*"))
        return [(one.parent.name, one.name, _size(one)) for one in folders if one.is_dir()]

    def remove(self, kinds: tuple[str, ...] = ()) -> int:
        """Removes the entries of some kinds, or of all; returns the bytes freed."""
        freed = 0
        for kind, key, size in self.entries():
            if not kinds or kind in kinds:
                with contextlib.suppress(FileNotFoundError):  # another run removes it too
                    shutil.rmtree(self._folder(kind, key))
                    freed += size
        return freed

    def remove_logs(self, *, unsure: bool = False) -> int:
        """Removes the logs of runs that have ended; with `unsure`, of those that may have. Bytes freed."""
        freed = 0
        for folder in (self.root / "logs").glob("run-*"):
            size = _size(folder)
            freed += size * clear([folder], unsure=unsure).removed
        return freed

    def _folder(self, kind: str, key: str) -> Path:
        return self.root / "entries" / kind / key


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file() and p.name != _MANIFEST)


def _size(folder: Path) -> int:
    """The bytes of its files; none where another run removes it."""
    with contextlib.suppress(FileNotFoundError):
        return sum(path.stat().st_size for path in _files(folder))
    return 0


def _write_manifest(folder: Path) -> None:
    rows = {path.relative_to(folder).as_posix(): file_sha256(path) for path in _files(folder)}
    (folder / _MANIFEST).write_text(json.dumps(rows, indent=1, sort_keys=True), "utf-8")


def _fault(folder: Path, check: Check) -> str | None:
    try:
        rows = dict(json.loads((folder / _MANIFEST).read_text("utf-8")))
    except (OSError, TypeError, ValueError):
        return "its manifest cannot be read"
    try:
        found = {path.relative_to(folder).as_posix(): file_sha256(path) for path in _files(folder)}
    except FileNotFoundError:  # another run removes it
        found = {}
    if set(found) != set(rows):
        return "files are missing or added"
    changed = [name for name, digest in found.items() if digest != rows[name]]
    return f"{changed[0]} has changed" if changed else check(found) or None


@contextlib.contextmanager
def _disk_errors(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        if fault.errno in DISK_FULL:
            free = shutil.disk_usage(root if root.exists() else root.parent).free
            raise StoreError(
                f"the disk of {root} is full ({free / 1e6:.0f} MB free)",
                next_step="free some space, run `spokeshave clean`, or name another folder with --store",
            ) from fault
        if fault.errno in (errno.EACCES, errno.EROFS):
            raise StoreError(
                f"the store {root} cannot be written: {fault.strerror}",
                next_step="name another folder with --store",
            ) from fault
        raise
