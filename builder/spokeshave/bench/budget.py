"""The time budget of a comparison."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """A phase's time: its start on the monotonic clock, and the seconds that it may take."""

    started: float
    seconds: float

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.started

    def spent(self, share: float) -> bool:
        """Whether that share of the budget is used up."""
        return self.elapsed > share * self.seconds

    def next(self, share: float) -> Budget:
        """The budget of the next phase: the remaining time, but at least that share of the seconds."""
        left = self.seconds - self.elapsed
        return Budget(started=time.monotonic(), seconds=max(left, share * self.seconds))
