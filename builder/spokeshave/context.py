"""What every stage works with, and what the user asked for; both made by the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from spokeshave.inside.model import Target
from spokeshave.inside.run import Runner
from spokeshave.machine.containers import Containers
from spokeshave.machine.progress import Reporter
from spokeshave.machine.store import Store
from spokeshave.recipes.book import RecipeBook

EngineName = Literal["auto", "docker", "host"]
ImageMode = Literal["auto", "local", "registry"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """What every stage works with; made once by the command line.

    `environ` is the user's environment, `cpus` the number of CPUs that this process may use.
    """

    book: RecipeBook
    store: Store
    runner: Runner
    reporter: Reporter
    logs: Path
    environ: Mapping[str, str]
    cpus: int
    image_mode: ImageMode = "auto"

    @property
    def containers(self) -> Containers:
        return Containers(runner=self.runner, logs=self.logs)


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What the user asked to build; `trained` is whether PGO profiles that fit are used."""

    packages: tuple[str, ...]
    profile: str
    target: Target
    engine: EngineName = "auto"
    without: frozenset[str] = frozenset()
    trained: bool = True
