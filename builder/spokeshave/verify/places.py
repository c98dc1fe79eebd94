"""Clean places to prove wheels in: a new container without network, or a venv on this machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from spokeshave.inside.model import Target, digest_of
from spokeshave.inside.run import Command, Finished, Runner, clean_environment
from spokeshave.machine.containers import Containers
from spokeshave.machine.toolchain import find_python


class Place(Protocol):
    """Runs the prover once, on a kit folder, and leaves its results in the output folder."""

    @property
    def digest(self) -> str:
        """What the results depend on, beside the kit: an image, or this machine's Python."""
        ...

    def prove(self, kit: Path, output: Path, log: Path) -> Finished: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class ContainerPlace:
    """A new container of a run image: no compiler cache, no build tree, no network."""

    image: str
    digest: str
    containers: Containers
    on_line: Callable[[str], None]

    def prove(self, kit: Path, output: Path, log: Path) -> Finished:
        """See `Place`."""
        return self.containers.run(
            image=self.image,
            folders={kit: "/kit"},
            argv=("python3", "-m", "spokeshave.inside.prover", "--kit", "/kit", "--output", "/output"),
            collect={"/output": output},
            log=log,
            on_line=self.on_line,
            env={"PYTHONPATH": "/kit/code", "PYTHONUNBUFFERED": "1"},
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class HostPlace:
    """A venv on this machine, without our environment's variables."""

    target: Target
    path: str
    runner: Runner
    on_line: Callable[[str], None]

    @property
    def digest(self) -> str:
        """The interpreter that the venv is made with."""
        return digest_of(["host", find_python(self.target), sys.version])

    def prove(self, kit: Path, output: Path, log: Path) -> Finished:
        """See `Place`."""
        argv = (find_python(self.target), "-m", "spokeshave.inside.prover", "--kit", str(kit))
        where = ("--output", str(output), "--place", str(kit.parent / f"{kit.name}-place"))
        env = clean_environment(kit, path=self.path, PYTHONPATH=str(kit / "code"), PYTHONUNBUFFERED="1")
        return self.runner(Command(argv=(*argv, *where), cwd=kit, env=env, log=log, on_line=self.on_line))
