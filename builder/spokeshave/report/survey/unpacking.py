"""Unpacks the Python packages of archives into a scratch folder, under numbers: no name of theirs is used.

So no path, link or case of a hostile archive can lead anywhere else.
"""

from __future__ import annotations

import errno
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from spokeshave.errors import UnsafeArchive
from spokeshave.report.survey.layer_tree import Merged, merge
from spokeshave.report.survey.model import File, printable
from spokeshave.report.survey.sites import find_sites, site_of
from spokeshave.report.survey.tar_layers import DAMAGE, Entry
from spokeshave.sources.members import Archive, Kind, Limits, RefusedError, read_members

Entries = Iterator[tuple[Entry, Iterator[bytes]]]
Reader = Callable[[], Entries]
"""Reads a layer from its start; it is called twice."""

_ZIP_LIMITS = Limits(total_bytes=50_000_000_000, member_bytes=50_000_000_000, ratio_floor_bytes=1_000_000_000)


def unpack(readers: Sequence[Reader], scratch: Path, *, whole: bool) -> tuple[Merged, tuple[File, ...]]:
    """The merged layers, and their files; those in folders of packages are written into `scratch`.

    With `whole`, all files are where there is no such folder. Raises what the readers raise.
    """
    merged = merge((entry for entry, _ in read()) for read in readers)
    sites = frozenset(find_sites(merged.files)) or frozenset([""] if whole else [])
    wanted: dict[tuple[int, str], Path] = {}
    files = []
    for name, leaf in merged.files.items():
        path = None
        if site_of(name, sites) is not None:
            path = wanted.setdefault((leaf.layer, leaf.name), scratch / str(len(wanted)))
        files.append(File(name=name, size=leaf.size, path=path))
    for number, read in enumerate(readers):
        if any(layer == number for layer, _ in wanted):
            _write(number, read(), wanted)
    return merged, tuple(files)


def _write(number: int, entries: Entries, wanted: Mapping[tuple[int, str], Path]) -> None:
    for entry, content in entries:
        path = wanted.get((number, entry.name))
        if path is None or entry.kind is not Kind.FILE:
            continue
        with path.open("wb") as stream:
            for data in content:
                stream.write(data)
        if path.stat().st_size != entry.size:
            raise EOFError(f"{entry.name} is shorter than its header says")


def zip_reader(path: Path) -> Reader:
    """Reads a zip archive as one layer."""

    def read() -> Entries:
        with Archive(path.open("rb", buffering=0)) as file:
            for member, content in read_members(file, _ZIP_LIMITS):
                yield Entry(member.name, member.kind, member.size, member.target), content

    return read


def packed_sizes(path: Path) -> Mapping[str, int]:
    """The bytes of each member in a zip archive, with its headers: 30 and 46 bytes, and its name twice."""
    with zipfile.ZipFile(path) as archive:
        return {
            info.filename: info.compress_size + 76 + 2 * len(info.filename.encode("utf-8", "replace"))
            for info in archive.infolist()
        }


@contextmanager
def refusing(path: Path) -> Iterator[None]:
    """Raises UnsafeArchive for what an archive must not have, and for damage."""
    try:
        yield
    except RefusedError as refused:
        member = f"member {printable(refused.member[:200])!r} " if refused.member else ""
        raise UnsafeArchive(
            f"{path.name}: {member}{printable(str(refused)[:400])}",
            next_step="make the archive again from what you trust",
        ) from None
    except (*DAMAGE, zipfile.BadZipFile, NotImplementedError) as fault:
        raise _damaged(path, fault) from fault
    except OSError as fault:
        if fault.errno in (None, errno.EINVAL):  # bad data for gzip and bz2, a bad offset in a zip
            raise _damaged(path, fault) from fault
        raise


def _damaged(path: Path, fault: Exception) -> UnsafeArchive:
    return UnsafeArchive(
        f"{path.name} is truncated or damaged: {printable(str(fault)[:400]) or type(fault).__name__}",
        next_step="make or download the archive again",
    )
