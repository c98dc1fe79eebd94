"""What an engine is: it compiles and finishes a plan, in a container or on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from spokeshave.inside.model import BuildPlan, Environment


class Engine(Protocol):
    """Compiles and finishes wheels in one kind of environment."""

    @property
    def environment(self) -> Environment:
        """What the plan records of this engine."""
        ...

    def compile(self, plan: BuildPlan, work: Path, output: Path, log: Path) -> tuple[str, ...]:
        """Compiles `work` (see build/workdir.py); leaves the untrimmed wheel in `output`.

        Returns the patterns of the plan that no compiled source fits.
        Raises BuildError with the log's path.
        """
        ...

    def finish(self, plan: BuildPlan, work: Path, raw: Path, output: Path, log: Path) -> tuple[str, ...]:
        """Trims and repairs a compiled wheel; leaves in `output` the wheel, its tests archive, record.json.

        Returns the patterns of the plan that no file of the compiled wheel fits.
        Raises BuildError with the log's path.
        """
        ...
