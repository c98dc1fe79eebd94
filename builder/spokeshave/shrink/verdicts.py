"""The check as a stage: packages whose slim wheel fails are used as they are, and all is checked again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from spokeshave.context import Context
from spokeshave.errors import VerifyError
from spokeshave.machine.venvs import Interpreter
from spokeshave.shrink.app_tests import AppTests, compare_app_tests, lost_tests
from spokeshave.shrink.model import Chosen, ShrinkRequest
from spokeshave.shrink.paired_check import Checked, check_all, store_check, stored_check, why_not_checked
from spokeshave.shrink.tiers import as_it_is
from spokeshave.verdict import rank

_ROUNDS = 3  # a fault in one package can hide another
_SHOWN = 5  # faults of a package
_NONE = Checked()


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The wheels that passed, the check, and the application's tests where they were asked for."""

    chosen: tuple[Chosen, ...]
    checked: Checked
    tests: AppTests | None = None
    levels: dict[str, str] = field(default_factory=dict)


def verify_set(context: Context, request: ShrinkRequest, chosen: Sequence[Chosen]) -> Verdict:
    """Checks the wheels; returns those that passed.

    Raises VerifyError for faults that no slim wheel explains, for lost tests of the application, and where
    nothing could be imported.
    """
    wheels = tuple(chosen)
    if not request.check:
        return Verdict(
            chosen=wheels, checked=Checked(skipped="--no-check was given"), levels=_levels(wheels, _NONE)
        )
    reason, python = why_not_checked(context, request.target)
    if python is None:
        if request.tests is not None:
            raise VerifyError(
                f"--tests cannot run: {reason}", next_step="omit --tests, or name another --python"
            )
        context.reporter.say(f"not checked: {reason}")
        return Verdict(chosen=wheels, checked=Checked(skipped=reason), levels=_levels(wheels, _NONE))
    for _ in range(_ROUNDS):
        checked, tests = _check(context, request, wheels, python)
        faulty = [one for one in wheels if one.changed and checked.faults.get(one.pick.project)]
        if not faulty:
            break
        wheels = needed(_restored(context, one, checked) if one in faulty else one for one in wheels)
    return _passed(context, wheels, checked, tests)


def _check(
    context: Context, request: ShrinkRequest, wheels: tuple[Chosen, ...], python: Interpreter
) -> tuple[Checked, AppTests | None]:
    extra = ("pytest", *request.with_) if request.tests is not None else request.with_
    if request.tests is None and (known := stored_check(context, wheels, python, extra)):
        context.reporter.say("these wheels were checked before")
        return known, None
    with context.store.scratch() as folder:
        checked, pair = check_all(context, wheels, python, extra, folder)
        tests = None
        if request.tests is not None and not checked.faults:
            tests = compare_app_tests(context, request.tests, pair, folder / "tests")
    if not checked.faults and any(checked.imported.values()):
        store_check(context, wheels, python, extra, checked)
    return checked, tests


def _restored(context: Context, one: Chosen, checked: Checked) -> Chosen:
    """PyPI's wheel instead of one that does less."""
    faults = checked.faults[one.pick.project]
    context.reporter.say(f"{one.pick.project}: {faults[0]}; PyPI's wheel is used as it is")
    return as_it_is(one.pick, one.stock, f"the {one.tier} wheel does less: {faults[0]}")


def needed(wheels: Iterable[Chosen]) -> tuple[Chosen, ...]:
    """The wheels without those that PyPI's set does not have and none of them needs."""
    rows = tuple(wheels)
    wanted = {name for one in rows for name in one.requires}
    return tuple(one for one in rows if not one.extra or one.pick.project in wanted)


def _passed(
    context: Context, wheels: tuple[Chosen, ...], checked: Checked, tests: AppTests | None
) -> Verdict:
    if checked.faults:
        rows = [f"  {name}: {text}" for name, texts in checked.faults.items() for text in texts[:_SHOWN]]
        raise VerifyError(
            "\n".join(["these wheels do less than PyPI's together, and were not written:", *rows]),
            next_step="keep a package that these import with --as-it-is NAME",
        )
    if not any(checked.imported.values()):
        reasons = [f"{name}: {why}" for rows in checked.failing.values() for name, why in rows.items()]
        why = "no module of PyPI's wheels can be imported" + "".join(f" ({one})" for one in reasons[:1])
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
