"""Reads and checks a PyPI wheel; nothing is unpacked before the whole file was checked."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections import Counter
from dataclasses import replace
from email.message import Message
from pathlib import Path, PurePosixPath

from packaging.metadata import parse_email
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from spokeshave.errors import UnsafeArchive, WheelError
from spokeshave.inside.model import file_sha256
from spokeshave.inside.wheel import DAMAGE, MalformedWheel, WheelName, parse_name, record_faults
from spokeshave.slim.arguments import why_no_wheel
from spokeshave.slim.metadata_fields import read_headers, read_identity
from spokeshave.slim.model import Stock
from spokeshave.sources.archive import DEFAULT_LIMITS

_SIGNATURES = (".dist-info/RECORD.jws", ".dist-info/RECORD.p7s")
_ENCRYPTED = 0x1  # of a member's general purpose flags
_FETCH_AGAIN = "fetch the wheel again, or report it to its project; slim takes no damaged wheel"
_RENAME = "give the file the name that its project gave it"
_OURS = re.compile(r"(^|\.)slim\.\d+$")


def read_stock(path: Path) -> Stock:
    """Checks a wheel file and reads what it says of itself.

    Raises WheelError where it is not a well-formed wheel or its RECORD does not describe it, and
    UnsafeArchive where a member must not be unpacked.
    """
    if no_wheel := why_no_wheel(path):
        raise no_wheel
    name = _name(path)
    try:
        with zipfile.ZipFile(path) as archive:
            _refuse_unsafe(path, archive)
            if faults := record_faults(archive) or _row_faults(archive):
                raise MalformedWheel(_some(faults))
            dist_info = _dist_info(archive)
            identity = read_identity(_read(archive, f"{dist_info}/METADATA"))
            _check_format(read_headers(_read(archive, f"{dist_info}/WHEEL")))
            signatures = tuple(n for n in archive.namelist() if n.endswith(_SIGNATURES))
    except (MalformedWheel, *DAMAGE, NotImplementedError) as fault:
        reason = str(fault).removeprefix(f"{path.name}: ")
        raise WheelError(f"{path} is not a well-formed wheel: {reason}", next_step=_FETCH_AGAIN) from fault
    version = _version(path, name, dist_info, identity)
    return Stock(
        path=path,
        name=name,
        project=identity[0],
        version=version,
        sha256=file_sha256(path),
        signatures=signatures,
    )


def with_extras(stock: Stock, extras: tuple[str, ...]) -> Stock:
    """The wheel with extras (normalized) for the check; raises WheelError for one that it does not have."""
    if not extras:
        return stock
    with zipfile.ZipFile(stock.path) as archive:
        raw, _ = parse_email(_read(archive, f"{_dist_info(archive)}/METADATA"))
    offered = sorted({canonicalize_name(name) for name in raw.get("provides_extra", ())})
    if unknown := [name for name in extras if name not in offered]:
        raise WheelError(
            f"{stock.project} {stock.version} has no extra {', '.join(unknown)}",
            next_step=f"its extras are: {', '.join(offered) or 'none'}",
        )
    return replace(stock, extras=extras)


def _name(path: Path) -> WheelName:
    try:
        return parse_name(path.name)
    except MalformedWheel as fault:
        raise WheelError(f"{path}: {fault}", next_step=_RENAME) from fault


def _refuse_unsafe(path: Path, archive: zipfile.ZipFile) -> None:
    """Members that would be written outside, twice, over one another, or that fill the disk."""
    names = [info.filename.rstrip("/") for info in archive.infolist()]
    files = {info.filename for info in archive.infolist() if not info.is_dir()}
    above = {str(parent) for name in names for parent in PurePosixPath(name).parents}
    faults = [f"{name!r} would be unpacked outside the wheel's folder" for name in names if _leaves(name)]
    faults += [f"{name!r} is there {count} times" for name, count in Counter(names).items() if count > 1]
    faults += [f"{name!r} is a file and a folder" for name in sorted(files & above)]
    faults += [f"{i.filename!r} is encrypted" for i in archive.infolist() if i.flag_bits & _ENCRYPTED]
    total = sum(info.file_size for info in archive.infolist())
    if total > DEFAULT_LIMITS.total_bytes:
        faults.append(f"its content of {total:,} bytes is more than {DEFAULT_LIMITS.total_bytes:,}")
    if faults:
        raise UnsafeArchive(f"{path}: {_some(faults)}", next_step="do not unpack or install it")


def _leaves(name: str) -> bool:
    path = PurePosixPath(name)
    return (
        path.is_absolute() or ".." in path.parts or "\\" in name or re.match(r"[A-Za-z]:", name) is not None
    )


def _some(faults: list[str]) -> str:
    more = f"; and {len(faults) - 5} more" if len(faults) > 5 else ""
    return "; ".join(faults[:5]) + more


def _row_faults(archive: zipfile.ZipFile) -> list[str]:
    """Rows of RECORD that give another size than the file has, or that come twice."""
    text = archive.read(f"{_dist_info(archive)}/RECORD").decode()
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    sizes = {info.filename: str(info.file_size) for info in archive.infolist()}
    faults = [
        f"{row[0]} has {sizes[row[0]]} bytes, not {row[2]} as RECORD says"
        for row in rows
        if len(row) > 2 and row[2] and row[2] != sizes.get(row[0], row[2])
    ]
    twice = [name for name, count in Counter(row[0] for row in rows).items() if count > 1]
    return faults + [f"{name} is in RECORD more than once" for name in twice]


def _dist_info(archive: zipfile.ZipFile) -> str:
    """The one dist-info folder, which `record_faults` has made sure holds a RECORD."""
    tops = sorted({name.partition("/")[0] for name in archive.namelist()})
    found = [top for top in tops if top.endswith(".dist-info")]
    if len(found) != 1:
        raise MalformedWheel(f"there are {len(found)} dist-info folders instead of one")
    return found[0]


def _read(archive: zipfile.ZipFile, member: str) -> bytes:
    """A file of headers, which must be UTF-8."""
    try:
        data = archive.read(member)
        data.decode()
    except KeyError as fault:
        raise MalformedWheel(f"there is no {member}") from fault
    except UnicodeDecodeError as fault:
        raise MalformedWheel(f"{member} is not UTF-8") from fault
    return data


def _check_format(wheel: Message) -> None:
    major = str(wheel["Wheel-Version"] or "").partition(".")[0]
    if major != "1":
        raise MalformedWheel(f"it is of format {wheel['Wheel-Version']}, and only 1.x is known")


def _version(path: Path, name: WheelName, dist_info: str, identity: tuple[str, str]) -> Version:
    """The version, where file name, dist-info folder and METADATA agree on it."""
    told = [(name.distribution, name.version), tuple(dist_info.removesuffix(".dist-info").split("-", 1))]
    told.append(identity)
    try:
        known = {(canonicalize_name(row[0]), Version(row[-1].replace("_", "-"))) for row in told}
    except InvalidVersion as fault:
        raise WheelError(f"{path}: {fault}", next_step=_FETCH_AGAIN) from fault
    if len(known) > 1:
        names = ", ".join(sorted(f"{project} {version}" for project, version in known))
        raise WheelError(
            f"{path}: its file name, dist-info folder and METADATA do not agree: {names}",
            next_step=_RENAME,
        )
    ((_, version),) = known
    if version.local and _OURS.search(version.local):
        raise WheelError(f"{path} is slim already", next_step="name the PyPI wheel instead")
    return version
