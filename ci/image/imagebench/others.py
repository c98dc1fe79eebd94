"""Slim wheels of the packages that have no recipe, in the places of their stock wheels."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagebench.wheels import BUILT, TARGET, project
from spokeshave.context import Context
from spokeshave.inside.model import file_sha256
from spokeshave.slim.model import DEFAULT_LEVERS, ON_REQUEST, Settings
from spokeshave.slim.slimming import SlimRequest, failures, slim_all

NEED_DOCSTRINGS = ("sqlalchemy",)  # some of its modules assert that they have one


@dataclass(frozen=True, kw_only=True, slots=True)
class Others:
    """The slim wheels, and what they and their stock wheels weigh in bytes, unpacked, without bytecode."""

    wheels: tuple[Path, ...]
    stock_bytes: int
    slim_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Slimmer:
    """Slims wheels into `folder`; one that is there already, from the same wheel by the same levers, stays.

    `careful` leaves docstrings, comments and indentation; `check` imports each beside stock.
    """

    context: Context
    folder: Path
    careful: bool
    check: bool

    def slim(self, stock: Iterable[Path]) -> Others:
        """Slims those that have no recipe; raises VerifyError where one does less than stock."""
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
        """What acts on a wheel."""
        if self.careful:
            return DEFAULT_LEVERS
        kept = {"docstrings"} if project(wheel) in NEED_DOCSTRINGS else set()
        return (*DEFAULT_LEVERS, *(name for name in ON_REQUEST if name not in kept))

    def _slim(self, wheels: list[Path]) -> None:
        if not wheels:
            return
        request = SlimRequest(
            words=tuple(map(str, wheels)),
            target=TARGET,
            settings=Settings(levers=self.levers(wheels[0])),
            output=self.folder,
            check=self.check,
        )
        if fault := failures(slim_all(self.context, request)):
            raise fault

    def _records(self) -> dict[str, dict[str, Any]]:
        """The records beside the slim wheels, by the sha256 of their stock wheels."""
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
