"""The result of slimming a wheel: its verdict, its record, and the error for wheels that failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from spokeshave import __version__
from spokeshave.errors import VerifyError
from spokeshave.slim.error_text import one_line
from spokeshave.slim.import_check import Imports
from spokeshave.slim.model import Slimmed
from spokeshave.verify.outcomes import Comparison


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The result of the check, or why there was none (`skipped`); `marker` says which tests were run.

    `flaky` maps tests that passed when they ran again to all their outcomes.
    """

    skipped: str = ""
    imports: Imports | None = None
    tests: Comparison | None = None
    flaky: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    marker: str = ""

    @property
    def faults(self) -> tuple[str, ...]:
        losses = self.tests.losses if self.tests else ()
        lost = (f"lost: {loss.test} ({loss.stock} -> {loss.ours})" for loss in losses)
        return (*(self.imports.faults if self.imports else ()), *lost)

    @property
    def tested(self) -> bool:
        """Whether an upstream test passes with the PyPI wheel: if none does, the tests verify nothing."""
        return bool(self.tests and self.tests.stock.get("passed"))

    def to_json(self) -> Mapping[str, object]:
        """The check in the record of the wheel."""
        return {
            "skipped": self.skipped,
            "imports": asdict(self.imports) if self.imports else None,
            "tests": asdict(self.tests) if self.tests else None,
            "marker": self.marker,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """One slim wheel with its verdict. It is delivered if it is smaller and the verdict has no fault."""

    slimmed: Slimmed
    verdict: Verdict = field(default_factory=Verdict)

    @property
    def written(self) -> bool:
        """Whether the wheel is in the output folder."""
        return self.slimmed.smaller and not self.verdict.faults

    def to_json(self) -> Mapping[str, object]:
        """The record that is written next to the wheel."""
        check = self.verdict.to_json()
        return {**self.slimmed.to_json(), "check": check, "tool": __version__, "written": self.written}


def failures(outcomes: tuple[Outcome, ...]) -> VerifyError | None:
    """The error that names all wheels that failed their check; nothing where none did."""
    failed = [one for one in outcomes if one.verdict.faults]
    if not failed:
        return None
    faults = "\n".join(
        f"  {one.slimmed.wheel.name}: {one_line(fault)}" for one in failed for fault in one.verdict.faults[:5]
    )
    return VerifyError(
        f"{len(failed)} of {len(outcomes)} wheels do less than PyPI's and were not written:\n{faults}",
        next_step="switch a lever off (--without for one that is always on), or keep files unchanged with"
        " --keep",
    )


def summary(tests: Comparison) -> str:
    """The result of upstream's tests in a line, with a hint if most do not pass with the PyPI wheel."""
    passed, ran = tests.stock.get("passed", 0), sum(tests.stock.values()) - tests.stock.get("skipped", 0)
    line = f"of {ran:,} upstream tests, {passed:,} pass with the PyPI wheel, {len(tests.losses):,} were lost"
    return line if passed > ran / 2 else f"{line}; install what the others need with --with"
