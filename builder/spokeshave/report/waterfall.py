"""From the bytes of the PyPI wheels to ours, step by step: levers, components, and the remainder.

The bytes that levers save are measured on our builds, so they and our size do not add up to the PyPI wheels.
The difference is shown as separate steps and not spread over the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from spokeshave.report.parts import BLAS, Part, comparable, part_of_wheel, total

StepKind = Literal["total", "lever", "component", "libraries", "rest"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LeverRow:
    """What a lever saved on a wheel, in bytes; `saved` is None if no build without it was measured."""

    wheel: str
    lever: str
    saved: int | None
    files: int
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ComponentRow:
    """The bytes that removing a component from a wheel saved, unpacked."""

    wheel: str
    component: str
    saved: int
    files: int
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One bar of the waterfall: bytes before and after it; a total starts at 0."""

    label: str
    kind: StepKind
    before: int
    after: int
    note: str = ""

    @property
    def saved(self) -> int:
        """Bytes that this step takes off; negative where it adds, 0 for a total."""
        return 0 if self.kind == "total" else self.before - self.after


def waterfall(
    rows: Sequence[Part], levers: Sequence[LeverRow], components: Sequence[ComponentRow], blas: str
) -> tuple[Step, ...]:
    """The steps from the bytes of the PyPI wheels to ours, unpacked without bytecode.

    `blas` is the distribution that provides the BLAS.
    Each step starts where the one before it ends, and the last one ends at our size exactly. Empty if a part
    has no PyPI wheel.
    """
    whole = total(rows)
    if not comparable(rows) or whole.stock is None or whole.ours is None:
        return ()
    steps = [Step(label="PyPI", kind="total", before=0, after=whole.stock.unpacked)]
    for saving in (*_levers(levers), *_components(components), *_libraries(rows, levers, components, blas)):
        before = steps[-1].after
        label, kind, saved, note = saving
        steps.append(Step(label=label, kind=kind, before=before, after=before - saved, note=note))
    ours = whole.ours.unpacked
    rest = Step(
        label="compiler, linker and other",
        kind="rest",
        before=steps[-1].after,
        after=ours,
        note=_unmeasured(levers),
    )
    return (*steps, rest, Step(label="ours", kind="total", before=0, after=ours))


def _levers(rows: Sequence[LeverRow]) -> Iterable[tuple[str, StepKind, int, str]]:
    for name in dict.fromkeys(row.lever for row in rows):
        same = [row for row in rows if row.lever == name and row.saved]
        if same:
            files = sum(row.files for row in same)
            note = f"{files:,} file{'s' if files > 1 else ''}" if files else "acts on the compile"
            yield name, "lever", sum(row.saved or 0 for row in same), note


def _components(rows: Sequence[ComponentRow]) -> Iterable[tuple[str, StepKind, int, str]]:
    for row in rows:
        if row.saved:
            label = f"{row.wheel.replace('_', '-')} without {row.component}"
            yield label, "component", row.saved, row.reason


def _libraries(
    parts: Sequence[Part], levers: Sequence[LeverRow], components: Sequence[ComponentRow], wheel: str
) -> Iterable[tuple[str, StepKind, int, str]]:
    """The bytes that the shared BLAS saves beyond the levers that acted on it."""
    blas = next((part for part in parts if part.name == BLAS), None)
    if blas is None or blas.stock is None:
        return
    rows: list[LeverRow | ComponentRow] = [*levers, *components]
    known = sum(row.saved or 0 for row in rows if part_of_wheel(row.wheel, wheel) == BLAS)
    ours = blas.ours.unpacked if blas.ours else 0
    note = "one library for all packages, with the kernels and routines that the profile needs"
    yield "one slim BLAS", "libraries", blas.stock.unpacked - ours - known, note


def _unmeasured(levers: Sequence[LeverRow]) -> str:
    names = [row.lever for row in levers if row.saved is None]
    listed = ", ".join(dict.fromkeys(names))
    return f"includes levers without a separate measurement: {listed}" if listed else ""
