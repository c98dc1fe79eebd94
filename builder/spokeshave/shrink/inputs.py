"""What users have: requirements, a project, a lock, an environment; tools read their own formats."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Literal

from packaging.pylock import is_valid_pylock_path
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from spokeshave.errors import UsageFault

Kind = Literal["requirements", "pyproject.toml", "pylock.toml", "uv.lock", "poetry.lock", "environment"]
_NAMED: dict[str, Kind] = {
    "pyproject.toml": "pyproject.toml",
    "uv.lock": "uv.lock",
    "poetry.lock": "poetry.lock",
}
_LISTS = (".txt", ".in")
_TAKES = (
    "requirements.txt, pyproject.toml, pylock.toml, uv.lock, poetry.lock, the folder of an environment,"
    " or requirements such as lxml==6.0.0"
)
_INSTALLERS = frozenset({"pip", "uv"})  # an environment has them to be filled, not to run
_HASH = re.compile(r"--hash[= ]sha256:([0-9a-f]{64})\b")
_INCLUDE = re.compile(r"^\s*(?:-r|--requirement)[ =]?\s*(\S+)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Inputs:
    """One kind of input: its files, and requirements that were given as words (of `requirements` alone)."""

    kind: Kind
    paths: tuple[Path, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """The only file or folder of a kind that is given alone."""
        return self.paths[0]


def read_inputs(given: Sequence[str]) -> Inputs:
    """Sorts the arguments; raises UsageFault for what is no input, and for a lock with other arguments."""
    found = [(word, _kind(word)) for word in given]
    kinds = {kind for _, kind in found}
    if len(found) > 1 and kinds != {"requirements"}:
        alone = next(word for word, kind in found if kind != "requirements")
        raise UsageFault(
            f"{alone} names all of its packages, and cannot be combined with other arguments",
            next_step="give it alone; requirements files and requirements can be combined",
        )
    ((kind),) = kinds
    paths = tuple(Path(word) for word, _ in found if Path(word).exists())
    return Inputs(kind=kind, paths=paths, words=tuple(w for w, _ in found if not Path(w).exists()))


def _kind(word: str) -> Kind:
    path = Path(word)
    if path.is_dir():
        return _kind_of_folder(path)
    if path.is_file():
        if kind := _NAMED.get(path.name):
            return kind
        if is_valid_pylock_path(path):
            return "pylock.toml"
        if path.suffix in _LISTS:
            return "requirements"
        raise UsageFault(f"{path} is no list of requirements and no lock", next_step=f"name {_TAKES}")
    try:
        requirement = Requirement(word)
    except InvalidRequirement as fault:
        raise UsageFault(
            f"{word!r} is neither a file nor a requirement", next_step=f"name {_TAKES}"
        ) from fault
    if word.endswith((*_LISTS, ".toml", ".lock")) and not requirement.specifier:
        raise UsageFault(f"{word}: no such file", next_step=f"name {_TAKES}")
    return "requirements"


def _kind_of_folder(path: Path) -> Kind:
    if site_folders(path):
        return "environment"
    project = next(
        (name for name in ("uv.lock", "poetry.lock", "pyproject.toml") if (path / name).is_file()), ""
    )
    raise UsageFault(
        f"{path} is a folder without installed packages",
        next_step=f"name {path / project}" if project else f"name {_TAKES}",
    )


def site_folders(path: Path) -> tuple[Path, ...]:
    """The folders of packages in an environment: of a venv, of a prefix, or the folder itself."""
    below = (*path.glob("lib/python3*/site-packages"), *path.glob("lib/python3*/dist-packages"))
    places = (path, *sorted(below), *path.glob("lib/python3/dist-packages"))
    return tuple(one for one in places if any(one.glob("*.dist-info/METADATA")))


def python_of(path: Path) -> str:
    """The tag of an environment's Python, such as cp312; empty where its folders do not say."""
    config = path / "pyvenv.cfg"
    text = config.read_text("utf-8") if config.is_file() else ""
    found = re.search(r"^version(?:_info)?\s*=\s*3\.(\d+)", text, re.MULTILINE)
    found = found or re.search(r"python3\.(\d+)", "/".join(map(str, site_folders(path))))
    return f"cp3{found[1]}" if found else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """The pins of an environment (NAME==VERSION), and its projects that no index has, with the reason."""

    pins: tuple[str, ...]
    left: tuple[tuple[str, str, str], ...]


def read_environment(path: Path, labels: Sequence[str]) -> Installed:
    """Reads what is installed; a local version of ours (`+LABEL.N`, LABEL one of `labels`) is removed."""
    ours = re.compile(rf"\+(?:(.+)\.)?(?:{'|'.join(map(re.escape, labels))})\.\d+$")
    pins, left = {}, []
    for one in _distributions(path):
        name = canonicalize_name(one.name)
        if name in _INSTALLERS:
            continue
        if (one.read_text("direct_url.json") or "").find('"dir_info"') >= 0:
            left.append((name, one.version, "installed from a folder"))
            continue
        version = ours.sub(lambda found: f"+{found[1]}" if found[1] else "", one.version)
        pins[name] = f"{name}=={version}"
    return Installed(pins=tuple(pins[name] for name in sorted(pins)), left=tuple(sorted(left)))


def _distributions(path: Path) -> Iterator[Distribution]:
    yield from distributions(path=[str(folder) for folder in site_folders(path)])


def pinned_hashes(paths: Sequence[Path]) -> frozenset[str]:
    """All sha256 (hex) that requirements files pin, in the files that they include with -r too."""
    found: set[str] = set()
    left, seen = list(paths), set()
    while left:
        path = left.pop().resolve()
        if path in seen or not path.is_file():
            continue
        seen.add(path)
        text = path.read_text("utf-8", "replace")
        found |= set(_HASH.findall(text))
        left += [path.parent / name for name in _INCLUDE.findall(text)]
    return frozenset(found)


def running_tag() -> str:
    """The tag of the running Python, such as cp311."""
    return f"cp{sys.version_info[0]}{sys.version_info[1]}"
