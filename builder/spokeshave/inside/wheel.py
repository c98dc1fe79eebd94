"""Wheels: open, name, write. Standard library only: it also runs inside the build container.

Written wheels are deterministic: entries sorted with the dist-info folder last and RECORD at the very
end, one fixed time stamp, fixed modes, one compression level.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
import shutil
import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

_NAME = re.compile(
    r"^(?P<distribution>[^-]+)-(?P<version>[^-]+)(-(?P<build>\d[^-]*))?"
    r"-(?P<python>[^-]+)-(?P<abi>[^-]+)-(?P<platform>[^-]+)\.whl$"
)
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError)  # what reading a damaged archive raises
_STAMP = (1980, 1, 2, 0, 0, 0)  # the zip format cannot say anything before 1980
# A zip file that pip, uv and package servers do not take for a source distribution, as they did `.tests.zip`.
TESTS_ARCHIVE = ".tests.archive"
_TESTS_ARCHIVES = (TESTS_ARCHIVE, ".tests.zip")


class MalformedWheel(ValueError):
    """A file that is not a well-formed wheel; the message says where and why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WheelName:
    """The parts of a wheel's file name."""

    distribution: str
    version: str
    python: str
    abi: str
    platform: str

    def __str__(self) -> str:
        return f"{self.distribution}-{self.version}-{self.python}-{self.abi}-{self.platform}.whl"

    @property
    def dist_info(self) -> str:
        return f"{self.distribution}-{self.version}.dist-info"


def parse_name(filename: str) -> WheelName:
    """Splits a wheel's file name; raises MalformedWheel where it is not one."""
    found = _NAME.match(filename)
    if not found:
        raise MalformedWheel(f"{filename!r} is not a wheel's file name")
    parts = found.groupdict()
    return WheelName(**{key: parts[key] for key in WheelName.__slots__})


def wheels_of(folder: Path, distribution: str) -> dict[Path, WheelName]:
    """The wheels of a distribution in a folder, by file name; what is no wheel's name is passed over."""
    stem = distribution.replace("-", "_")
    paths = [path for path in sorted(folder.glob(f"{stem}-*.whl")) if _NAME.match(path.name)]
    return {path: parse_name(path.name) for path in paths}


def beside(wheel: Path, ending: str) -> Path:
    """The companion file of a wheel: of the same name, with `ending` for `.whl`."""
    return wheel.with_name(f"{wheel.name.removesuffix('.whl')}{ending}")


def archives_of_tests(wheel: Path) -> list[Path]:
    """The tests archives next to a wheel: under today's name, then under the name of earlier builds."""
    return [path for ending in _TESTS_ARCHIVES if (path := beside(wheel, ending)).is_file()]


def unpack(wheel: Path, folder: Path) -> Path:
    """Unpacks a wheel into `folder` (made new) and returns it; checks every name and hash.

    Raises MalformedWheel where a member would leave the folder or RECORD does not describe the content.
    """
    folder.mkdir(parents=True)
    try:
        with zipfile.ZipFile(wheel) as archive:
            _check_members(wheel.name, archive)
            for info in archive.infolist():
                if info.is_dir():
                    continue
                target = folder / info.filename
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(info) as source, target.open("wb") as sink:
                    shutil.copyfileobj(source, sink)
                target.chmod(0o755 if info.external_attr >> 16 & 0o111 else 0o644)
    except DAMAGE as fault:
        raise MalformedWheel(f"{wheel.name} is not a readable zip archive: {fault}") from fault
    return folder


def _check_members(name: str, archive: zipfile.ZipFile) -> None:
    faults = record_faults(archive)
    for member in archive.namelist():
        path = PurePosixPath(member)
        if path.is_absolute() or ".." in path.parts or "\\" in member:
            faults.append(f"{member!r} would be unpacked outside the wheel's folder")
    if faults:
        raise MalformedWheel(f"{name}: " + "; ".join(faults[:5]))


def record_faults(archive: zipfile.ZipFile) -> list[str]:
    """Every way in which RECORD differs from the archive's content."""
    records = [n for n in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/RECORD", n)]
    if len(records) != 1:
        return [f"has {len(records)} RECORD files instead of one"]
    try:
        rows = {r[0]: r[1] for r in csv.reader(io.StringIO(archive.read(records[0]).decode())) if r}
    except (UnicodeDecodeError, csv.Error, IndexError):
        return ["RECORD is not a table of names and hashes"]
    faults = []
    for name in archive.namelist():
        if name.endswith("/") or name == records[0] or name.endswith((".jws", ".p7s")):
            continue
        if name not in rows:
            faults.append(f"{name} is not in RECORD")
        elif rows[name] != _record_hash(archive.read(name)):
            faults.append(f"{name} does not match its RECORD hash")
    missing = set(rows) - set(archive.namelist())
    return faults + [f"{name} is in RECORD but not in the wheel" for name in sorted(missing)]


def _record_hash(data: bytes) -> str:
    digest = hashlib.sha256(data).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def dist_info_of(folder: Path) -> Path:
    """The dist-info folder of an unpacked wheel; raises MalformedWheel where there is not one."""
    found = sorted(folder.glob("*.dist-info"))
    if len(found) != 1:
        raise MalformedWheel(f"{folder} has {len(found)} dist-info folders instead of one")
    return found[0]


def pack(folder: Path, destination: Path, name: WheelName) -> Path:
    """Writes the unpacked wheel in `folder` as `destination/name`, with a new RECORD."""
    dist_info = dist_info_of(folder)
    if dist_info.name != name.dist_info:
        dist_info = dist_info.rename(folder / name.dist_info)
    record = dist_info / "RECORD"
    record.unlink(missing_ok=True)
    files = sorted(
        (path for path in folder.rglob("*") if path.is_file()),
        key=lambda path: (path.is_relative_to(dist_info), path.relative_to(folder).as_posix()),
    )
    record.write_text(_record_text(folder, files, record), "utf-8")
    destination.mkdir(parents=True, exist_ok=True)
    return write_zip(folder, [*files, record], destination / str(name))


def _record_text(folder: Path, files: list[Path], record: Path) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for path in files:
        data = path.read_bytes()
        rows.writerow((path.relative_to(folder).as_posix(), _record_hash(data), len(data)))
    rows.writerow((record.relative_to(folder).as_posix(), "", ""))
    return text.getvalue()


def write_zip(folder: Path, files: list[Path], target: Path) -> Path:
    """Writes the files of `folder` in the given order as a deterministic zip archive."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in files:
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), date_time=_STAMP)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            mode = 0o755 if path.stat().st_mode & 0o111 else 0o644
            info.external_attr = (0o100000 | mode) << 16
            archive.writestr(info, path.read_bytes(), compresslevel=9)
    return target


def set_metadata(dist_info: Path, *, version: str, requires: tuple[str, ...]) -> None:
    """Gives METADATA a new version and appends requirements (PEP 508) to its headers."""
    path = dist_info / "METADATA"
    head, separator, body = path.read_text("utf-8").partition("\n\n")
    head = re.sub(r"(?m)^Version: .*$", f"Version: {version}", head)
    lines = [head.rstrip("\n"), *(f"Requires-Dist: {line}" for line in requires)]
    path.write_text("\n".join(lines) + (separator or "\n") + body, "utf-8")


def set_licenses(dist_info: Path, files: tuple[str, ...]) -> None:
    """Names further licence files (relative to `licenses/`) in METADATA."""
    path = dist_info / "METADATA"
    head, separator, body = path.read_text("utf-8").partition("\n\n")
    present = set(re.findall(r"(?m)^License-File: (.*)$", head))
    lines = [head.rstrip("\n"), *(f"License-File: {f}" for f in files if f not in present)]
    path.write_text("\n".join(lines) + (separator or "\n") + body, "utf-8")


def set_tags(dist_info: Path, name: WheelName) -> None:
    """Writes the Tag lines of WHEEL to fit the file name (compressed tag sets are expanded)."""
    path = dist_info / "WHEEL"
    kept = [ln for ln in path.read_text("utf-8").splitlines() if ln and not ln.startswith("Tag:")]
    tags = [
        f"Tag: {python}-{abi}-{platform}"
        for python in name.python.split(".")
        for abi in name.abi.split(".")
        for platform in name.platform.split(".")
    ]
    path.write_text("\n".join([*kept, *tags]) + "\n", "utf-8")


def relabel(name: WheelName, *, version: str | None = None, platform: str | None = None) -> WheelName:
    """The name with another version or platform."""
    return replace(name, version=version or name.version, platform=platform or name.platform)
