"""The nouns of slimming: the settings, the PyPI wheel, the slim wheel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from packaging.version import Version

from spokeshave.inside.model import file_sha256
from spokeshave.inside.sizes import Sizes
from spokeshave.inside.wheel import WheelName
from spokeshave.slim.blas_library import Library

COMPONENT = "component "  # before the name of one, in the row of what it saved
RULES = "rules"  # those of the package, in recipes/rules
DEFAULT_LEVERS = (
    RULES,
    "tests",
    "test-modules",
    "typing",
    "sources",
    "headers",
    "duplicates",
    "json",
    "symbols",
    "blas",
)
ON_REQUEST = ("docstrings", "comments", "indentation")
LEVERS = (*DEFAULT_LEVERS, *ON_REQUEST)
NOT_MODULES = ("*.data/data/*", "*.data/scripts/*", "*.data/headers/*")
"""Python files of a wheel that are no modules; the levers on modules leave them."""
_SHOWN = 3  # names in a note; the record has all


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Which levers act, globs of files that they leave as they are, and the last number of the version.

    A glob of `keep` holds for all levers, one with the name of a lever before it (`docstrings:demo/*`) for
    that one alone. `drop_signature` allows the removal of RECORD's signature, which does not fit a changed
    wheel. `remove` names components of the rules (`kubernetes/aio`); `locales` are those to keep, all of them
    if empty.
    """

    levers: tuple[str, ...] = DEFAULT_LEVERS
    keep: tuple[str, ...] = ()
    build: int = 1
    drop_signature: bool = False
    remove: tuple[str, ...] = ()
    locales: tuple[str, ...] = ()

    def kept_by(self, lever: str) -> tuple[str, ...]:
        """The globs of files that a lever leaves as they are."""
        rows = [
            (name, glob) if name in LEVERS else ("", whole) for whole, name, glob in map(_split, self.keep)
        ]
        return tuple(glob for name, glob in rows if name in ("", lever))


def _split(keep: str) -> tuple[str, str, str]:
    name, _, glob = keep.partition(":")
    return keep, name, glob


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
class Left:
    """A file or folder that a lever left as it is, and why: `detail` is what stands for this one alone.

    `size` is in bytes, unpacked; 0 where it does not matter.
    """

    name: str
    reason: str
    detail: str = ""
    size: int = 0


def by_reason(left: Sequence[Left]) -> Iterator[str]:
    """A line for each reason: how many it keeps, their bytes, and the largest of them."""
    groups: dict[str, list[Left]] = {}
    for one in left:
        groups.setdefault(one.reason, []).append(one)
    for reason, rows in groups.items():
        rows.sort(key=lambda one: (-one.size, one.name))
        shown = ", ".join(f"{one.name} ({one.detail})" if one.detail else one.name for one in rows[:_SHOWN])
        total = sum(one.size for one in rows)
        head = f"{len(rows)} {reason}" + (f" ({total:,} bytes)" if total else "")
        yield f"{head}: {shown}" + (f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Saving:
    """The bytes (unpacked) that one lever saved, the number of files that it changed, and notes.

    `left` are the files and folders that it left as they are. `folders` are the outermost folders that it
    emptied, by their names in the PyPI wheel.
    """

    lever: str
    saved: int
    files: int
    notes: tuple[str, ...] = ()
    left: tuple[Left, ...] = ()
    folders: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """The notes, and what was left, a line for each reason."""
        return (*self.notes, *by_reason(self.left))

    def to_json(self) -> Mapping[str, object]:
        """The row in the record of the wheel."""
        return {
            "name": self.lever,
            "saved": self.saved,
            "files": self.files,
            "folders": list(self.folders),
            "notes": list(self.lines),
            "left": [asdict(one) for one in self.left],
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Removals:
    """What components took: their rows, the modules that have stubs, the modules that patches changed."""

    savings: tuple[Saving, ...] = ()
    stubs: tuple[str, ...] = ()
    patched: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Excused:
    """The differences of imports that removals explain.

    `patched` modules may offer less. `lost` are globs of modules and names that components of rules take
    along; `rules` are these components. An import may run into the stub of any other component.
    """

    patched: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


NOTHING = Excused()


@dataclass(frozen=True, kw_only=True, slots=True)
class Slimmed:
    """A slim wheel, the PyPI wheel that it was made of, and the bytes that each lever saved.

    `gone` are the removed files, by their names in the PyPI wheel. `removals` are those of a recipe's
    components. `lost` are globs of modules and names that components of rules take along. `tests` is the
    archive of test files, where a recipe names them, and `library` the shared BLAS that the wheel needs.
    """

    stock: Stock
    wheel: Path
    sha256: str
    settings: Settings
    before: Sizes
    after: Sizes
    savings: tuple[Saving, ...]
    gone: tuple[str, ...] = field(repr=False)
    removals: Removals = field(default_factory=Removals)
    lost: tuple[str, ...] = ()
    tests: Path | None = None
    library: Library | None = None

    @property
    def excused(self) -> Excused:
        """The differences of imports that its removals explain."""
        return Excused(patched=self.removals.patched, lost=self.lost, rules=self.settings.remove)

    @property
    def smaller(self) -> bool:
        """Whether the slim wheel takes less room than the PyPI wheel, once it is installed."""
        return self.after.unpacked < self.before.unpacked

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
            "stubs": list(self.removals.stubs),
            "requires": [self.library.requirement] if self.library else [],
            "tests": file_sha256(self.tests) if self.tests else "",
        }


def _file(name: str, sha256: str, size: Sizes) -> Mapping[str, object]:
    return {"name": name, "sha256": sha256, "bytes": size.wheel, "unpacked": size.unpacked}
