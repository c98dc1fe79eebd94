"""Where Python packages are: the folders that pip installs into, by the names of files alone."""

from __future__ import annotations

import re
from collections.abc import Iterable

METADATA = re.compile(r"^(?:(?P<site>.*)/)?(?P<info>[^/]+\.(?:dist-info|egg-info))/(?:METADATA|PKG-INFO)$")
_NAMED = ("site-packages", "dist-packages")
_PYTHON = re.compile(r"(?:^|/)python(\d+\.\d+)(?:/|$)")
_TAGGED = re.compile(r"\.cpython-(\d)(\d+)(?:-|\.|$)")


def find_sites(names: Iterable[str]) -> tuple[str, ...]:
    """The folders with packages, sorted: those with metadata, and those called site- or dist-packages.

    A folder inside of another one counts only if it is called so: setuptools and pip have vendored packages
    with metadata. An empty name is the root.
    """
    found: set[str] = set()
    for name in names:
        if (match := METADATA.match(name)) is not None:
            found.add(match["site"] or "")
        for folder in _NAMED:
            head, middle, _ = f"/{name}".partition(f"/{folder}/")
            if middle:
                found.add(f"{head}/{folder}".removeprefix("/"))
    return tuple(sorted(site for site in found if _is_outer(site, found)))


def _is_outer(site: str, found: set[str]) -> bool:
    if site.rpartition("/")[2] in _NAMED:
        return True
    parts = site.split("/")
    above = {"/".join(parts[:count]) for count in range(len(parts))} if site else set()
    return not above & found


def site_of(name: str, sites: frozenset[str]) -> str | None:
    """The innermost folder of packages that a file is in; None for a file outside of all."""
    folder = name
    while folder:
        folder = folder.rpartition("/")[0]
        if folder in sites:
            return folder
    return None


def python_of(site: str, names: Iterable[str]) -> str:
    """The version of the Python that a folder of packages is for, such as `3.11`; empty if unknown.

    The folder's path names it, or the compiled modules in it do.
    """
    if match := _PYTHON.search(site):
        return match[1]
    tagged = (_TAGGED.search(name) for name in names)
    versions = {f"{match[1]}.{match[2]}" for match in tagged if match}
    return versions.pop() if len(versions) == 1 else ""
