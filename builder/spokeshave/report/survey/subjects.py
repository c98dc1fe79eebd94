"""What the argument of `report` is: a folder, a wheelhouse, a zip archive or a container image."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from spokeshave.errors import UsageFault
from spokeshave.report.survey.image_file import read_images
from spokeshave.report.survey.model import File, Subject
from spokeshave.report.survey.unpacking import packed_sizes, refusing, unpack, zip_reader

_ZIP = b"PK\x03\x04"
_TAR_MAGIC, _TAR_MAGIC_AT = b"ustar", 257
_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ\0")
_FORMS = "name a folder, wheelhouse or zip archive, or an image's tar archive (docker save -o image.tar NAME)"


def read_subject(path: Path, scratch: Path) -> tuple[Subject, ...]:
    """What a path holds; a tar archive can hold several images.

    Archives are unpacked into `scratch`. Raises UsageFault for anything else, and UnsafeArchive for an
    archive that is damaged or asks for more than any real one does.
    """
    if path.is_dir():
        return (_folder(path, scratch),)
    if not path.is_file():
        raise UsageFault(f"{path}: no such file or folder", next_step=_FORMS)
    with path.open("rb") as file:
        start = file.read(512)
    with refusing(path):
        if start.startswith(_ZIP):
            return (_zip(path, scratch),)
        if start.startswith(_COMPRESSED) or start[_TAR_MAGIC_AT:].startswith(_TAR_MAGIC):
            return tuple(read_images(path, scratch))
    raise UsageFault(f"{path} is neither a zip nor a tar archive", next_step=_FORMS)


def _folder(path: Path, scratch: Path) -> Subject:
    root = path.resolve()
    title = str(path)
    if (root / "oci-layout").is_file():
        raise UsageFault(
            f"{path} is an OCI image layout in a folder",
            next_step=f"put it into a tar archive (tar -cf image.tar -C {path} .), and name that",
        )
    if (root / "pyvenv.cfg").is_file():
        return Subject(title=title, form="virtual environment", files=tuple(_files(root)))
    wheels = sorted(root.glob("*.whl"))
    if wheels and not any(root.glob("*.dist-info")):
        return Subject(title=title, form="wheelhouse", files=tuple(_wheels(wheels, scratch)))
    return Subject(title=title, form="folder", files=tuple(_files(root)))


def _files(root: Path) -> Iterator[File]:
    """The regular files below a folder, sorted; links are not followed, and hard-linked files count once."""
    seen: set[tuple[int, int]] = set()
    left = [root]
    while left:
        folder = left.pop()
        with os.scandir(folder) as found:
            rows = sorted(found, key=lambda one: one.name)
        left += [Path(row.path) for row in reversed(rows) if row.is_dir(follow_symlinks=False)]
        for row in rows:
            if not row.is_file(follow_symlinks=False):
                continue
            info = row.stat(follow_symlinks=False)
            if info.st_nlink > 1:
                if (info.st_dev, info.st_ino) in seen:
                    continue
                seen.add((info.st_dev, info.st_ino))
            path = Path(row.path)
            yield File(name=path.relative_to(root).as_posix(), size=info.st_size, path=path)


def _wheels(wheels: list[Path], scratch: Path) -> Iterator[File]:
    """The files of all wheels, each wheel in a folder of its name."""
    for number, wheel in enumerate(wheels):
        folder = scratch / f"wheel-{number}"
        folder.mkdir()
        with refusing(wheel):
            for file in _zip(wheel, folder).files:
                yield File(
                    name=f"{wheel.name}/{file.name}", size=file.size, path=file.path, zipped=file.zipped
                )


def _zip(path: Path, scratch: Path) -> Subject:
    _, files = unpack([zip_reader(path)], scratch, whole=True)
    packed = packed_sizes(path)
    return Subject(
        title=str(path),
        form="zip archive",
        files=tuple(
            File(name=file.name, size=file.size, path=file.path, zipped=packed.get(file.name, 0))
            for file in files
        ),
        zipped=path.stat().st_size,
    )
