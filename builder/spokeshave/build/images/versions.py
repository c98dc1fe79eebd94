"""The exact versions of a local image's toolchain: compilers, linkers, libc and CPython.

They are read from what mmdebstrap and apt delivered, and kept as a label of the image.
"""

from __future__ import annotations

import re
import tarfile
from email.parser import Parser
from pathlib import Path
from urllib.parse import unquote

from spokeshave.build.images.model import Kind
from spokeshave.inside.model import CPYTHON

LABEL = "spokeshave.toolchain"
"""The image's label: a JSON object of names and versions."""

_COMPILERS = r"(gcc|g\+\+|gfortran)-\d+|binutils|binutils-gold"
_RUN = r"libc6|libstdc\+\+6|python3\.\d+"
_INSTALLED: dict[Kind, str] = {  # wheels are linked with the old libc, not with the build image's own
    "build": _COMPILERS,
    "run": _RUN,
    "run-compiler": f"{_COMPILERS}|{_RUN}",
}
_STATUS = ("./var/lib/dpkg/status", "var/lib/dpkg/status")
_EXTRACTED = re.compile(r"libc6-dev|libstdc\+\+-\d+-dev|libgcc-s1|libgomp1")


def installed(kind: Kind, root: Path) -> dict[str, str]:
    """The versions of the Debian packages that matter to a kind of image, by package name; `root` is its tar.

    Raises KeyError where the root has no list of installed packages.
    """
    with tarfile.open(root) as tar:
        names = [name for name in _STATUS if name in tar.getnames()]
        stream = tar.extractfile(names[0]) if names else None
        if stream is None:
            raise KeyError(f"{root.name} has no {_STATUS[0]}")
        text = stream.read().decode()
    rows = (Parser().parsestr(part, headersonly=True) for part in text.split("\n\n") if part.strip())
    wanted = re.compile(_INSTALLED[kind])
    return {row["Package"]: row["Version"] for row in rows if wanted.fullmatch(row["Package"])}


def extracted(listing: str) -> dict[str, str]:
    """The versions of the old libc and run-times, by package name, from a listing of apt's archive folder."""
    found = {}
    for line in listing.splitlines():
        if not line.endswith(".deb"):
            continue
        package, version, _ = unquote(line).split("_")
        if _EXTRACTED.fullmatch(package):
            found[package] = version
    return found


def cpython(source: Path) -> dict[str, str]:
    """The version of a CPython source archive (a tar file), from the name of its folder."""
    with tarfile.open(source) as tar:
        first = tar.next()
    name, _, version = (first.name if first else "").partition("/")[0].partition("-")
    if name != "Python" or not version:
        raise ValueError(f"{source.name} is no source archive of CPython")
    return {CPYTHON: version}
