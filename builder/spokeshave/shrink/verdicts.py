"""The check as a stage: faulty wheels are mended or replaced by PyPI's, then checked again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial

from spokeshave.context import Context
from spokeshave.errors import VerifyError
from spokeshave.shrink.app_tests import AppTests, compare_app_tests, lost_tests
from spokeshave.shrink.blame import Fault
from spokeshave.shrink.mending import Mend, Mender, SlimAgain, State, apply, needed
from spokeshave.shrink.model import Chosen, ShrinkRequest
from spokeshave.shrink.paired_check import (
    Checked,
    both_of,
    key_of,
    store_check,
    stored_check,
    why_not_checked,
)
from spokeshave.slim.error_text import one_line
from spokeshave.verdict import rank

_SHOWN = 5  # faults of a package
_NONE = Checked()


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The wheels that passed, the check, and the application's tests where they were asked for."""

    chosen: tuple[Chosen, ...]
    checked: Checked
    tests: AppTests | None = None
    levels: dict[str, str] = field(default_factory=dict)


def verify_set(
    context: Context, request: ShrinkRequest, chosen: Sequence[Chosen], slim_again: SlimAgain
) -> Verdict:
    """Checks the wheels, and mends faulty ones, which `slim_again` slims anew; returns those that passed.

    Raises VerifyError for faults that no slim wheel explains, for lost tests of the application, and where
    nothing could be imported.
    """
    wheels = tuple(chosen)
    if not request.check:
        return _skipped(wheels, "--no-check was given")
    reason, python = why_not_checked(context, request.target)
    if python is None:
        if request.tests is not None:
            raise VerifyError(
                f"--tests cannot run: {reason}", next_step="omit --tests, or name another --python"
            )
        context.reporter.say(f"not checked: {reason}")
        return _skipped(wheels, reason)
    extra = ("pytest", *request.with_) if request.tests is not None else request.with_
    key = key_of(wheels, python, extra)
    if request.tests is None and (known := stored_check(context, key)):
        context.reporter.say("these wheels were checked before")
        mends = {name: Mend(**row) for name, row in known[1].items()}
        return _verdict(context, _as_mended(request, wheels, mends, slim_again), known[0], None)
    with context.store.scratch() as folder:
        both = both_of(context, wheels, python, extra, folder)
        mender = Mender(context=context, settings=request.settings, slim_again=slim_again, both=both)
        state = _mended(mender, wheels)
        tests = None
        if request.tests is not None:
            tests = compare_app_tests(context, request.tests, both.pair, folder / "tests")
    checked = state.compared.checked()
    if any(checked.imported.values()):
        store_check(context, key, checked, {name: asdict(mend) for name, mend in state.mends.items()})
    return _verdict(context, state.chosen, checked, tests)


def _as_mended(
    request: ShrinkRequest, wheels: tuple[Chosen, ...], mends: Mapping[str, Mend], slim_again: SlimAgain
) -> tuple[Chosen, ...]:
    mend = partial(apply, slim_again, request.settings)
    return needed(mend(one, mends[one.pick.project]) if one.pick.project in mends else one for one in wheels)


def _skipped(wheels: tuple[Chosen, ...], why: str) -> Verdict:
    return Verdict(chosen=wheels, checked=Checked(skipped=why), levels=_levels(wheels, _NONE))


def _mended(mender: Mender, wheels: tuple[Chosen, ...]) -> State:
    compared = mender.both.compare(wheels, [one.pick.project for one in wheels])
    state = mender.mend_all(State(chosen=wheels, compared=compared))
    if state.compared.faults:
        raise _unexplained(state.compared.faults)
    return state


def _unexplained(faults: Sequence[Fault]) -> VerifyError:
    shown = {
        project: [one for one in faults if one.project == project] for project in (f.project for f in faults)
    }
    rows = [f"  {name}: {one_line(one.text)}" for name, ones in shown.items() for one in ones[:_SHOWN]]
    return VerifyError(
        "\n".join(["these wheels do less than PyPI's together, and were not written:", *rows]),
        next_step="keep a package that these import with --as-it-is NAME",
    )


def _verdict(
    context: Context, wheels: tuple[Chosen, ...], checked: Checked, tests: AppTests | None
) -> Verdict:
    if not any(checked.imported.values()):
        reasons = [f"{name}: {why}" for rows in checked.failing.values() for name, why in rows.items()]
        why = "no module of PyPI's wheels can be imported"
        why += "".join(f" ({one_line(one)})" for one in reasons[:1])
        context.reporter.say(f"not verified: {why}")
        return Verdict(chosen=wheels, checked=replace(checked, skipped=why))
    if tests:
        context.reporter.say(tests.summary)
        if fault := lost_tests(tests):
            raise fault
    return Verdict(chosen=wheels, checked=checked, tests=tests, levels=_levels(wheels, checked))


def _levels(wheels: tuple[Chosen, ...], checked: Checked) -> dict[str, str]:
    """The level of each wheel by sha256: of this check, or of an earlier one that covers more."""
    found = {one.sha256: one.level for one in wheels if one.level}
    for sha256, level in checked.levels(wheels).items():
        found[sha256] = max(level, found.get(sha256, level), key=rank)
    return found
