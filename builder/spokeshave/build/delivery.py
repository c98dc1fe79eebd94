"""Finished builds: read from the store, copied into the output folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from spokeshave.context import Context
from spokeshave.errors import RecipeError
from spokeshave.inside.model import BuildPlan
from spokeshave.inside.wheel import TESTS_ARCHIVE, archives_of_tests, beside
from spokeshave.machine.files import alone_with, copy_whole


@dataclass(frozen=True, kw_only=True, slots=True)
class Built:
    """A finished build: the wheel, its tests archive and the record of how it came about."""

    wheel: Path
    tests: Path | None
    record: Path
    digest: str
    cached: bool
    seconds: float

    @property
    def name(self) -> str:
        """The distribution's name as in the wheel's file name."""
        return self.wheel.name.split("-")[0]


def only_wheel(folder: Path) -> Path:
    """The wheel of a folder that has one."""
    return next(folder.glob("*.whl"))


def load_built(entry: Path, digest: str, *, cached: bool) -> Built:
    """A finished build as it lies in the store."""
    wheel = only_wheel(entry)
    return Built(
        wheel=wheel,
        tests=next(iter(archives_of_tests(wheel)), None),
        record=entry / "record.json",
        digest=digest,
        cached=cached,
        seconds=0.0,
    )


def refuse_namesakes(plans: Iterable[BuildPlan], folder: Path) -> None:
    """Raises RecipeError where the folder has wheels of another profile that ours would overwrite."""
    for plan in plans:
        stem = f"{plan.distribution.replace('-', '_')}-{plan.local_version}-"
        for record in folder.glob(f"{stem}*.record.json"):
            other = _profile_of(record)
            if other not in ("", plan.profile):
                raise RecipeError(
                    f"{folder} has a wheel of {plan.distribution} {plan.local_version} that is of profile"
                    f" {other!r}, whose label is that of {plan.profile!r}",
                    next_step="give one of the profiles another name, or name another --output",
                )


def _profile_of(record: Path) -> str:
    """The profile that a wheel's record names; nothing for a file that is no such record."""
    try:
        return str(json.loads(record.read_text("utf-8"))["build_plan"]["profile"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def deliver(
    context: Context, plans: tuple[BuildPlan, ...], built: Mapping[str, Built], folder: Path
) -> list[Path]:
    """Copies wheels, tests archives and records into the output folder, each whole or not at all."""
    delivered = []
    for plan in plans:
        result = built[plan.recipe]
        wheel = folder / result.wheel.name
        with alone_with(wheel):  # another run may deliver one of another plan by that name
            copy_whole(result.wheel, wheel)
            copy_whole(result.record, beside(wheel, ".record.json"))
            archive = beside(wheel, TESTS_ARCHIVE)
            if result.tests:
                copy_whole(result.tests, archive)
            for other in archives_of_tests(wheel):  # an old name is an sdist's to pip
                if other != archive or not result.tests:
                    other.unlink()
        delivered.append(wheel)
    return delivered
