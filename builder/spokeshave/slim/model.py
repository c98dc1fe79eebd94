"""The nouns of slimming: the settings, the PyPI wheel, the slim wheel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from packaging.version import Version

from spokeshave.inside.sizes import Sizes
from spokeshave.inside.wheel import WheelName

RULES = "rules"  # those of the package, in recipes/rules
DEFAULT_LEVERS = (RULES, "tests", "typing", "sources", "headers", "symbols")
ON_REQUEST = ("docstrings", "comments", "indentation")


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Which levers act, globs of files that none of them touches, and the last number of the version.

    `drop_signature` allows the removal of RECORD's signature, which does not fit a changed wheel. `remove`
    names components of the rules (`kubernetes/aio`); `locales` are those to keep, all of them if empty.
    """

    levers: tuple[str, ...] = DEFAULT_LEVERS
    keep: tuple[str, ...] = ()
    build: int = 1
    drop_signature: bool = False
    remove: tuple[str, ...] = ()
    locales: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Stock:
    """A PyPI wheel that was checked: its file, its names and its sha256 (hex).

    `project` is the name in METADATA; `signatures` are the members that sign RECORD; `extras` (normalized)
    are those whose requirements the check installs.
    """

    path: Path
    name: WheelName
    project: str
    version: Version
    sha256: str
    signatures: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()

    def slim_version(self, build: int) -> str:
        """The version with our local label: `1.2.3+slim.1`, or `1.2.3+cpu.slim.1` where there is one."""
        return f"{self.version}{'.' if self.version.local else '+'}slim.{build}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Saving:
    """The bytes (unpacked) that one lever saved, the number of files that it changed, and notes on kept ones.

    `folders` are the outermost folders that it emptied, by their names in the PyPI wheel.
    """

    lever: str
    saved: int
    files: int
    notes: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()

    def to_json(self) -> Mapping[str, object]:
        """The row in the record of the wheel."""
        return {
            "name": self.lever,
            "saved": self.saved,
            "files": self.files,
            "folders": list(self.folders),
            "notes": list(self.notes),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Slimmed:
    """A slim wheel, the PyPI wheel that it was made of, and the bytes that each lever saved.

    `gone` are the removed files, by their names in the PyPI wheel. `lost` are globs of modules and names
    that removed components take along: that ours lacks these is no fault.
    """

    stock: Stock
    wheel: Path
    sha256: str
    settings: Settings
    before: Sizes
    after: Sizes
    savings: tuple[Saving, ...]
    gone: tuple[str, ...] = field(repr=False)
    lost: tuple[str, ...] = ()

    def to_json(self) -> Mapping[str, object]:
        """The record that is written next to the wheel; sizes in bytes."""
        return {
            "schema": 1,
            "stock": {
                **_file(self.stock.path.name, self.stock.sha256, self.before),
                "extras": list(self.stock.extras),
            },
            "wheel": _file(self.wheel.name, self.sha256, self.after),
            "keep": list(self.settings.keep),
            "remove": list(self.settings.remove),
            "locales": list(self.settings.locales),
            "levers": [row.to_json() for row in self.savings],
        }


def _file(name: str, sha256: str, size: Sizes) -> Mapping[str, object]:
    return {"name": name, "sha256": sha256, "bytes": size.wheel, "unpacked": size.unpacked}
