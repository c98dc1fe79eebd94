"""The nouns of shrinking: the request, the picked wheels, and what became of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from packaging.utils import NormalizedName
from packaging.version import Version

from spokeshave.inside.model import Target
from spokeshave.slim.knowledge import Knowledge
from spokeshave.slim.model import NOTHING, Excused, Settings

Tier = Literal["built", "recipe", "rules", "slim", "as it is", "not included"]
"""Where a wheel of the index comes from, best first.

`built` is compiled from a recipe, `recipe` is PyPI's wheel with the recipe's knowledge applied, `rules` with
a package's rules, `slim` with the general levers. `not included` are requirements without a wheel.
"""

Resolver = Literal["auto", "uv", "pip"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pick:
    """A PyPI wheel of the target: its names, where it is (`url`, or `path` here), its sha256 (hex)."""

    project: NormalizedName
    version: Version
    filename: str
    sha256: str
    url: str = ""
    path: Path | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Left:
    """A requirement that no index offers a wheel of, and why: a repository, a folder, an sdist."""

    project: NormalizedName
    version: str
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolved:
    """The wheels of an install, by project, and the requirements without one; `by` names the resolver."""

    picks: tuple[Pick, ...]
    left: tuple[Left, ...] = ()
    by: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """A wheel of the index: PyPI's (`stock`) and the one that replaces it, which may be the same file.

    Sizes are in bytes, unpacked, without bytecode. `record` is the method's record: the bytes saved by lever.
    `gone` are files of PyPI's wheel that the slim one lacks on purpose. `extra` marks a wheel that PyPI's set
    does not have, such as a shared BLAS; `requires` names the projects of those that a wheel needs.
    `level` is that of an earlier verification. `excused` are differences of imports that removals explain.
    """

    pick: Pick
    stock: Path
    wheel: Path
    sha256: str
    tier: Tier
    why: str
    before: int
    after: int
    record: Mapping[str, Any] = field(default_factory=dict, repr=False)
    gone: tuple[str, ...] = field(default=(), repr=False)
    excused: Excused = NOTHING
    extra: bool = False
    requires: tuple[str, ...] = ()
    level: str | None = None

    @property
    def changed(self) -> bool:
        """Whether it is another wheel than PyPI's."""
        return self.extra or self.sha256 != self.pick.sha256


@dataclass(frozen=True, kw_only=True, slots=True)
class ShrinkRequest:
    """What the user asked for.

    `inputs` are files, folders or requirements as given; `extras` and `groups` select optional parts of a
    project. `sources` are folders and indexes with wheels that spokeshave built. `with_` are requirements of
    the tests, `tests` the arguments of a pytest command, if the application's tests run too. `untouched` are
    projects whose wheels are kept as they are. `knowledge` says which recipes and which BLAS may act on
    PyPI's wheels; with `built` false, no other wheels of ours are used.
    """

    inputs: tuple[str, ...]
    target: Target
    settings: Settings
    output: Path
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    resolver: Resolver = "auto"
    sources: tuple[str, ...] = ()
    knowledge: Knowledge = field(default_factory=Knowledge)
    profile: str = "lean"
    built: bool = True
    build: bool = False
    check: bool = True
    tests: tuple[str, ...] | None = None
    with_: tuple[str, ...] = ()
    untouched: frozenset[str] = frozenset()
