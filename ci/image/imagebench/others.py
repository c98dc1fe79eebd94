"""Slim wheels of the packages that have no recipe, for use instead of the PyPI wheels."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagebench.wheels import BUILT, project
from spokeshave.api import Context, file_sha256, slim_levers, slim_wheels

NEED_DOCSTRINGS = ("sqlalchemy",)  # some of its modules assert that they have one


@dataclass(frozen=True, kw_only=True, slots=True)
class Others:
    """The slim wheels, with the bytes of these and of the PyPI wheels, unpacked, without bytecode."""

    wheels: tuple[Path, ...]
    stock_bytes: int
    slim_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Slimmer:
    """Slims wheels into `folder`; one of the same wheel and levers that is there already is kept.

    `careful` keeps docstrings, comments and indentation; `check` compares the imports with the PyPI wheel's.
    """

    context: Context
    folder: Path
    careful: bool
    check: bool

    def slim(self, stock: Iterable[Path]) -> Others:
        """Slims those that have no recipe; raises VerifyError if one does less than the PyPI wheel."""
        wanted = {file_sha256(wheel): wheel for wheel in stock if project(wheel) not in BUILT}
        known = self._records()
        todo = [wheel for sha256, wheel in wanted.items() if not self._made(known.get(sha256), wheel)]
        for keeping in (False, True):
            self._slim([wheel for wheel in todo if (project(wheel) in NEED_DOCSTRINGS) is keeping])
        known = self._records()
        rows = [known[sha256] for sha256 in wanted]
        return Others(
            wheels=tuple(self.folder / row["wheel"]["name"] for row in rows),
            stock_bytes=sum(row["stock"]["unpacked"] for row in rows),
            slim_bytes=sum(row["wheel"]["unpacked"] for row in rows),
        )

    def levers(self, wheel: Path) -> tuple[str, ...]:
        """The levers for a wheel."""
        kept = ("docstrings",) if project(wheel) in NEED_DOCSTRINGS else ()
        return slim_levers(careful=self.careful, without=kept)

    def _slim(self, wheels: list[Path]) -> None:
        if wheels:
            levers = self.levers(wheels[0])
            slim_wheels(self.context, wheels, self.folder, levers=levers, check=self.check)

    def _records(self) -> dict[str, dict[str, Any]]:
        """The records of the slim wheels, by the sha256 of the PyPI wheels."""
        rows = [json.loads(path.read_text("utf-8")) for path in sorted(self.folder.glob("*.slim.json"))]
        return {row["stock"]["sha256"]: row for row in rows}

    def _made(self, row: dict[str, Any] | None, wheel: Path) -> bool:
        if row is None or (self.check and row["check"]["skipped"]):
            return False
        made = self.folder / row["wheel"]["name"]
        levers = {lever["name"] for lever in row["levers"]} - {"bytecode"}
        return (
            levers == set(self.levers(wheel))
            and made.is_file()
            and file_sha256(made) == row["wheel"]["sha256"]
        )
