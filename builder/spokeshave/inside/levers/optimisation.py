"""Optimisation level by part: cold code small, hot loops as fast as upstream builds them.

The levels themselves are the recipe's (`build.level`, `build.levels`); the plan reads them where this
lever is on and takes upstream's level for everything where it is off.
"""

from __future__ import annotations

from spokeshave.inside.levers.lever import Lever

LEVER = Lever(name="optimisation", summary="optimisation level by part (cold code small)")
