"""Unpacks source archives that nobody here has read; all members are checked before one is written.

tarfile's extraction filters are not relied on, since they have been bypassed (CVE-2025-4517).
"""

from __future__ import annotations

import errno
import lzma
import os
import re
import shutil
import struct
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path

from spokeshave.errors import StoreError, UnsafeArchive
from spokeshave.sources.members import Archive, Kind, Limits, Member, Members, RefusedError, read_members

__all__ = ["DEFAULT_LIMITS", "SOURCE_EPOCH", "Limits", "unpack"]

SOURCE_EPOCH = 315619200  # 1980-01-02 UTC: zip knows no earlier day, whatever the time zone
DEFAULT_LIMITS = Limits()

_DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    RecursionError,  # thousands of chained pax headers
    NotImplementedError,
    ValueError,
)


def unpack(archive: Path, destination: Path, *, limits: Limits = DEFAULT_LIMITS) -> Path:
    """Unpacks an sdist (.tar.gz, .tar.xz, .tar.bz2, .zip); returns its top folder in `destination`.

    Modes become 0644 or 0755 and times `SOURCE_EPOCH` (seconds), so that the same archive gives the
    same tree. Raises UnsafeArchive where a member must not be written or the archive is damaged,
    and StoreError where the disk fails or the folder is there already; nothing is left behind.
    """
    try:
        with Archive(archive.open("rb", buffering=0)) as file:
            plan = _survey(file, limits)
            return _place(file, plan, destination, limits)
    except RefusedError as refused:
        member = f"member {refused.member[:200]!r} " if refused.member else ""
        raise UnsafeArchive(
            f"{archive.name}: {member}{str(refused)[:400]}",  # a name may be a megabyte long
            next_step="do not unpack it by other means: pin another release, or report it to the project",
        ) from None
    except _DAMAGE as fault:
        raise _damaged(archive, fault) from fault
    except OSError as fault:
        if fault.errno in (None, errno.EINVAL):  # bad data for gzip and bz2, a bad offset in a zip
            raise _damaged(archive, fault) from fault
        raise StoreError(
            f"cannot unpack {archive} into {destination}: {fault.strerror}",
            next_step="check the free space and the permissions there",
        ) from fault


def _damaged(archive: Path, fault: Exception) -> UnsafeArchive:
    return UnsafeArchive(
        f"{archive.name} is truncated or damaged: {str(fault) or type(fault).__name__}",
        next_step=f"delete {archive} and fetch it again; if its sha256 is as pinned, the release "
        "itself is damaged: pin another",
    )


def _survey(file: Archive, limits: Limits) -> list[Member]:
    """Reads the whole archive without writing: the members, checked one by one and together."""
    members: list[Member] = []
    for member, content in read_members(file, limits):
        if len(members) == limits.members:
            raise RefusedError(f"is one more than the {limits.members} that are allowed", member.name)
        if member.size > limits.member_bytes:
            raise RefusedError(f"is larger than {limits.member_bytes} bytes", member.name)
        if sum(map(len, content)) != member.size:
            raise EOFError(f"{member.name} is shorter than its header says")
        members.append(member)
    _check_tree(members, limits)
    return members


def _check_tree(members: list[Member], limits: Limits) -> None:
    """Refuses members that get in each other's way; of a file that comes twice the last counts."""
    kinds: dict[str, Kind] = {}
    sizes: dict[str, int] = {}
    copied = 0
    for member in members:
        kind = kinds.setdefault(member.name, member.kind)
        if member.name in sizes and (kind is not member.kind or member.target):
            raise RefusedError("is there twice, once as a link or as something else", member.name)
        if member.kind is Kind.HARDLINK:
            if kinds.get(member.target) is not Kind.FILE:
                raise RefusedError(f"is a hard link to {member.target!r}, no file before it", member.name)
            copied += sizes[member.target]
            if copied > limits.total_bytes:
                raise RefusedError(f"exceeds {limits.total_bytes} bytes in total", member.name)
        sizes[member.name] = member.size
    tops = sorted({name.partition("/")[0] for name in kinds})
    if len(tops) != 1 or kinds.get(tops[0], Kind.FOLDER) is not Kind.FOLDER:
        raise RefusedError(f"must hold one top folder and nothing else, not {tops[:5]}")
    for member in members:
        _check_place(member, kinds)


def _check_place(member: Member, kinds: dict[str, Kind]) -> None:
    """Refuses a member below a link or a file, and a link that leaves the tree or meets a link.

    A chain of links that are each inside can still lead out ("a/..", where a is a link), so that a
    target must reach its end through real folders only.
    """
    parts = member.name.split("/")
    for count in range(1, len(parts)):
        above = kinds.get("/".join(parts[:count]), Kind.FOLDER)
        if above is not Kind.FOLDER:
            raise RefusedError(f"lies below a {above.value}", member.name)
    if member.kind is not Kind.SYMLINK:
        return
    target, place = member.target, parts[:-1]
    strange = not target or re.search(r"^/|[\\\0]|^[A-Za-z]:", target)
    for part in target.split("/"):
        if part == ".." and place:
            place.pop()
        elif part not in ("", "."):
            place.append(part)
        if strange or not place:
            raise RefusedError(f"is a link to {target!r}, outside of the tree", member.name)
        if kinds.get("/".join(place)) is Kind.SYMLINK:
            raise RefusedError(f"is a link to {target!r}, which meets another link", member.name)


def _place(file: Archive, plan: list[Member], destination: Path, limits: Limits) -> Path:
    """Writes all members below a hidden folder in `destination`, then moves the top folder out."""
    top = plan[0].name.partition("/")[0]
    final = destination / top
    if os.path.lexists(final):
        raise StoreError(f"{final} is there already", next_step="remove it, or unpack into another folder")
    destination.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination, prefix=".unpack-") as scratch:
        _write(read_members(file, limits), plan, Path(scratch))
        (Path(scratch) / top).rename(final)
    return final


def _write(members: Members, plan: list[Member], root: Path) -> None:
    """Files first and links last, so that nothing can be written through a link."""
    latest = {member.name: number for number, member in enumerate(plan)}  # as tar has it
    for number, (planned, (member, content)) in enumerate(zip(plan, members, strict=True)):
        if member != planned:
            raise RefusedError("was changed while it was read", member.name)
        path = root / member.name
        (path if member.kind is Kind.FOLDER else path.parent).mkdir(parents=True, exist_ok=True)
        if member.kind is Kind.FILE and latest[member.name] == number:
            with path.open("xb") as file:
                file.writelines(content)
            path.chmod(0o755 if member.executable else 0o644)
    for member in plan:
        if member.kind is Kind.HARDLINK:
            shutil.copy(root / member.target, root / member.name)  # later patches must hit one only
        elif member.kind is Kind.SYMLINK:
            (root / member.name).symlink_to(member.target)
    for folder, folders, files in os.walk(root, topdown=False):
        for path in (Path(folder, name) for name in folders + files):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
            os.utime(path, (SOURCE_EPOCH, SOURCE_EPOCH), follow_symlinks=False)
