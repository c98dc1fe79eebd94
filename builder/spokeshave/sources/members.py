"""Reads the members of a source archive one by one and refuses what no source needs.

tarfile and zipfile only parse here, and what they may ask for is bounded: a header can claim any
size, and a few kB can expand to gigabytes. `archive` looks at all members together and writes them.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import re
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import IO, Protocol, cast

_CHUNK = 256 * 1024
_HEADER_BYTES = 1024 * 1024  # for one member's headers; real ones need a few kB
_READ_BYTES = 16 * 1024 * 1024  # for one read, so for a zip's directory: some 100,000 entries
_XZ_MEMORY = 128 * 1024 * 1024  # `xz -9` needs 65 MiB
_NAME_BYTES, _PART_BYTES = 1024, 255


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What an archive may amount to: counts, bytes, and unpacked bytes per packed byte.

    `total_bytes` covers all that the decompressor gives, headers included. `ratio` counts only once
    more than `ratio_floor_bytes` have come out, since small files of zeros are common in test data.
    """

    members: int = 100_000
    total_bytes: int = 2_000_000_000
    member_bytes: int = 1_000_000_000
    ratio: float = 200.0
    ratio_floor_bytes: int = 100_000_000


class RefusedError(Exception):
    """Why the archive is not unpacked, and for the sake of which member."""

    def __init__(self, why: str, member: str = "") -> None:
        super().__init__(why)
        self.member = member


class Kind(Enum):
    FILE = "file"
    FOLDER = "folder"
    SYMLINK = "symbolic link"
    HARDLINK = "hard link"


@dataclass(frozen=True, slots=True)
class Member:
    """One entry; `name` has neither "." parts nor a trailing slash."""

    name: str
    kind: Kind
    size: int = 0
    executable: bool = False
    target: str = ""


Members = Iterator[tuple[Member, Iterator[bytes]]]


class Archive(io.BufferedReader):
    """An archive's file; no single read may fill the memory, whatever length a header asks for."""

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = _READ_BYTES if size is None or size < 0 else size
        if wanted > _READ_BYTES:
            raise RefusedError(f"asks for {wanted} bytes in one piece")
        return super().read(wanted)


class _Meter:
    """Counts what really comes out of the decompressor, since headers may lie."""

    def __init__(self, packed: int, limits: Limits) -> None:
        self.member = ""
        self._packed, self._limits, self._bytes = packed, limits, 0

    def add(self, count: int) -> None:
        self._bytes += count
        if self._bytes > self._limits.total_bytes:
            raise RefusedError(f"exceeds {self._limits.total_bytes} bytes in total", self.member)
        ratio = self._bytes / max(self._packed, 1)
        if self._bytes > self._limits.ratio_floor_bytes and ratio > self._limits.ratio:
            raise RefusedError(f"makes it expand more than {self._limits.ratio:g} times", self.member)


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Xz:
    """Reads .xz with a bound on memory, which lzma.LZMAFile does not offer."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._new()

    def _new(self) -> None:
        self._stream = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)

    def read(self, size: int, /) -> bytes:
        while True:
            packed = b""
            if self._stream.eof:
                if not (packed := self._next_stream()):
                    return b""
                self._new()
            elif self._stream.needs_input and not (packed := self._file.read(_CHUNK)):
                raise EOFError("the xz stream ends early")
            if data := self._stream.decompress(packed, size):
                return data

    def _next_stream(self) -> bytes:
        """The start of what follows the padding behind a stream; empty at the end of the file."""
        packed = self._stream.unused_data
        while not (packed := packed.lstrip(b"\0")):
            if not (packed := self._file.read(_CHUNK)):
                break
        return packed


class _TarStream:
    """What tarfile reads from: forward only, metered, and with an allowance a header or a body.

    tarfile reads a pax header in one piece and follows a sparse map to its end; either could ask
    for gigabytes.
    """

    def __init__(self, packed: _Readable, meter: _Meter) -> None:
        self._packed, self._meter = packed, meter
        self._position = 0
        self.allowance = _HEADER_BYTES
        self.last = b""

    def _take(self, size: int) -> bytes:
        data = self._packed.read(size)
        self._position += len(data)
        self._meter.add(len(data))
        return data

    def tell(self) -> int:
        return self._position

    def seek(self, position: int, /) -> int:
        if position < self._position:
            raise RefusedError("has headers that point backwards", self._meter.member)
        while missing := position - self._position:
            if not self._take(min(missing, _CHUNK)):
                raise EOFError("the last member is cut off")
        return self._position

    def read(self, size: int = -1, /) -> bytes:
        if not 0 <= size <= self.allowance:
            raise RefusedError("is followed by headers out of all proportion", self._meter.member)
        self.allowance -= size
        parts = bytearray()
        while len(parts) < size and (data := self._take(size - len(parts))):
            parts += data
        self.last = bytes(parts)
        return self.last

    def drain(self) -> None:
        """Reads on to the end, which is where the compressors keep their checksum."""
        while self._take(_CHUNK):
            pass

    def close(self) -> None:
        """tarfile wants to be able to close what it reads."""


def read_members(file: Archive, limits: Limits) -> Members:
    """Yields each member with its content, of which links and folders have none.

    The next member may be asked for before the content has been read. Raises RefusedError for what
    no source needs and for what exceeds `limits` (bytes, ratio), and whatever tarfile, zipfile
    and the decompressors raise for a damaged file.
    """
    meter = _Meter(os.fstat(file.fileno()).st_size, limits)
    file.seek(0)
    magic = file.peek(6)
    if magic.startswith(b"PK\x03\x04"):
        yield from _zip_members(file, meter)
    elif magic.startswith(b"\x1f\x8b"):
        yield from _tar_members(gzip.GzipFile(fileobj=file), meter)
    elif magic.startswith(b"BZh"):
        yield from _tar_members(bz2.BZ2File(file), meter)
    elif magic.startswith(b"\xfd7zXZ\0"):
        yield from _tar_members(_Xz(file), meter)
    else:
        raise RefusedError("is not a .tar.gz, .tar.xz, .tar.bz2 or .zip")


def _chunks(body: IO[bytes] | None, meter: _Meter | None = None) -> Iterator[bytes]:
    while body and (data := body.read(_CHUNK)):
        if meter:
            meter.add(len(data))
        yield data


def _tar_members(packed: _Readable, meter: _Meter) -> Members:
    stream = _TarStream(packed, meter)
    with tarfile.TarFile(fileobj=cast(IO[bytes], stream), encoding="utf-8") as tar:
        while info := tar.next():
            tar.members.clear()  # type: ignore[attr-defined]  # it would keep all of them
            meter.member = info.name
            member = _from_tar(info)
            stream.allowance = member.size
            if member.name:
                yield member, _chunks(tar.extractfile(info) if member.kind is Kind.FILE else None)
            stream.allowance = _HEADER_BYTES
    # tarfile takes any header that it cannot read, except the first, for a silent end.
    if stream.last != bytes(tarfile.BLOCKSIZE):
        raise EOFError("the end-of-archive mark is missing")
    stream.drain()


def _from_tar(info: tarfile.TarInfo) -> Member:
    executable = bool(info.mode & 0o111)
    if info.issparse() or info.size < 0:
        raise RefusedError("is sparse or of negative size", info.name)
    if info.isreg():
        return Member(_clean(info.name), Kind.FILE, info.size, executable)
    if info.isdir():
        return Member(_clean(info.name, folder=True), Kind.FOLDER)
    if info.issym():
        return Member(_clean(info.name), Kind.SYMLINK, target=info.linkname)
    if info.islnk():
        return Member(_clean(info.name), Kind.HARDLINK, target=_clean(info.linkname, of=info.name))
    raise RefusedError("is a device, a pipe or something else that sources do not need", info.name)


def _zip_members(file: Archive, meter: _Meter) -> Members:
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            meter.member = info.orig_filename
            member = _from_zip(archive, info)
            if member.kind is Kind.FILE:
                with archive.open(info) as body:
                    yield member, _chunks(body, meter)
            elif member.name:
                yield member, iter(())


def _from_zip(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    mode, name = info.external_attr >> 16, info.orig_filename
    # zipfile's other decompressors have no bound on what one piece of input may become.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
        raise RefusedError("is encrypted or packed in an unusual way", name)
    if name.endswith("/"):
        return Member(_clean(name, folder=True), Kind.FOLDER)
    if stat.S_ISLNK(mode):
        if info.file_size > _NAME_BYTES:
            raise RefusedError("is a link with an endless target", name)
        return Member(_clean(name), Kind.SYMLINK, target=os.fsdecode(archive.read(info)))
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise RefusedError("is a device, a pipe or something else that sources do not need", name)
    return Member(_clean(name), Kind.FILE, info.file_size, bool(mode & 0o111))


def _clean(name: str, *, folder: bool = False, of: str = "") -> str:
    """The path without "." parts; empty only for the root folder itself, which needs no making.

    `of` names the member whose hard link's target this is.
    """
    member = of or name or "''"
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not name or "\0" in name or not (parts or folder):
        raise RefusedError(f"has the path {name!r}, empty or with a NUL", member)
    if name.startswith("/") or "\\" in name or re.match("[A-Za-z]:", name) or ".." in parts:
        raise RefusedError(f"has the path {name!r}, which may lie outside of the tree", member)
    sizes = [len(os.fsencode(part)) for part in parts]
    if sum(sizes) + len(sizes) > _NAME_BYTES or max(sizes, default=0) > _PART_BYTES:
        raise RefusedError("has a path that is too long", member)
    return "/".join(parts)
