"""What an engine is: the place where a plan is compiled and finished."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from spokeshave.model import BuildPlan, Environment


class Engine(Protocol):
    """Compiles and finishes wheels in one kind of place."""

    @property
    def environment(self) -> Environment:
        """What the plan records of this engine."""
        ...

    def compile(self, plan: BuildPlan, work: Path, output: Path, log: Path) -> None:
        """Compiles `work` (see kit.py); leaves the untrimmed wheel in `output`.

        Raises BuildError with the log's path.
        """
        ...

    def finish(self, plan: BuildPlan, work: Path, raw: Path, output: Path, log: Path) -> None:
        """Trims and repairs a compiled wheel; leaves in `output` the wheel, its tests archive, record.json.

        Raises BuildError with the log's path.
        """
        ...
