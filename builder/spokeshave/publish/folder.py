"""A static index in a folder: one writer at a time, wheels first and pages last, each file whole or absent.

`spokeshave-index.json` is the truth, the pages follow from it. A run that was killed left either wheels
that are not in it yet, or pages that do not fit it yet; the next run completes both.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout
from packaging.utils import NormalizedName
from packaging.version import Version
from pydantic import TypeAdapter, ValidationError

from spokeshave.errors import PublishError
from spokeshave.inside.model import file_sha256
from spokeshave.machine.files import is_temporary, remove_left, write_whole
from spokeshave.publish.index import ROOT, File, pages
from spokeshave.publish.release import Release
from spokeshave.verdict import rank

STATE = "spokeshave-index.json"
_LOCK = ".spokeshave.lock"
_FILES = TypeAdapter(tuple[File, ...])


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexFolder:
    """An index folder of ours; `patience` is how many seconds to wait for another writer."""

    root: Path
    say: Callable[[str], None]
    patience: float = 60.0

    def read(self) -> tuple[File, ...]:
        """What is in it. Raises PublishError where it is not an index of ours, or of a later format."""
        try:
            state = json.loads((self.root / STATE).read_text("utf-8"))
            if state["schema"] != 1:
                raise ValueError(f"its schema is {state['schema']}")
            return _FILES.validate_python(state["files"])
        except FileNotFoundError as fault:
            raise PublishError(
                f"{self.root} is not an index that spokeshave made",
                next_step="make it first: spokeshave publish wheelhouse --to DIR",
            ) from fault
        except (ValueError, KeyError, TypeError, ValidationError) as fault:
            raise PublishError(
                f"{self.root / STATE} cannot be read: {fault}",
                next_step="bring it back from a copy, or publish all wheels to a new folder",
            ) from fault

    def add(self, releases: Iterable[Release], now: datetime) -> tuple[File, ...]:
        """Publishes wheels and returns their rows; those that are there already do not change.

        Raises PublishError where another file has one of the names, before anything is written, and
        where the folder is in use or cannot be written.
        """
        wanted = tuple(releases)
        with self._open(create=True) as known:
            rows = {file.filename: file for file in known}
            for release in wanted:
                self._refuse_change(release, rows.get(release.filename))
            for release in wanted:
                rows[release.filename] = self._store(release, rows.get(release.filename), now)
            self._write_index(rows.values())
        return tuple(rows[release.filename] for release in wanted)

    def set_yanked(self, project: NormalizedName, version: Version, reason: str | None) -> tuple[File, ...]:
        """Yanks all wheels of a version, or takes that back (None); raises PublishError as `add` does."""
        with self._open(create=False) as known:
            hit = {f.filename: f for f in known if (f.project, f.version) == (project, version)}
            if not hit:
                there = sorted({f.version for f in known if f.project == project})
                raise PublishError(
                    f"{project}=={version} is not in {self.root}",
                    next_step=f"it has {', '.join(map(str, there)) or f'no {project}'}",
                )
            changed = {name: replace(file, yanked=reason) for name, file in hit.items()}
            self._write_index([changed.get(file.filename, file) for file in known])
        return tuple(changed.values())

    def stale(self, files: Iterable[File]) -> list[str]:
        """Pages that do not fit the index, and listed wheels that are absent or of another size."""
        found = [path for path, text in pages(files).items() if _content(self.root / path) != text]
        for file in files:
            wheel = self.root / file.place
            if not wheel.is_file() or wheel.stat().st_size != file.size:
                found.append(file.place)
        return found

    @contextlib.contextmanager
    def _open(self, *, create: bool) -> Iterator[tuple[File, ...]]:
        """Holds the folder's lock and clears away what a killed run has left."""
        with _write_errors(self.root):
            if create:
                self.root.mkdir(parents=True, exist_ok=True)
                self._refuse_foreign()
            else:
                self.read()
            with self._locked():
                if create and not (self.root / STATE).is_file():
                    self._write_state(())
                for folder in (self.root, self.root / ROOT, *self.root.glob(f"{ROOT}/*/")):
                    remove_left(folder)
                known = self.read()
                if self.root.joinpath(ROOT).is_dir() and (stale := self.stale(known)):
                    self.say(f"the index was half written ({len(stale)} files); completing it")
                yield known

    def _refuse_foreign(self) -> None:
        others = [p.name for p in self.root.iterdir() if p.name != _LOCK and not is_temporary(p, STATE)]
        if others and not (self.root / STATE).is_file():  # looked for last: it is the first that is written
            raise PublishError(
                f"{self.root} is not an index that spokeshave made, and not empty: it has {others[0]}",
                next_step="name a new or an empty folder",
            )

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        lock = FileLock(self.root / _LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            self.say(f"another run is publishing to {self.root}; waiting for it")
            try:
                lock.acquire(timeout=self.patience)
            except Timeout as fault:
                raise PublishError(
                    f"{self.root} has been in use by another run for {self.patience:.0f} s",
                    next_step="wait until it has ended, and publish again",
                ) from fault
        try:
            yield
        finally:
            lock.release()

    def _refuse_change(self, release: Release, known: File | None) -> None:
        there = self.root / ROOT / release.project / release.filename
        if known and known.sha256 != release.sha256:
            raise PublishError(
                f"{release.filename} is in the index with another content (sha256 {known.sha256[:12]}…)",
                next_step="raise the build number of its profile: a published file never changes",
            )
        if not known and there.is_file() and file_sha256(there) != release.sha256:
            raise PublishError(
                f"{there} was left by an interrupted run, and is another file than {release.path}",
                next_step="publish the wheel that it came from, or remove it: no index page has named it",
            )

    def _store(self, release: Release, known: File | None, now: datetime) -> File:
        """Writes a wheel and its metadata file where they are not there yet."""
        row = File(
            filename=release.filename,
            sha256=release.sha256,
            size=release.size,
            upload_time=now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            requires_python=release.requires_python,
            metadata_sha256=hashlib.sha256(release.metadata).hexdigest(),
            verified=release.level,
        )
        if known:  # a higher level that came later counts, and one that is missing now still holds
            stronger = max(release.level, known.verified, key=rank)
            row = replace(known, verified=None if release.refuted else stronger)
        wheel = self.root / row.place
        if not wheel.is_file() or file_sha256(wheel) != release.sha256:
            write_whole(wheel, _chunks(release))
        metadata = wheel.with_name(f"{wheel.name}.metadata")
        if _content(metadata) != release.metadata:
            write_whole(metadata, [release.metadata])
        return row

    def _write_index(self, files: Iterable[File]) -> None:
        rows = tuple(sorted(files, key=lambda file: file.filename))
        self._write_state(rows)
        for path, text in pages(rows).items():
            if _content(self.root / path) != text:
                write_whole(self.root / path, [text])
        if missing := self.stale(rows):
            self.say(f"listed, but absent or damaged; publish them again: {', '.join(missing)}")
        names = {row.filename for row in rows}
        if left := sorted(p.name for p in self.root.glob(f"{ROOT}/*/*.whl") if p.name not in names):
            self.say(f"left by an interrupted run, and in no page; publish them again: {', '.join(left)}")

    def _write_state(self, rows: tuple[File, ...]) -> None:
        state = {"schema": 1, "files": [asdict(row) for row in rows]}
        write_whole(self.root / STATE, [(json.dumps(state, indent=1, sort_keys=True) + "\n").encode()])


def _chunks(release: Release) -> Iterator[bytes]:
    """The wheel's bytes; raises PublishError where they are no longer those that were checked."""
    digest = hashlib.sha256()
    with release.path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
            yield chunk
    if digest.hexdigest() != release.sha256:
        raise PublishError(
            f"{release.path} changed while it was published", next_step="let its build end, then try again"
        )


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


@contextlib.contextmanager
def _write_errors(root: Path) -> Iterator[None]:
    try:
        yield
    except (PermissionError, NotADirectoryError, FileExistsError) as fault:
        raise PublishError(
            f"{fault.filename or root} cannot be written: {fault.strerror}",
            next_step="name a folder that you may write, or mend its rights",
        ) from fault
