"""A wheel as it is published: read from the wheel itself, and from the verification report next to it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import compat32
from pathlib import Path

from packaging.utils import InvalidWheelFilename, NormalizedName, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from spokeshave import verdict
from spokeshave.errors import PublishError, VerifyError, WheelError
from spokeshave.inside.model import file_sha256
from spokeshave.inside.wheel import DAMAGE, beside, parse_name, record_faults


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """A wheel to publish; `size` in bytes. `level` is that of its verification, None where it has none.

    `refuted` says that the report next to it is about these very bytes, and verifies nothing.
    """

    path: Path
    project: NormalizedName
    version: Version
    sha256: str
    size: int
    metadata: bytes
    requires_python: str
    requires: tuple[str, ...]
    level: str | None
    refuted: bool = False

    @property
    def filename(self) -> str:
        return self.path.name


def gather(places: Iterable[Path], *, unverified: bool = False) -> tuple[Release, ...]:
    """Reads wheels, and those in folders; by file name.

    Raises WheelError for what is no sound wheel, VerifyError for one without a passing verification (unless
    `unverified`), and PublishError for two files of one name that differ.
    """
    found: dict[str, Release] = {}
    for place in places:
        paths = sorted(place.glob("*.whl")) if place.is_dir() else [place]
        if not paths:
            raise WheelError(f"there is no wheel in {place}", next_step="spokeshave build numpy")
        for path in paths:
            release = read_release(path, unverified=unverified)
            other = found.setdefault(path.name, release)
            if other.sha256 != release.sha256:
                raise PublishError(
                    f"{other.path} and {path} have one name and differ", next_step="name only one of them"
                )
    return tuple(found[name] for name in sorted(found))


def read_release(path: Path, *, unverified: bool = False) -> Release:
    """Reads one wheel and its verification report; raises WheelError or VerifyError as `gather` does."""
    if not path.exists():
        raise WheelError(f"{path}: no such file or folder", next_step="name wheels, or their folder")
    project, version = _identity(path)
    metadata = _metadata(path)
    headers = BytesParser(policy=compat32).parsebytes(metadata, headersonly=True)
    told = (canonicalize_name(str(headers["Name"])), str(headers["Version"]))
    if told[0] != project or not _same(told[1], version):
        raise WheelError(f"{path.name}: its METADATA says {told[0]} {told[1]}", next_step="build it again")
    sha256 = file_sha256(path)
    level, fault, refuted = _verified(path, sha256)
    if fault and not unverified:
        raise VerifyError(
            f"{path.name} is not verified: {fault}",
            next_step=f"{_remedy(path)}; or publish with --unverified, which the index then says",
        )
    return Release(
        path=path,
        project=project,
        version=version,
        sha256=sha256,
        size=path.stat().st_size,
        metadata=metadata,
        requires_python=str(headers["Requires-Python"] or ""),
        requires=tuple(map(str, headers.get_all("Requires-Dist", ()))),
        level=level,
        refuted=refuted,
    )


def _remedy(path: Path) -> str:
    """What verifies a wheel: `slim` checks what it makes, and `verify` what was built from a recipe."""
    if beside(path, ".slim.json").is_file():
        return "spokeshave slim, with its check and --with what its modules need"
    return f"spokeshave verify {path}"


def _identity(path: Path) -> tuple[NormalizedName, Version]:
    try:
        project, version, _, _ = parse_wheel_filename(path.name)
    except InvalidWheelFilename as fault:
        raise WheelError(str(fault), next_step="name files that end in .whl, or their folder") from fault
    return project, version


def _same(text: str, version: Version) -> bool:
    try:
        return Version(text) == version
    except InvalidVersion:
        return False


def _metadata(path: Path) -> bytes:
    """METADATA of a wheel whose RECORD describes its content."""
    try:
        with zipfile.ZipFile(path) as archive:
            if faults := record_faults(archive):
                raise WheelError(f"{path.name}: {'; '.join(faults[:5])}", next_step="build it again")
            return archive.read(f"{parse_name(path.name).dist_info}/METADATA")
    except KeyError as fault:
        raise WheelError(f"{path.name} has no METADATA", next_step="build it again") from fault
    except DAMAGE as fault:
        raise WheelError(
            f"{path.name} is not a readable zip archive: {fault}", next_step="build or fetch it again"
        ) from fault


def _verified(path: Path, sha256: str) -> tuple[str | None, str, bool]:
    """The level of the report next to a wheel, or None and why; and whether it refutes the wheel."""
    found = beside(path, ".verify.json")
    if not found.is_file():
        return None, f"{found.name} is not next to it", False
    try:
        report = json.loads(found.read_text("utf-8"))
        about, level, fault = report["sha256"], str(report["level"]), verdict.fault_of(report)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None, f"{found.name} is not a report of `spokeshave verify`", False
    if about != sha256:
        return None, f"{found.name} is about another file (sha256 differs)", False
    if fault:
        return None, f"{found.name} says that {fault}", True
    return level, "", False
