"""Reads a layer of a container image: a tar archive, as it is or compressed with gzip, zstd, xz or bzip2.

Nothing is trusted: `sources.members` bounds what headers may ask for and how far data may expand. Its reader
of members refuses what an image has and a source has not: device files, backslashes in names. So this module
has a separate one. It shares the bounded stream; the names become public with the next change of that file,
whose bytes are part of the keys of verification records.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import posixpath
import sys
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, cast

from spokeshave.sources.members import Kind, Limits, RefusedError, _Meter, _Readable, _TarStream, _Xz

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LAYER_LIMITS = Limits(
    members=2_000_000,
    total_bytes=100_000_000_000,  # images with models have layers of more than 20 GB
    member_bytes=100_000_000_000,
    ratio=400.0,
    ratio_floor_bytes=1_000_000_000,
)
DAMAGE = (
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    zstd.ZstdError,
    gzip.BadGzipFile,
    EOFError,
    RecursionError,  # thousands of chained pax headers
    ValueError,
)
"""What a damaged layer raises."""

_CHUNK = 256 * 1024
_HEADER_BYTES = 1024 * 1024  # for one member's headers
_NAME_BYTES, _PARTS = 4096, 256  # Linux allows 4096 bytes in a path
_MAGIC = 6


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a layer: a path without "." parts, its bytes, and the target of a hard link."""

    name: str
    kind: Kind
    size: int = 0
    target: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """Where the content of a file is in an uncompressed tar archive; `link` is the target of a link."""

    start: int
    size: int
    link: str = ""


class Region(io.RawIOBase):
    """A part of a file, read from its start to its end."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        self._file, self._at, self._left = file, start, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object, /) -> int:
        view = memoryview(cast(bytearray, buffer))
        self._file.seek(self._at)
        data = self._file.read(min(len(view), self._left))
        view[: len(data)] = data
        self._at += len(data)
        self._left -= len(data)
        return len(data)


def read_layer(file: io.BufferedReader, packed: int) -> Iterator[tuple[Entry, Iterator[bytes]]]:
    """Yields the entries of a layer of `packed` bytes, each with its content; only regular files have one.

    Devices, pipes and sockets are skipped: they have no bytes. Raises RefusedError for what no layer needs,
    and one of DAMAGE for a damaged one.
    """
    decompress = decompressor(file.peek(_MAGIC))
    for tar, info, stream in _members(decompress(file) if decompress else file, packed):
        if info.issparse() or info.size < 0:
            raise RefusedError("is sparse or of negative size", info.name)
        if not (info.isreg() or info.isdir() or info.issym() or info.islnk()):
            continue
        entry = _entry(info)
        stream.allowance = max(entry.size, _HEADER_BYTES)
        yield entry, _chunks(tar.extractfile(info) if entry.kind is Kind.FILE else None)


def index_tar(file: IO[bytes], packed: int) -> dict[str, Span]:
    """Where each file of an uncompressed tar archive is; raises as `read_layer` does."""
    found: dict[str, Span] = {}
    for _, info, _ in _members(file, packed):
        if info.isreg() and info.size >= 0 and not info.issparse():
            found[_clean(info.name)] = Span(info.offset_data, info.size)
        elif info.issym() or info.islnk():
            folder = "" if info.islnk() else posixpath.dirname(_clean(info.name))
            target = posixpath.normpath(posixpath.join(folder, info.linkname))
            found[_clean(info.name)] = Span(0, 0, link=target)
    return found


def decompressor(magic: bytes) -> Callable[[IO[bytes]], _Readable] | None:
    """What reads a file that begins so; None for one that is not compressed."""
    if magic.startswith(b"\x1f\x8b"):
        return lambda file: gzip.GzipFile(fileobj=file)
    if magic.startswith(b"\x28\xb5\x2f\xfd"):
        return zstd.ZstdFile
    if magic.startswith(b"BZh"):
        return bz2.BZ2File
    return _Xz if magic.startswith(b"\xfd7zXZ\0") else None


def _members(packed: _Readable, size: int) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo, _TarStream]]:
    meter = _Meter(size, LAYER_LIMITS)
    stream = _TarStream(packed, meter)
    count = 0
    with tarfile.TarFile(fileobj=cast(IO[bytes], stream), encoding="utf-8") as tar:
        while info := tar.next():
            tar.members.clear()  # type: ignore[attr-defined]  # it would keep all of them
            meter.member = info.name
            if (count := count + 1) > LAYER_LIMITS.members:
                raise RefusedError(
                    f"is one more than the {LAYER_LIMITS.members:,} that are allowed", info.name
                )
            yield tar, info, stream
            stream.allowance = _HEADER_BYTES
    # tarfile takes any header that it cannot read, except the first, for a silent end.
    if stream.last != bytes(tarfile.BLOCKSIZE):
        raise EOFError("the end-of-archive mark is missing")
    stream.drain()


def _entry(info: tarfile.TarInfo) -> Entry:
    name = _clean(info.name)
    if info.isreg():
        return Entry(name, Kind.FILE, info.size)
    if info.isdir():
        return Entry(name, Kind.FOLDER)
    return (
        Entry(name, Kind.HARDLINK, target=_clean(info.linkname))
        if info.islnk()
        else Entry(name, Kind.SYMLINK)
    )


def _clean(name: str) -> str:
    """The path without "." parts, from the root of the image; empty for the root itself."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts or "\0" in name:
        raise RefusedError("has a path that may lead outside of the image", name)
    if len(parts) > _PARTS or len(os.fsencode(name)) > _NAME_BYTES:
        raise RefusedError("has a path that is too long", name)
    return "/".join(parts)


def _chunks(body: IO[bytes] | None) -> Iterator[bytes]:
    while body and (data := body.read(_CHUNK)):
        yield data
