"""PyPI's wheels that ours are compared with: pinned by recipes, fetched once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spokeshave.context import Context
from spokeshave.inside.model import Target
from spokeshave.recipes.book import Loaded
from spokeshave.recipes.select import pick_version
from spokeshave.sources.fetch import fetch_wheel


@dataclass(frozen=True, kw_only=True, slots=True)
class StockPin:
    """A PyPI wheel: distribution, version and sha256 (hex)."""

    distribution: str
    version: str
    sha256: str


def stock_pin(loaded: Loaded, target: Target, version: str | None) -> StockPin | None:
    """The PyPI wheel of a version, or of the newest one; None where the recipe pins none for the target."""
    row = pick_version(loaded.recipe, target.python_version, version)
    sha256 = row.stock.get(target.identifier)
    if sha256 is None:
        return None
    return StockPin(distribution=loaded.recipe.distribution, version=row.version, sha256=sha256)


def stock_wheel(context: Context, pin: StockPin, target: Target) -> Path:
    """A PyPI wheel, from the store or the index."""
    source = {"pypi": pin.distribution, "version": pin.version, "sha256": pin.sha256}
    return fetch_wheel(context, source, target)
