"""What is there more than once: files with the same content, and BLAS and OpenMP libraries."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from spokeshave.report.survey.model import Duplicates, File, Library, printable

_CHUNK = 1024 * 1024
# By file name, as their projects, PyPI's wheels and Debian call them.
_FAMILIES: Mapping[str, Mapping[str, re.Pattern[str]]] = {
    "BLAS": {
        "OpenBLAS": re.compile(r"^lib(?:scipy_)?openblas[\w-]*[.-].*"),
        "MKL": re.compile(r"^libmkl_\w+\.so"),
        "BLIS": re.compile(r"^libblis[\w-]*\.so"),
        "reference BLAS": re.compile(r"^lib(?:c?blas|lapacke?)(?:-[0-9a-f]+)?\.so"),
    },
    "OpenMP": {
        "GNU OpenMP": re.compile(r"^libgomp[\w-]*\.so"),
        "LLVM OpenMP": re.compile(r"^libomp[\w-]*\.so"),
        "Intel OpenMP": re.compile(r"^libiomp5[\w-]*\.so"),
    },
}
_LIBRARY = re.compile(r"\.so(?:\.|$)")


def hash_files(files: Iterable[File]) -> dict[str, str]:
    """The sha256 (hex) of each file that can be read, by its path in the subject."""
    found = {}
    for file in files:
        if file.path is not None:
            digest = hashlib.sha256()
            with file.path.open("rb") as stream:
                while data := stream.read(_CHUNK):
                    digest.update(data)
            found[file.name] = digest.hexdigest()
    return found


def duplicates(files: Iterable[File], hashes: Mapping[str, str]) -> tuple[Duplicates, ...]:
    """Files with the same content, those that waste most first; empty files are none."""
    same: dict[str, list[File]] = defaultdict(list)
    for file in files:
        if file.size and file.name in hashes:
            same[hashes[file.name]].append(file)
    found = [
        Duplicates(size=its[0].size, names=tuple(sorted(file.name for file in its)))
        for its in same.values()
        if len(its) > 1
    ]
    return tuple(sorted(found, key=lambda one: (-one.wasted, one.names)))


def libraries(files: Iterable[File], kind: str) -> tuple[Library, ...]:
    """The libraries of a kind (BLAS, OpenMP), the largest one first."""
    found = []
    for file in files:
        base = file.name.rpartition("/")[2]
        if not _LIBRARY.search(base):
            continue
        family = next((name for name, pattern in _FAMILIES[kind].items() if pattern.match(base)), None)
        if family:
            found.append(Library(family=family, name=file.name, size=file.size))
    return tuple(sorted(found, key=lambda one: (-one.size, printable(one.name))))
