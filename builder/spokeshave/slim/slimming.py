"""The stages of slimming in their order: read, slim, check, deliver."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from itertools import count
from pathlib import Path

from spokeshave import own_code, verdict
from spokeshave.context import Context
from spokeshave.inside.model import Target, file_sha256
from spokeshave.inside.run import Runner
from spokeshave.inside.wheel import TESTS_ARCHIVE, beside
from spokeshave.machine.files import alone_with, copy_whole, write_whole
from spokeshave.machine.venvs import Venv
from spokeshave.slim.arguments import Wanted, read_word
from spokeshave.slim.blas_library import deliver
from spokeshave.slim.import_check import Imports, compare_imports, import_all, modules_to_try
from spokeshave.slim.intake import read_stock, with_extras
from spokeshave.slim.knowledge import Knowledge, check_wish, known_of, with_library
from spokeshave.slim.levers import Spared
from spokeshave.slim.make_wheel import Known, slim
from spokeshave.slim.model import Settings, Slimmed, Stock
from spokeshave.slim.outcome import Outcome, Verdict, summary
from spokeshave.slim.rules import refuse_unknown, with_profile
from spokeshave.slim.spare import Attempt, spare_text
from spokeshave.slim.two_venvs import make_pair, replace_wheel, why_not_here
from spokeshave.slim.upstream import Suite, compare_tests, fetch_suite
from spokeshave.slim.wheel_tests import suite_of_wheel
from spokeshave.sources.download import download_requirement


@dataclass(frozen=True, kw_only=True, slots=True)
class SlimRequest:
    """What the user asked for: wheel files and requirements, and how to slim and check them.

    `extra` are requirements that the check installs in both venvs, so that more modules import; `tests`
    asks for upstream's own tests too, those that `marker` fits where there is one (pytest's -m), and of a
    package with a recipe those that `select` names. `knowledge` says which recipes and which BLAS may act;
    what its profile removes holds for rules too.
    """

    words: tuple[str, ...]
    target: Target
    settings: Settings
    output: Path
    check: bool = True
    tests: bool = False
    marker: str = ""
    select: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    knowledge: Knowledge = field(default_factory=Knowledge)


def slim_all(context: Context, request: SlimRequest) -> tuple[Outcome, ...]:
    """Slims all wheels; those that pass their check are written into the output folder.

    All inputs are read before the first one is slimmed. Raises WheelError, UnsafeArchive or UsageFault for a
    bad one, NetworkError where a requirement cannot be had. A wheel that fails is not written.
    """
    words = [read_word(word, request.target) for word in request.words]
    check_wish(context, request.knowledge, request.target)
    with context.store.scratch() as scratch:
        stocks = [_take(context, request, word, scratch / "fetched") for word in words]
        refuse_unknown(context.book.folders, request.settings, stocks)
        settings = with_profile(context.book, request.settings, request.knowledge.wish.profile)
        knowledge = with_library(context, request.knowledge, request.target, scratch / "library")
        request = replace(request, settings=settings, knowledge=knowledge)
        outcomes = []
        for number, stock in enumerate(stocks):
            folder = scratch / str(number)
            folder.mkdir()
            outcomes.append(_one(context, request, stock, folder))
            shutil.rmtree(folder)
        return tuple(outcomes)


def _take(context: Context, request: SlimRequest, word: Path | Wanted, folder: Path) -> Stock:
    if isinstance(word, Path):
        return read_stock(word)
    with context.reporter.stage(f"fetching {word.text}"):
        path = download_requirement(
            word.text,
            folder,
            python_tag=request.target.python,
            platforms=request.target.pip_platforms,
            runner=context.runner,
            log=context.logs / "slim-download.log",
        )
    stock = with_extras(read_stock(path), word.extras)
    if not word.extras:
        return stock
    names = f"{stock.project}[{','.join(word.extras)}]"
    use = "the check installs what these extras require" if request.check else "unused with --no-check"
    context.reporter.say(f"{names}: {use}; slim those packages by their own names")
    return stock


def _one(context: Context, request: SlimRequest, stock: Stock, folder: Path) -> Outcome:
    with context.reporter.stage(f"slimming {stock.path.name}"):
        known = known_of(context, request.knowledge, stock, request.settings, request.output)
        slimmed = _slim(stock, request.settings, folder / "first", known)
    if not slimmed.smaller:
        return _not_smaller(context, slimmed)
    slimmed, found = _check(context, request, slimmed, known, folder)
    if not slimmed.smaller:  # once modules had their text back
        return _not_smaller(context, slimmed)
    outcome = Outcome(slimmed=slimmed, verdict=_with_evidence(context, slimmed, found))
    if outcome.verdict.faults:
        _withdraw(outcome, request.output)
        return outcome
    return replace(outcome, slimmed=_deliver(context, outcome, request.output))


def _slim(
    stock: Stock, settings: Settings, folder: Path, known: Known, spared: Spared | None = None
) -> Slimmed:
    (folder / "work").mkdir(parents=True)
    slimmed = slim(
        stock, settings, output=folder / "made", scratch=folder / "work", spared=spared, known=known
    )
    shutil.rmtree(folder / "work")
    return slimmed


def _not_smaller(context: Context, slimmed: Slimmed) -> Outcome:
    reason = "it would not be smaller than the PyPI wheel, so that nothing was written"
    context.reporter.say(f"{slimmed.wheel.name}: {reason}")
    return Outcome(slimmed=slimmed, verdict=Verdict(skipped=reason))


def _check(
    context: Context, request: SlimRequest, slimmed: Slimmed, known: Known, folder: Path
) -> tuple[Slimmed, Verdict]:
    """The verdict, and the wheel that it is about: modules that need their text have it."""
    if not request.check:
        return slimmed, Verdict(skipped="--no-check was given")
    if reason := why_not_here(slimmed.stock.name):
        context.reporter.say(f"{slimmed.wheel.name}: not checked: {reason}")
        return slimmed, Verdict(skipped=reason)
    log = context.logs / f"slim-{slimmed.stock.name.distribution}.log"
    suite = _suite(context, request, slimmed, known, folder / "sdist") if request.tests else None
    extra = (*request.extra, *suite.requires) if suite and suite.found else request.extra
    with context.reporter.stage(f"comparing {slimmed.wheel.name} with the PyPI wheel"):
        stock, ours = make_pair(slimmed, extra=extra, folder=folder, runner=context.runner, log=log)
        slimmed, imports = _compare(slimmed, known, stock, ours, runner=context.runner, log=log)
    if suite is None or not suite.found:
        if suite:
            context.reporter.say(f"{slimmed.stock.project}: its sdist carries no tests")
        return slimmed, Verdict(imports=imports)
    with context.reporter.stage(f"upstream's tests of {slimmed.stock.project}, PyPI's and slim"):
        chosen = replace(suite, marker=request.marker or suite.marker)
        tests, flaky = compare_tests(context, slimmed, chosen, stock, ours)
    which = f" (those marked {chosen.marker!r} alone)" if chosen.marker else ""
    context.reporter.say(f"{slimmed.stock.project}: {summary(tests)}{which}")
    for test, seen in flaky.items():
        context.reporter.say(f"{slimmed.stock.project}: flaky: {test}: {', '.join(seen)}")
    return slimmed, Verdict(imports=imports, tests=tests, flaky=flaky, marker=chosen.marker)


def _compare(
    slimmed: Slimmed, known: Known, stock: Venv, ours: Venv, *, runner: Runner, log: Path
) -> tuple[Slimmed, Imports]:
    """Compares all imports; where some fail, modules get the text back that a lever took."""
    work = ours.root.parent
    theirs = import_all(stock, modules_to_try(slimmed), folder=work / "stock-imports", runner=runner)
    numbers = count()

    def check(one: Slimmed) -> Attempt[tuple[Slimmed, Imports]]:
        folder = work / f"slim-imports-{next(numbers)}"
        found = compare_imports(theirs, ours, folder=folder, runner=runner, excused=one.excused)
        return Attempt(result=(one, found), faults=found.faults, suspects=found.suspects)

    def again(settings: Settings, spared: Spared) -> Attempt[tuple[Slimmed, Imports]]:
        one = _slim(slimmed.stock, settings, work / f"again-{next(numbers)}", known, spared)
        replace_wheel(ours, one, runner=runner, log=log)
        return check(one)

    first = check(slimmed)
    if not first.faults:
        return first.result
    found, given_up = spare_text(first, slimmed.settings, again)
    one, imports = found.result
    return replace(one, savings=(*one.savings, *given_up)), imports


def _suite(
    context: Context, request: SlimRequest, slimmed: Slimmed, known: Known, folder: Path
) -> Suite | None:
    """Upstream's tests: those of the PyPI wheel, where a recipe knows them, else those of the sdist."""
    if known.recipe and slimmed.tests:
        return suite_of_wheel(context, known.recipe, slimmed, request.select, folder)
    return fetch_suite(context, slimmed, folder)


def _with_evidence(context: Context, slimmed: Slimmed, found: Verdict) -> Verdict:
    """The verdict; if nothing of the wheel was run, one that says that there was no check."""
    passed = found.tests.ours.get("passed") if found.tests else 0
    if found.skipped or found.faults or found.imports is None:
        return found
    if verdict.shows_something(len(found.imports.imported), passed):
        return found
    reasons = [f"{name}: {error}" for name, error in found.imports.failing_in_stock.items()]
    why = "no module of the PyPI wheel can be imported" + "".join(f" ({one})" for one in reasons[:1])
    context.reporter.say(f"{slimmed.wheel.name}: not verified: {why}; --with adds what its modules need")
    return replace(found, skipped=why)


def _deliver(context: Context, outcome: Outcome, output: Path) -> Slimmed:
    """Puts the wheel and its record into the output folder; the wheel comes last, and whole."""
    slimmed = outcome.slimmed
    wheel = output / slimmed.wheel.name
    record = beside(wheel, ".verify.json")
    with alone_with(wheel):  # another run may slim the same one with other levers
        _write(beside(wheel, ".slim.json"), outcome.to_json())
        if slimmed.library:
            deliver(slimmed.library, output)
        if slimmed.tests:
            copy_whole(slimmed.tests, beside(wheel, TESTS_ARCHIVE))
        if outcome.verdict.skipped:
            if (before := verdict.read(record)) and before.get("sha256") != slimmed.sha256:
                record.unlink()  # it is about another wheel of that name
        elif kept := verdict.put(record, _verify_report(outcome).to_json()):
            context.reporter.say(kept)
        copy_whole(slimmed.wheel, wheel)
    return replace(slimmed, wheel=wheel)


def _withdraw(outcome: Outcome, output: Path) -> None:
    """Writes the failed report next to the same wheel of an earlier run, which may have a passing one."""
    wheel = output / outcome.slimmed.wheel.name
    if wheel.is_file() and file_sha256(wheel) == outcome.slimmed.sha256:
        verdict.put(beside(wheel, ".verify.json"), _verify_report(outcome).to_json())


def _verify_report(outcome: Outcome) -> verdict.VerifyReport:
    """The verdict for commands that take only verified wheels; `plan` is the PyPI wheel's sha256."""
    imports = outcome.verdict.imports
    return verdict.VerifyReport(
        wheel=outcome.slimmed.wheel.name,
        sha256=outcome.slimmed.sha256,
        plan=outcome.slimmed.stock.sha256,
        level="upstream" if outcome.verdict.tested else "imports",
        place=f"{sys.implementation.cache_tag} {sys.platform}",
        faults=outcome.verdict.faults,
        imported=len(imports.imported) if imports else 0,
        comparison=asdict(outcome.verdict.tests) if outcome.verdict.tests else None,
        flaky=outcome.verdict.flaky,
        passed=not outcome.verdict.faults,
        judge=own_code.code_digest("slim"),
    )


def _write(path: Path, data: Mapping[str, object]) -> None:
    write_whole(path, json.dumps(data, indent=1, sort_keys=True) + "\n")
