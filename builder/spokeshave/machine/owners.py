"""Which run a folder or a container belongs to, and whether that run is alive.

A run holds the lock (flock) of its folders until it ends, however it ends. The lock is felt in every PID
namespace of one kernel, unlike a process id; so is the boot id, which differs between kernels. What
another kernel, or a version of spokeshave without locks, has left cannot be judged: it is kept until nothing
in it has changed for `FORGOTTEN` seconds, or until the user has it removed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal

State = Literal["alive", "dead", "unsure"]
FORGOTTEN = 2 * 24 * 3600.0  # the longest stage that writes nothing into its folder takes an hour or two
_MARKED = re.compile(r"-([0-9a-f]{8})_\w{8}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Cleared:
    """How many things of dead runs were removed, and how many are left because no one can be sure."""

    removed: int = 0
    left: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """A run: its boot, its PID namespace, its process in there with its start time, its folder's name."""

    boot: str
    namespace: str
    pid: int
    started: str
    folder: str

    def __str__(self) -> str:
        return f"{self.boot}:{self.namespace}:{self.pid}:{self.started}:{self.folder}"

    @staticmethod
    def parse(text: str) -> Owner | None:
        """The inverse of `str`; nothing for what another version has written."""
        found = re.fullmatch(r"([^:]*):(\d*):(\d+):(\d*):([^:/]*)", text)
        if not found:
            return None
        boot, namespace, pid, started, folder = found.groups()
        return Owner(boot=boot, namespace=namespace, pid=int(pid), started=started, folder=folder)

    def state(self, folders: Path | None) -> State:
        """Whether it is alive; `folders` is where runs of our store have theirs.

        In another PID namespace than its own, only the lock of its folder shows that.
        """
        if not self.boot or self.boot != boot_id():
            return "unsure"
        if self.namespace and self.namespace == pid_namespace() and _numbers_are_ours():
            return "alive" if is_running(self.pid, self.started) else "dead"
        folder = folders / self.folder if folders and self.folder else None
        return _probe(folder) if folder else "unsure"


def this_run(folder: str) -> Owner:
    """The run of this process, whose own folder has that name."""
    return Owner(
        boot=boot_id(),
        namespace=pid_namespace(),
        pid=os.getpid(),
        started=_start_time("self"),
        folder=folder,
    )


@contextlib.contextmanager
def own_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """A new folder of this run, `PREFIX-BOOT_RANDOM`, whose lock is held until the end; the folder is kept.

    What runs on meanwhile in forked processes holds it too. Without locks (NFS without its daemon, for one)
    the boot alone says whose it is.
    """
    parent.mkdir(parents=True, exist_ok=True)
    while True:
        folder = Path(tempfile.mkdtemp(dir=parent, prefix=f"{prefix}-{_mark()}_"))
        try:
            held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:  # as below
            continue
        try:
            with contextlib.suppress(OSError):
                fcntl.flock(held, fcntl.LOCK_EX)
            if folder.is_dir():  # else another run took it for one that was left, before it had its lock
                yield folder
                return
        finally:
            os.close(held)


def clear(folders: Iterable[Path], *, unsure: bool = False) -> Cleared:
    """Removes folders of dead runs; with `unsure`, also those that may be of a live run."""
    found = [_clear_one(folder, unsure) for folder in folders]
    return Cleared(removed=found.count("dead"), left=found.count("unsure"))


def is_held(folder: Path) -> bool:
    """Whether a run holds the lock of a folder."""
    return _probe(folder) == "alive"


def _clear_one(folder: Path, unsure: bool) -> State | Literal["gone"]:
    """Removes it where it may, with its lock held, so that no run can begin to use it meanwhile."""
    try:
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return "gone"
    except OSError:
        return "unsure"
    try:
        state = _state(held, folder)
        if state == "dead" or (state == "unsure" and unsure):
            shutil.rmtree(folder, ignore_errors=True)
            return "dead"
        return state
    finally:
        os.close(held)


def _state(held: int, folder: Path) -> State:
    """Takes the lock of an opened folder, where it is free, and says what that means."""
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return "alive"
    except OSError:
        return "unsure"
    marked = _MARKED.search(folder.name)
    if marked and marked[1] == boot_id()[:8]:
        return "dead"
    return "dead" if _forgotten(folder) else "unsure"


def _probe(folder: Path) -> State:
    try:
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return "unsure"
    try:
        return _state(held, folder)
    finally:
        os.close(held)


def _forgotten(folder: Path) -> bool:
    """Whether nothing in a folder has changed for long."""
    limit = time.time() - FORGOTTEN
    for path in chain([folder], folder.rglob("*")):
        with contextlib.suppress(OSError):
            if path.lstat().st_mtime > limit:
                return False
    return True


def boot_id() -> str:
    """The kernel's id of this boot, or nothing where it has none."""
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    return ""


def pid_namespace() -> str:
    """The number of this process's PID namespace, or nothing."""
    with contextlib.suppress(OSError):
        return str(Path("/proc/self/ns/pid").stat().st_ino)
    return ""


def is_running(pid: int, started: str) -> bool:
    """Whether the process of this PID namespace that started at that time is there."""
    if seen := _start_time(str(pid)):
        return seen == started
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # one of another user, whom /proc hides
        return True
    return True


def _start_time(process: str) -> str:
    """When a process started, in clock ticks since boot (field 22 of /proc/PID/stat), or nothing."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text("ascii", "replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]


def _numbers_are_ours() -> bool:
    """Whether /proc counts processes as this PID namespace does."""
    try:
        return Path("/proc/self").readlink().name == str(os.getpid())
    except OSError:
        return False


def _mark() -> str:
    return boot_id()[:8] or "0" * 8
