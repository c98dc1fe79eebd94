"""The context of every stage, and the user's request; the command line makes both."""

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
    """Recipes, store, reporter and machine; the command line makes one for all stages.

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
    """The wheels to build, as the user asked for them; `trained`: with PGO profiles that fit."""

    packages: tuple[str, ...]
    profile: str
    target: Target
    engine: EngineName = "auto"
    without: frozenset[str] = frozenset()
    trained: bool = True
