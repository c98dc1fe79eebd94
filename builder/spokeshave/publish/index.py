"""The pages of a simple index, HTML and JSON, as a pure function of what is in it.

PEP 503 and 691 say what the pages are, 592 yanking, 658 and 714 the metadata files, 700 sizes and times.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from packaging.utils import NormalizedName, parse_wheel_filename
from packaging.version import Version

API_VERSION = "1.1"  # the first with size, upload-time and versions
ROOT = "simple"


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """A wheel in the index; `size` in bytes, `upload_time` in ISO 8601, UTC.

    `verified` is the level of its verification, None where it was published without; `yanked` is the reason.
    """

    filename: str
    sha256: str
    size: int
    upload_time: str
    requires_python: str
    metadata_sha256: str
    verified: str | None
    yanked: str | None = None

    @property
    def project(self) -> NormalizedName:
        return parse_wheel_filename(self.filename)[0]

    @property
    def version(self) -> Version:
        return parse_wheel_filename(self.filename)[1]

    @property
    def place(self) -> str:
        """The wheel's path below the index folder."""
        return f"{ROOT}/{self.project}/{self.filename}"

    @property
    def href(self) -> str:
        """Its address relative to its project's page; a `+` would be read as a space by some servers."""
        return quote(self.filename, safe="")


def pages(files: Iterable[File]) -> dict[str, bytes]:
    """All pages by their path below the index folder, in the order to write them: the roots last."""
    projects: dict[str, list[File]] = {}
    for file in sorted(files, key=lambda one: (one.project, one.version, one.filename)):
        projects.setdefault(file.project, []).append(file)
    made = {}
    for name, rows in projects.items():
        made[f"{ROOT}/{name}/index.json"] = _json_page(_project_json(name, rows))
        made[f"{ROOT}/{name}/index.html"] = _html_page(f"Links for {name}", map(_anchor, rows))
    roots = [{"name": name} for name in projects]
    links = (f'<a href="{name}/">{name}</a>' for name in projects)
    made[f"{ROOT}/index.json"] = _json_page({"projects": roots})
    made[f"{ROOT}/index.html"] = _html_page("Simple index", links)
    return made


def _json_page(content: Mapping[str, object]) -> bytes:
    page = {"meta": {"api-version": API_VERSION}, **content}
    return (json.dumps(page, indent=1, ensure_ascii=False) + "\n").encode()


def _project_json(name: str, rows: list[File]) -> dict[str, object]:
    versions = [str(version) for version in sorted({row.version for row in rows})]
    return {"name": name, "versions": versions, "files": [_file_json(row) for row in rows]}


def _file_json(file: File) -> dict[str, object]:
    row: dict[str, object] = {
        "filename": file.filename,
        "url": file.href,
        "hashes": {"sha256": file.sha256},
        "size": file.size,
        "upload-time": file.upload_time,
        "core-metadata": {"sha256": file.metadata_sha256},
        "dist-info-metadata": {"sha256": file.metadata_sha256},  # its first name, which PEP 714 asks for too
        "yanked": False if file.yanked is None else file.yanked or True,
        "_spokeshave": {"verified": file.verified or False},  # keys with `_` are free for the index's use
    }
    if file.requires_python:
        row["requires-python"] = file.requires_python
    return row


def _html_page(title: str, lines: Iterable[str]) -> bytes:
    head = f'<meta charset="utf-8"><meta name="pypi:repository-version" content="{API_VERSION}">'
    body = "\n".join(f"{line}<br>" for line in lines)
    page = f"<!DOCTYPE html>\n<html><head>{head}<title>{title}</title></head><body>\n"
    return f"{page}<h1>{title}</h1>\n{body}\n</body></html>\n".encode()


def _anchor(file: File) -> str:
    attributes = {
        "href": f"{file.href}#sha256={file.sha256}",
        "data-requires-python": file.requires_python or None,
        "data-core-metadata": f"sha256={file.metadata_sha256}",
        "data-dist-info-metadata": f"sha256={file.metadata_sha256}",
        "data-yanked": file.yanked,
        "data-spokeshave-verified": file.verified or "no",
    }
    told = " ".join(f'{key}="{html.escape(text)}"' for key, text in attributes.items() if text is not None)
    notes = [f"{file.size:,} bytes", f"verified: {file.verified}" if file.verified else "not verified"]
    if file.yanked is not None:
        notes.append(f"yanked: {file.yanked}")
    return f"<a {told}>{html.escape(file.filename)}</a> ({html.escape('; '.join(notes))})"
