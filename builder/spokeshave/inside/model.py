"""The frozen nouns that pass from stage to stage. Standard library only: plans are read in containers."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

Kind = Literal["library", "python"]
Backend = Literal["meson-python", "make", "prebuilt"]
CPYTHON = "cpython"
"""The name under which a toolchain's versions have that of CPython."""
LOCAL_IMAGE = "spokeshave-"
"""How the reference of an image begins that we made on this machine."""


def digest_of(value: object) -> str:
    """The sha256 (hex) of a JSON-serialisable value in canonical form."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def bare_text(name: str, text: str) -> str:
    """What a recipe's file says to programs: a patch without its header, other files without comments."""
    if name.endswith(".patch"):
        first = re.search(r"^--- .*\n\+\+\+ ", text, re.MULTILINE)
        return text[first.start() :] if first else text
    lines = (re.sub(r"(^|\s)#.*", "", line).rstrip() for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def file_sha256(path: Path) -> str:
    """The sha256 (hex) of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def local_label(profile: str) -> str:
    """A profile's name as PEP 440 writes it in a version: `my-app_07` is `my.app.7`."""
    parts = re.split(r"[-_]", profile)
    return ".".join(str(int(part)) if part.isdigit() else part for part in parts)


def is_of_profile(version: str, profile: str) -> bool:
    """Whether a wheel's version carries the label of a profile, and not that of one that begins alike."""
    return version.partition("+")[2].rpartition(".")[0] == local_label(profile)


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What a wheel is built for, named as cibuildwheel names it."""

    python: str = "cp311"
    arch: str = "x86_64"
    libc: str = "manylinux"

    @property
    def identifier(self) -> str:
        """For example `cp311-manylinux_x86_64`."""
        return f"{self.python}-{self.platform}"

    @property
    def platform(self) -> str:
        """What is left of the identifier where the Python does not matter: `manylinux_x86_64`."""
        return f"{self.libc}_{self.arch}"

    @property
    def python_version(self) -> str:
        """For example `3.11`."""
        return f"{self.python[2]}.{self.python[3:]}"

    @property
    def pip_platforms(self) -> tuple[str, ...]:
        """Platform tags that the build and run images can install from, newest first."""
        return (
            *(f"manylinux_2_{minor}_{self.arch}" for minor in (31, 28, 27, 24, 17, 12, 5)),
            *(f"manylinux{year}_{self.arch}" for year in ("2014", "2010", "1")),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class LeverSetting:
    """A lever that is on, with the recipe's data for it."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """Compiler flags (without the first dash) for the sources whose absolute path fits a shell pattern.

    `reason` is for people, and part of no key.
    """

    match: str
    level: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Removed:
    """A component that the profile removes: its modules, further files, and which stubs raise late.

    `variants` are folders of the compiled wheel whose files replace those in the folder above.
    """

    component: str
    reason: str
    modules: tuple[str, ...]
    late: tuple[str, ...]
    files: tuple[str, ...]
    variants: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class CompilePlan:
    """All that decides the compiled bytes before trimming.

    `requirements` is the text of the hash-locked build requirements, `flags` holds `c`, `cxx`,
    `fortran`, `link` and `cython`, `files` the recipe's own files by name (text), `libraries` the keys of the
    compiled libraries that this build links. `pgo` is empty for a build without profile-guided
    optimization, `collect` for one that collects profile data, else the sha256 of the PGO profile it uses.
    """

    backend: Backend
    directory: str
    settings: Mapping[str, Any]
    flags: Mapping[str, tuple[str, ...]]
    levels: tuple[Level, ...]
    fixes: tuple[Level, ...]
    requirements: str
    files: Mapping[str, str]
    libraries: Mapping[str, str]
    pgo: str = ""

    def to_key(self) -> dict[str, Any]:
        """The plan as JSON-serialisable data without its prose: reasons, headers of patches, comments."""
        data = asdict(self)
        for row in (*data["levels"], *data["fixes"]):
            del row["reason"]
        data["files"] = {name: bare_text(name, text) for name, text in self.files.items()}
        data["requirements"] = bare_text("requirements.txt", self.requirements)
        return data


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """Where a plan is compiled: engine, build image, and the exact versions of the toolchain in it."""

    engine: Literal["docker", "host"]
    image: str
    image_digest: str
    toolchain: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Whether the versions of the toolchain are known: a local image that is not made yet has none."""
        return bool(self.toolchain) or not self.image.startswith(LOCAL_IMAGE)

    def to_key(self, *, python: bool) -> dict[str, Any]:
        """What compiled bytes depend on; for a library (not `python`), a known toolchain without CPython."""
        if python or not self.toolchain:
            return asdict(self)
        return {"engine": self.engine, "toolchain": {k: v for k, v in self.toolchain.items() if k != CPYTHON}}


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundled:
    """Somebody else's code inside a wheel: its name, version, SPDX id, licence file and source.

    `license_source` (`pypi`, `version`, `sha256`) is the sdist that holds the licence file, where it is
    not the package's own.
    """

    name: str
    version: str
    license: str
    license_file: str
    license_source: Mapping[str, str] | None
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildPlan:
    """A recipe, a profile and a target resolved: everything that a build needs to know.

    `libraries` maps the distribution of each linked library to its exact version; `digest` is the
    store's key for the finished wheel and `compile_key` for the compile that several plans can share.
    Only the first depends on the components that a profile removes. `removal_patches` (text by name) change
    Python files of the compiled wheel. `variants` are all folders of it with files for profiles that remove a
    component. `unlinked` are the symbols that only removed components call: the library is linked again
    without them.
    `grafts` are globs of the libraries that auditwheel may copy into the wheel; `offers` says what a
    library is for, and with which meson options packages link it.
    """

    recipe: str
    kind: Kind
    distribution: str
    import_name: str
    profile: str
    version: str
    build: int
    target: Target
    environment: Environment
    tool: Mapping[str, str]
    source: Mapping[str, str]
    patches: Mapping[str, str]
    compile: CompilePlan
    levers: tuple[LeverSetting, ...]
    removed: tuple[Removed, ...]
    removal_patches: Mapping[str, str]
    variants: tuple[str, ...]
    unlinked: tuple[str, ...]
    libraries: Mapping[str, str]
    sonames: tuple[str, ...]
    grafts: tuple[str, ...]
    offers: Mapping[str, Any]
    bundled: tuple[Bundled, ...]
    budget: int | None

    @property
    def local_version(self) -> str:
        """The version that the wheel carries, for example `2.4.6+lean.1`."""
        return f"{self.version}+{local_label(self.profile)}.{self.build}"

    @property
    def compile_key(self) -> str:
        """The key (sha256 hex) of the untrimmed wheel: source, patches, flags, image and builder code."""
        return digest_of(
            {
                "source": dict(self.source),
                "patches": dict(self.patches),
                "compile": self.compile.to_key(),
                "distribution": self.distribution,
                "version": self.version,
                "target": asdict(self.target) if self.kind == "python" else self.target.arch,
                "environment": self.environment.to_key(python=self.kind == "python"),
                "code": self.tool["compile"],
            }
        )

    @property
    def digest(self) -> str:
        """The key (sha256 hex) of the finished wheel, whose bytes no budget changes."""
        return digest_of({**self._to_key(), "budget": None, "compile_key": self.compile_key})

    @property
    def recipe_digest(self) -> str:
        """The digest (sha256 hex) of what recipe, profile and target say, wherever it is built."""
        data = {key: v for key, v in self._to_key().items() if key not in ("tool", "environment", "budget")}
        del data["compile"]["libraries"]
        return digest_of(data)

    def _to_key(self) -> dict[str, Any]:
        bare = {name: bare_text(name, text) for name, text in self.removal_patches.items()}
        return {**self.to_json(), "compile": self.compile.to_key(), "removal_patches": bare}

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON-serialisable data, without its digests."""
        return asdict(self)


def plan_from_json(data: Mapping[str, Any]) -> BuildPlan:
    """The inverse of `BuildPlan.to_json`."""
    fields = dict(data)
    compile_data = dict(fields["compile"])
    for key in ("levels", "fixes"):
        compile_data[key] = tuple(Level(**row) for row in compile_data[key])
    compile_data["flags"] = {key: tuple(flags) for key, flags in compile_data["flags"].items()}
    return BuildPlan(
        **{
            **fields,
            "target": Target(**fields["target"]),
            "environment": Environment(**fields["environment"]),
            "compile": CompilePlan(**compile_data),
            "levers": tuple(
                LeverSetting(name=row["name"], options={k: tuple(v) for k, v in row["options"].items()})
                for row in fields["levers"]
            ),
            "removed": tuple(Removed(**_tuples(row)) for row in fields["removed"]),
            "variants": tuple(fields["variants"]),
            "unlinked": tuple(fields["unlinked"]),
            "sonames": tuple(fields["sonames"]),
            "grafts": tuple(fields["grafts"]),
            "bundled": tuple(Bundled(**row) for row in fields["bundled"]),
        }
    )


def _tuples(row: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has lists where our values have tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
