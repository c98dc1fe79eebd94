"""The size of a wheel: its file, its content by kind of file, and the bytecode that an install adds."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from spokeshave.inside.bytecode import can_compile_for, compiled_bytes

KINDS = ("tests", "bundled libraries", "ext modules", "Python", "type stubs", "headers, sources", "other")
_SOURCES = (".h", ".hpp", ".a", ".pxd", ".pyx", ".c", ".cpp", ".f", ".f90")

OnFile = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class FileSize:
    """One file of a wheel, in bytes: unpacked, as packed into the wheel, and its bytecode.

    `bytecode` is None where it was not measured, and 0 for a file that gets none.
    """

    name: str
    size: int
    packed: int
    bytecode: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sizes:
    """Bytes of one wheel: the file, its content unpacked, the content by kind of file, its bytecode.

    `unpacked` and `kinds` are without bytecode; `bytecode` is None where it was not measured.
    """

    name: str
    wheel: int
    unpacked: int
    bytecode: int | None
    kinds: Mapping[str, int]
    files: tuple[FileSize, ...]


def kind_of(name: str) -> str:
    """The kind of file that a name in a wheel stands for."""
    if "/tests/" in name:
        return "tests"
    if ".libs/" in name or ("/lib/lib" in name and ".so" in name):
        return "bundled libraries"
    if name.endswith(".so"):
        return "ext modules"
    if name.endswith(".pyi") or name.endswith("py.typed"):
        return "type stubs"
    if name.endswith(".py"):
        return "Python"
    return "headers, sources" if name.endswith(_SOURCES) else "other"


def by_kind(files: Mapping[str, int]) -> dict[str, int]:
    """Bytes by kind of file, in the order of `KINDS`, of files given as name to bytes."""
    kinds = dict.fromkeys(KINDS, 0)
    for name, size in files.items():
        kinds[kind_of(name)] += size
    return kinds


def sizes(path: Path, python: str = "", on_file: OnFile = lambda name: None) -> Sizes:
    """Measures a wheel; nothing is unpacked.

    `python` is the target's tag (`cp311`): under another Python than that one, or without a tag, bytecode
    is not measured, which is what takes time.
    `on_file` hears the name of each file, for progress.
    """
    files = []
    compiles = can_compile_for(python)
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            on_file(info.filename)
            bytecode: int | None = 0
            if info.filename.endswith(".py"):
                bytecode = compiled_bytes(archive.read(info), info.filename) if compiles else None
            files.append(
                FileSize(
                    name=info.filename, size=info.file_size, packed=info.compress_size, bytecode=bytecode
                )
            )
    return Sizes(
        name=path.name,
        wheel=path.stat().st_size,
        unpacked=sum(file.size for file in files),
        bytecode=sum_known(file.bytecode for file in files),
        kinds=by_kind({file.name: file.size for file in files}),
        files=tuple(files),
    )


def sum_known(values: Iterable[int | None]) -> int | None:
    """The sum; None where one of the values is not known."""
    known = list(values)
    return None if None in known else sum(value for value in known if value is not None)
