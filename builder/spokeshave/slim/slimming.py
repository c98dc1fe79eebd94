"""The stages of slimming in their order: read, slim, check, deliver."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from spokeshave import __version__, own_code, verdict
from spokeshave.context import Context
from spokeshave.errors import VerifyError
from spokeshave.inside.model import Target, file_sha256
from spokeshave.inside.wheel import beside
from spokeshave.machine.files import alone_with, copy_whole, write_whole
from spokeshave.slim.arguments import Wanted, read_word
from spokeshave.slim.import_check import Imports, compare_imports
from spokeshave.slim.intake import read_stock, with_extras
from spokeshave.slim.make_wheel import slim
from spokeshave.slim.model import Settings, Slimmed, Stock
from spokeshave.slim.rules import choose, refuse_unknown, with_profile
from spokeshave.slim.two_venvs import make_pair, why_not_here
from spokeshave.slim.upstream import compare_tests, fetch_suite
from spokeshave.sources.download import download_requirement
from spokeshave.verify.outcomes import Comparison


@dataclass(frozen=True, kw_only=True, slots=True)
class SlimRequest:
    """What the user asked for: wheel files and requirements, and how to slim and check them.

    `extra` are requirements that the check installs in both venvs, so that more modules import; `tests`
    asks for upstream's own tests too, those that `marker` fits where there is one (pytest's -m). `profile`
    names one whose removals hold too, where they are about rules.
    """

    words: tuple[str, ...]
    target: Target
    settings: Settings
    output: Path
    check: bool = True
    tests: bool = False
    marker: str = ""
    extra: tuple[str, ...] = ()
    profile: str = ""


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
    """One slim wheel with its verdict. It is delivered where the verdict has no fault."""

    slimmed: Slimmed
    verdict: Verdict = field(default_factory=Verdict)

    def to_json(self) -> Mapping[str, object]:
        """The record that is written next to the wheel."""
        return {**self.slimmed.to_json(), "check": self.verdict.to_json(), "tool": __version__}


def slim_all(context: Context, request: SlimRequest) -> tuple[Outcome, ...]:
    """Slims all wheels; those that pass their check are written into the output folder.

    All inputs are read before the first one is slimmed. Raises WheelError, UnsafeArchive or UsageFault for a
    bad one, NetworkError where a requirement cannot be had. A wheel that fails is not written.
    """
    words = [read_word(word, request.target) for word in request.words]
    with context.store.scratch() as scratch:
        stocks = [_take(context, request, word, scratch / "fetched") for word in words]
        refuse_unknown(context.book.folders, request.settings, stocks)
        request = replace(request, settings=with_profile(context.book, request.settings, request.profile))
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
        (folder / "work").mkdir()
        rules = choose(context.book.folders, stock, request.settings)
        slimmed = slim(stock, request.settings, output=folder / "made", scratch=folder / "work", rules=rules)
    found = _with_evidence(context, slimmed, _check(context, request, slimmed, folder))
    outcome = Outcome(slimmed=slimmed, verdict=found)
    if outcome.verdict.faults:
        _withdraw(outcome, request.output)
        return outcome
    return replace(outcome, slimmed=_deliver(context, outcome, request.output))


def _check(context: Context, request: SlimRequest, slimmed: Slimmed, folder: Path) -> Verdict:
    if not request.check:
        return Verdict(skipped="--no-check was given")
    if reason := why_not_here(slimmed.stock.name):
        context.reporter.say(f"{slimmed.wheel.name}: not checked: {reason}")
        return Verdict(skipped=reason)
    log = context.logs / f"slim-{slimmed.stock.name.distribution}.log"
    suite = fetch_suite(context, slimmed, folder / "sdist") if request.tests else None
    extra = (*request.extra, "pytest") if suite and suite.found else request.extra
    with context.reporter.stage(f"comparing {slimmed.wheel.name} with the PyPI wheel"):
        stock, ours = make_pair(slimmed, extra=extra, folder=folder, runner=context.runner, log=log)
        imports = compare_imports(slimmed, stock, ours, folder=folder, runner=context.runner)
    if suite is None or not suite.found:
        if suite:
            context.reporter.say(f"{slimmed.stock.project}: its sdist carries no tests")
        return Verdict(imports=imports)
    with context.reporter.stage(f"upstream's tests of {slimmed.stock.project}, PyPI's and slim"):
        chosen = replace(suite, marker=request.marker)
        tests, flaky = compare_tests(context, slimmed, chosen, stock, ours)
    which = f" (those marked {request.marker!r} alone)" if request.marker else ""
    context.reporter.say(f"{slimmed.stock.project}: {summary(tests)}{which}")
    for test, seen in flaky.items():
        context.reporter.say(f"{slimmed.stock.project}: flaky: {test}: {', '.join(seen)}")
    return Verdict(imports=imports, tests=tests, flaky=flaky, marker=request.marker)


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


def summary(tests: Comparison) -> str:
    """The result of upstream's tests in a line, with a hint if most do not pass with the PyPI wheel."""
    passed, ran = tests.stock.get("passed", 0), sum(tests.stock.values()) - tests.stock.get("skipped", 0)
    line = f"of {ran:,} upstream tests, {passed:,} pass with the PyPI wheel, {len(tests.losses):,} were lost"
    return line if passed > ran / 2 else f"{line}; install what the others need with --with"


def _deliver(context: Context, outcome: Outcome, output: Path) -> Slimmed:
    """Puts the wheel and its record into the output folder; the wheel comes last, and whole."""
    slimmed = outcome.slimmed
    wheel = output / slimmed.wheel.name
    record = beside(wheel, ".verify.json")
    with alone_with(wheel):  # another run may slim the same one with other levers
        _write(beside(wheel, ".slim.json"), outcome.to_json())
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


def failures(outcomes: tuple[Outcome, ...]) -> VerifyError | None:
    """The error that names all wheels that failed their check; nothing where none did."""
    failed = [one for one in outcomes if one.verdict.faults]
    if not failed:
        return None
    faults = "\n".join(
        f"  {one.slimmed.wheel.name}: {fault}" for one in failed for fault in one.verdict.faults[:5]
    )
    return VerifyError(
        f"{len(failed)} of {len(outcomes)} wheels do less than PyPI's and were not written:\n{faults}",
        next_step="switch a lever off (--without for one that is always on), or keep files unchanged with"
        " --keep",
    )
