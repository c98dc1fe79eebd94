"""The application's own tests, run with PyPI's wheels and with ours, and compared test by test."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from spokeshave.context import Context
from spokeshave.errors import UsageFault, VerifyError
from spokeshave.inside.run import Command
from spokeshave.machine.venvs import Venv
from spokeshave.own_code import copy_inside
from spokeshave.slim.upstream import align
from spokeshave.verify.outcomes import Comparison, Outcomes, compare
from spokeshave.verify.rerun import rerun_lost

SECONDS = 3600.0  # for all tests, on one side
_STARTS = (("pytest",), ("py.test",), ("python", "-m", "pytest"), ("python3", "-m", "pytest"))
_BROKEN_OFF = (3, 4)  # pytest.ExitCode: INTERNAL_ERROR, USAGE_ERROR
_LOST = 10  # tests that an error names


@dataclass(frozen=True, kw_only=True, slots=True)
class AppTests:
    """The comparison; `flaky` maps tests that passed when they ran again to all their outcomes."""

    comparison: Comparison
    flaky: Mapping[str, tuple[str, ...]]

    @property
    def summary(self) -> str:
        """The counts in a line."""
        passed, lost = self.comparison.stock.get("passed", 0), len(self.comparison.losses)
        both = len(self.comparison.both_failed)
        found = f"{passed:,} tests pass with PyPI's wheels, {lost:,} of them not with ours"
        return f"{found}; {both:,} fail with both"

    def to_json(self) -> dict[str, Any]:
        """The comparison in the result."""
        return {"summary": self.summary, **asdict(self.comparison), "flaky": dict(self.flaky)}


def pytest_arguments(command: str) -> tuple[str, ...]:
    """The arguments of a pytest command; raises UsageFault for any other command."""
    words = tuple(shlex.split(command))
    for start in _STARTS:
        if words[: len(start)] == start:
            return words[len(start) :]
    raise UsageFault(
        f"--tests {command!r} is not a pytest command",
        next_step='give one that begins with pytest, for example --tests "pytest tests -q"',
    )


def compare_app_tests(
    context: Context, arguments: Sequence[str], pair: tuple[Venv, Venv], folder: Path
) -> AppTests:
    """Runs the tests in this folder with each venv, one after the other: they may share files and ports.

    Raises VerifyError where pytest does not run, and where no test passes with PyPI's wheels.
    """
    folder.mkdir()
    copy_inside(folder / "code")
    run = partial(_run, context, folder)
    theirs_venv, ours_venv = pair
    with context.reporter.stage("the application's tests with PyPI's wheels"):
        pypi = run(arguments, theirs_venv)
    if not any(outcome == "passed" for outcome, _ in pypi.values()):
        raise VerifyError(
            f"no test passes with PyPI's wheels ({len(pypi)} were collected): they verify nothing",
            next_step="add what the tests need with --with; run the command by hand with those packages",
        )
    with context.reporter.stage("the application's tests with ours"):
        ours, theirs = align(run(arguments, ours_venv), pypi)

    def again(tests: tuple[str, ...]) -> Outcomes:
        """The whole command: an id need not be an argument that pytest takes from this folder."""
        return align(run(arguments, ours_venv), pypi)[0]

    def judge(outcomes: Outcomes) -> Comparison:
        return compare(outcomes, theirs, {})

    comparison, flaky = rerun_lost(ours, judge(ours), again, judge)
    return AppTests(comparison=comparison, flaky=flaky)


def lost_tests(tests: AppTests) -> VerifyError | None:
    """The error that lists the lost tests; None where none is lost."""
    losses = tests.comparison.losses
    if not losses:
        return None
    rows = [
        f"  {loss.test}: {loss.stock} with PyPI's, {loss.ours} with ours: {_last(loss.reason)}"
        for loss in losses
    ]
    more = [f"  and {len(rows) - _LOST} more"] if len(rows) > _LOST else []
    return VerifyError(
        "\n".join([f"{tests.summary}; nothing was written:", *rows[:_LOST], *more]),
        next_step="keep the package that the failure names with --as-it-is NAME, or fewer levers",
    )


def _last(reason: str) -> str:
    lines = [line for line in reason.strip().splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""


def _run(context: Context, folder: Path, arguments: Sequence[str], venv: Venv) -> Outcomes:
    outcomes = folder / f"{venv.root.name}.json"
    outcomes.unlink(missing_ok=True)
    argv = (
        *(venv.python, "-m", "pytest", "-p", "spokeshave.inside.prover.plugin", "-p", "no:cacheprovider"),
        *arguments,
    )
    log = context.logs / f"shrink-tests-{venv.root.name}.log"
    command = Command(
        argv=argv,
        env=_environment(context, folder, venv),
        log=log,
        timeout=SECONDS,
        on_line=context.reporter.line,
    )
    try:
        done = context.runner(command)
    except TimeoutError as fault:
        raise VerifyError(f"the tests took more than {SECONDS:.0f} s", log=log) from fault
    if not outcomes.is_file() or done.returncode in _BROKEN_OFF:
        tail = "\n  ".join(done.output.splitlines()[-6:])
        raise VerifyError(
            f"the tests do not run ({venv.root.name}):\n  {tail}",
            next_step="install what they import with --with, or correct the command",
            log=log,
        )
    rows = json.loads(outcomes.read_text("utf-8"))
    return {test: (row[0], row[1]) for test, row in rows.items()}


def _environment(context: Context, folder: Path, venv: Venv) -> dict[str, str]:
    """The user's environment, as in an activated venv, with the plugin on its path."""
    environ = {key: text for key, text in context.environ.items() if key != "PYTHONHOME"}
    path = [str(folder / "code"), *filter(None, [environ.get("PYTHONPATH", "")])]
    return {
        **environ,
        "PATH": f"{venv.root / 'bin'}:{environ.get('PATH', '')}",
        "VIRTUAL_ENV": str(venv.root),
        "PYTHONPATH": ":".join(path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "SPOKESHAVE_OUTCOMES": str(folder / f"{venv.root.name}.json"),
    }
