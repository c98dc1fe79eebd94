"""The arguments of `slim`: wheel files, and requirements of PEP 508; everything else is refused."""

from __future__ import annotations

import lzma
import os
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from spokeshave.errors import SpokeshaveError, UsageFault, WheelError
from spokeshave.inside.model import Target
from spokeshave.inside.wheel import DAMAGE

_SOURCES = ("pyproject.toml", "setup.py", "setup.cfg")  # what marks a folder that a wheel can be built of
_LISTS = (".txt", ".in")
_FILES = (".whl", ".tar.gz", ".zip", ".txt", ".toml")  # no project is called so


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A requirement that applies to the target: what pip is asked for, and its extras (normalized)."""

    text: str
    extras: tuple[str, ...] = ()


def read_word(word: str, target: Target) -> Path | Wanted:
    """The wheel file or the requirement that an argument names.

    Raises WheelError for what is neither, and UsageFault for a requirement whose marker excludes the target.
    """
    if _is_file_name(word):
        if fault := why_no_wheel(Path(word)):
            raise fault
        return Path(word)
    try:
        requirement = Requirement(word)
    except InvalidRequirement as fault:
        raise _no_requirement(word, fault) from fault
    if requirement.url:
        raise _address(word, requirement.url)
    try:
        applies = requirement.marker is None or requirement.marker.evaluate(target_environment(target))
    except ValueError as fault:  # packaging's UndefinedComparison, UndefinedEnvironmentName
        raise _no_requirement(word, fault) from fault
    if not applies:
        raise UsageFault(
            f"{word!r} does not apply to {target.identifier}: its marker is false there",
            next_step="omit it, change the marker, or name another Python with --python",
        )
    extras = sorted(canonicalize_name(name) for name in requirement.extras)
    return Wanted(text=f"{requirement.name}{requirement.specifier}", extras=tuple(extras))


def read_extra(word: str) -> str:
    """A requirement that the check installs too, as pip takes it; raises ValueError for anything else."""
    try:
        requirement = Requirement(word)
    except InvalidRequirement as fault:
        raise ValueError(
            f"{word!r} is no requirement: {_first_line(fault)}; give a name and a version, such as"
            " lxml==6.0.0 (pip's own options are set in its environment variables: PIP_INDEX_URL)"
        ) from fault
    if requirement.url:
        raise ValueError(
            f"{word!r} names an address; put the wheel into a folder, name that folder in PIP_FIND_LINKS,"
            f" and give {requirement.name}==VERSION"
        )
    if requirement.marker and not requirement.marker.evaluate():
        raise ValueError(f"{word!r} does not apply to this Python: its marker is false; omit it")
    return str(requirement)


def _is_file_name(word: str) -> bool:
    """Whether an argument names a file or a folder rather than a requirement."""
    here = word in (os.curdir, os.pardir)
    looks_so = "://" not in word and (here or word.endswith(_FILES) or os.sep in word)
    return looks_so or Path(word).is_file()


def why_no_wheel(path: Path) -> WheelError | None:
    """The error for a path that is no wheel file, which says what it is; nothing where it may be one."""
    if path.is_dir():
        return _folder(path)
    if not path.is_file():
        return WheelError(f"{path}: no such file", next_step="name a wheel, or a requirement: lxml==6.0.0")
    return None if path.suffix == ".whl" else _other_file(path)


def _other_file(path: Path) -> WheelError:
    if _has_member(path, ".dist-info/WHEEL"):
        return WheelError(
            f"{path} is a wheel under another name: {path.name!r} is not a wheel's file name",
            next_step="give the file the name that its project gave it",
        )
    if _has_member(path, "PKG-INFO"):
        return WheelError(
            f"{path} is an sdist, not a wheel",
            next_step=f"build a wheel of it (`pip wheel --no-deps {path}`), and name that",
        )
    if path.name in _SOURCES:
        return _folder(path.parent)
    if path.suffix in _LISTS or path.name.startswith("pylock."):
        return WheelError(
            f"{path} is a list of requirements, not a wheel",
            next_step=f"name the requirements themselves, or fetch their wheels (`pip download -r {path}"
            " --only-binary :all: --dest DIR`), and name DIR/*.whl",
        )
    return WheelError(
        f"{path} is not a wheel: {path.name!r} is not a wheel's file name",
        next_step="name a file that ends in .whl, or a requirement such as lxml==6.0.0",
    )


def _folder(path: Path) -> WheelError:
    if any((path / name).is_file() for name in _SOURCES):
        next_step = f"build a wheel of it (`pip wheel --no-deps {path}`), and name that"
        return WheelError(f"{path} is a folder of sources, not a wheel", next_step=next_step)
    if any(path.glob("*.dist-info")):
        next_step = f"pack it (`wheel pack {path}`), and name the wheel"
        return WheelError(f"{path} is an unpacked wheel or an installation, not a wheel", next_step=next_step)
    if any(path.glob("*.whl")):
        return WheelError(
            f"{path} is a folder, not a wheel", next_step=f"name the wheels in it: {path / '*.whl'}"
        )
    return WheelError(f"{path} is a folder, not a wheel", next_step="name a wheel, or a requirement")


def _has_member(path: Path, ending: str) -> bool:
    """Whether a zip or tar archive has a file in its first folder whose name ends so."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
        elif tarfile.is_tarfile(path):
            with tarfile.open(path) as tar:
                names = tar.getnames()
        else:
            return False
    except (*DAMAGE, tarfile.TarError, lzma.LZMAError, OSError):
        return False
    return any(name.endswith(ending) and name.count("/") == 1 for name in names)


def _no_requirement(word: str, fault: ValueError) -> SpokeshaveError:
    if "://" in word:
        return _address(word, word)
    return WheelError(
        f"{word!r} is neither a file nor a requirement: {_first_line(fault)}",
        next_step="name a wheel file, or a requirement such as lxml==6.0.0",
    )


def _address(word: str, url: str) -> WheelError:
    is_wheel = url.partition("#")[0].endswith(".whl")
    action, verb = ("fetch the wheel", "download") if is_wheel else ("build a wheel of it", "wheel")
    return WheelError(
        f"{word!r} names an address, and slim takes files and names",
        next_step=f"{action} (`pip {verb} --no-deps '{url}'`), and name its file",
    )


def _first_line(fault: Exception) -> str:
    return str(fault).splitlines()[0]


def target_environment(target: Target) -> dict[str, str]:
    """The markers of a target: pip would evaluate them for the Python that it runs in."""
    same = f"cp{sys.version_info[0]}{sys.version_info[1]}" == target.python
    here = ".".join(map(str, sys.version_info[:3]))
    full = here if same else f"{target.python_version}.0"
    return {
        "extra": "",
        "implementation_name": "cpython",
        "implementation_version": full,
        "os_name": "posix",
        "platform_machine": target.arch,
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": full,
        "python_version": target.python_version,
        "sys_platform": "linux",
    }
