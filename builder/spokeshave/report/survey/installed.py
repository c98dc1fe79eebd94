"""Which package each file belongs to: by its RECORD, else by the name of its folder."""

from __future__ import annotations

import csv
import io
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email.parser import HeaderParser
from pathlib import Path

from packaging.utils import canonicalize_name

from spokeshave.report.survey.model import File, Package, Subject, printable
from spokeshave.report.survey.sites import METADATA, find_sites, site_of

_METADATA_BYTES, _RECORD_BYTES = 64 * 1024, 64 * 1024 * 1024
_INFO = re.compile(r"^(?P<name>.+?)(?:-(?P<version>[^-]+))?(?:-py\d.*)?\.(?:dist-info|egg-info|data)$")
_BYTECODE = re.compile(r"^(?P<folder>.*/)?__pycache__/(?P<stem>[^/]+?)\.[^/.]+(?:\.opt-\d)?\.pyc$")
_ENDINGS = re.compile(r"(?:\.libs|\.data|\.py|\.pyi|\.pth|(?:\.[\w-]+)?\.(?:so|pyd))$")
_LAYER = "python/"  # where an AWS Lambda layer has its packages


@dataclass(frozen=True, kw_only=True, slots=True)
class _Distribution:
    name: str
    version: str
    site: str
    info: str
    files: set[str] = field(default_factory=set)


def read_packages(subject: Subject) -> tuple[Package, ...]:
    """The packages of a subject, the largest one first; files outside of their folders belong to none.

    Without any folder with metadata, each folder at the root (or in `python/`, as in a Lambda layer) is one.
    An image has none then.
    """
    files = {file.name: file for file in subject.files}
    bare = [] if subject.form == "image" else [_bare_site(files)]
    sites = frozenset(find_sites(files)) or frozenset(bare)
    distributions = list(_distributions(files, sites))
    owners = _owners(distributions, files)
    found: dict[tuple[str, str, str], list[File]] = {}
    known = {(one.site, canonicalize_name(one.name)): one for one in distributions}
    for name, file in files.items():
        owner = owners.get(name) or _by_source(name, owners)
        site = site_of(name, sites) if owner is None else owner.site
        if site is None:
            continue
        if owner is None:
            top = _top(name.removeprefix(f"{site}/" if site else ""))
            owner = known.get((site, canonicalize_name(top)))
            key = (site, top, "") if owner is None else (site, owner.name, owner.version)
        else:
            key = (site, owner.name, owner.version)
        found.setdefault(key, []).append(file)
    packages = [
        Package(name=printable(name), version=printable(version), site=site, files=tuple(its))
        for (site, name, version), its in found.items()
    ]
    return tuple(sorted(packages, key=lambda one: (-one.size, one.name, one.site)))


def _bare_site(files: Mapping[str, File]) -> str:
    return _LAYER.rstrip("/") if files and all(name.startswith(_LAYER) for name in files) else ""


def _distributions(files: Mapping[str, File], sites: frozenset[str]) -> Iterator[_Distribution]:
    for name, file in sorted(files.items()):
        match = METADATA.match(name)
        site = match["site"] or "" if match else ""
        if match is None or site not in sites:
            continue
        headers = HeaderParser().parsestr(_text(file.path, _METADATA_BYTES))
        label = _INFO.match(match["info"])
        yield _Distribution(
            name=headers["Name"] or (label["name"] if label else match["info"]),
            version=headers["Version"] or (label["version"] or "" if label else ""),
            site=site,
            info=f"{site}/{match['info']}" if site else match["info"],
        )


def _owners(distributions: Iterable[_Distribution], files: Mapping[str, File]) -> dict[str, _Distribution]:
    """The distribution of each file, by a RECORD or by its metadata folder; the first one has it.

    RECORD is only a list of names here: nothing is opened by a name in it.
    """
    owners: dict[str, _Distribution] = {}
    by_info = {one.info: one for one in distributions}
    for one in by_info.values():
        record = files.get(f"{one.info}/RECORD")
        text = _text(record.path, _RECORD_BYTES) if record else ""
        for row in csv.reader(io.StringIO(text.replace("\0", ""))):
            name = posixpath.normpath(posixpath.join(one.site, row[0])) if row else ""
            if name in files:
                owners.setdefault(name, one)
    for name in files:
        if (owner := by_info.get(posixpath.dirname(name))) is not None:
            owners.setdefault(name, owner)
    return owners


def _by_source(name: str, owners: Mapping[str, _Distribution]) -> _Distribution | None:
    """The owner of the module that a bytecode file is of: RECORD need not list bytecode."""
    match = _BYTECODE.match(name)
    return owners.get(f"{match['folder'] or ''}{match['stem']}.py") if match else None


def _top(inside: str) -> str:
    """The name of the package that a file's first folder, or the file itself, stands for."""
    if match := _BYTECODE.match(inside):
        inside = f"{match['folder'] or ''}{match['stem']}.py"
    top = inside.partition("/")[0]
    label = _INFO.match(top)
    return label["name"] if label else _ENDINGS.sub("", top)


def _text(path: Path | None, most: int) -> str:
    """The start of a file; empty for one that cannot be read."""
    if path is None:
        return ""
    with path.open("rb") as stream:
        return stream.read(most).decode("utf-8", "replace")
