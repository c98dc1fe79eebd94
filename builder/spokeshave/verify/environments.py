"""Test environments for wheels: a new container without network, or a venv on this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from spokeshave.inside.model import Target, digest_of
from spokeshave.inside.run import Command, Finished, Runner, clean_environment
from spokeshave.machine.containers import Containers
from spokeshave.machine.toolchain import find_python, host_python


class VerifyEnvironment(Protocol):
    """Runs one job: a folder with wheels, test requirements and `job.json`."""

    @property
    def digest(self) -> str:
        """What the results depend on, apart from the job: an image, or this machine's Python."""
        ...

    def run_job(self, folder: Path, output: Path, log: Path) -> Finished:
        """Runs the job once; its results are then in the output folder."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class ContainerEnvironment:
    """A new container of a run image: no compiler cache, no build tree, no network."""

    image: str
    digest: str
    containers: Containers
    on_line: Callable[[str], None]

    def run_job(self, folder: Path, output: Path, log: Path) -> Finished:
        """See `VerifyEnvironment`."""
        return self.containers.run(
            image=self.image,
            folders={folder: "/kit"},
            argv=("python3", "-m", "spokeshave.inside.prover", "--kit", "/kit", "--output", "/output"),
            collect={"/output": output},
            log=log,
            on_line=self.on_line,
            env={"PYTHONPATH": "/kit/code", "PYTHONUNBUFFERED": "1"},
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class HostEnvironment:
    """A venv on this machine, without the variables of the user's environment."""

    target: Target
    path: str
    runner: Runner
    on_line: Callable[[str], None]

    @property
    def digest(self) -> str:
        """What the interpreter of the venv is, wherever it is."""
        return digest_of(["host", host_python(self.target).identity])

    def run_job(self, folder: Path, output: Path, log: Path) -> Finished:
        """See `VerifyEnvironment`."""
        argv = (find_python(self.target), "-m", "spokeshave.inside.prover", "--kit", str(folder))
        where = ("--output", str(output), "--place", str(folder.parent / f"{folder.name}-place"))
        env = clean_environment(folder, path=self.path, PYTHONPATH=str(folder / "code"), PYTHONUNBUFFERED="1")
        return self.runner(Command(argv=(*argv, *where), cwd=folder, env=env, log=log, on_line=self.on_line))
