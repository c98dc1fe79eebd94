"""A package's tests, from its sdist, run with the PyPI wheel and with ours and compared by outcome."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from spokeshave.context import Context
from spokeshave.errors import NetworkError, VerifyError
from spokeshave.inside.run import Command, clean_environment, pytest_words
from spokeshave.machine.venvs import Venv
from spokeshave.own_code import copy_inside
from spokeshave.slim.model import Slimmed
from spokeshave.slim.wheel_layout import TEST_FOLDERS
from spokeshave.sources.archive import unpack
from spokeshave.sources.download import find_source, read_pip_settings
from spokeshave.sources.fetch import fetch_sdist
from spokeshave.verify.outcomes import GOOD, Comparison, Outcomes, compare
from spokeshave.verify.rerun import rerun_lost

SECONDS = 3600.0  # for all tests of a package, on one side
_SOURCE_ROOTS = ("src", "lib", "python")
_BROKEN_OFF = (3, 4)  # pytest.ExitCode: INTERNAL_ERROR, USAGE_ERROR
# pytest's settings, which may name fixtures' plugins; options that they add to the command line are not used.
_CONFIGURATION = ("pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg", "conftest.py")


@dataclass(frozen=True, kw_only=True, slots=True)
class Suite:
    """Test folders of an unpacked sdist.

    `inside` maps paths in site-packages to the folders that belong there; `beside` are the others, by their
    path in the sdist. `marker` selects the tests that are run, as pytest's -m does. A suite that comes from a
    wheel has `over`, a folder that is copied over site-packages, and in it the `selection`; `options` are
    pytest's. `requires` are requirements of the tests; `removed` and `parts` are those of `outcomes.compare`.
    """

    sdist: Path
    inside: Mapping[str, Path]
    beside: tuple[str, ...]
    marker: str = ""
    over: Path | None = None
    selection: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    requires: tuple[str, ...] = ("pytest",)
    removed: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @property
    def found(self) -> bool:
        return bool(self.inside or self.beside or self.over)


def fetch_suite(context: Context, slimmed: Slimmed, folder: Path) -> Suite | None:
    """The tests that the sdist of the same version carries; None where there is no sdist."""
    try:
        settings = read_pip_settings(context.runner)
        pin = find_source(slimmed.stock.project, slimmed.stock.version.public, settings=settings)
        source = {"pypi": pin.pypi, "version": pin.version, "sha256": pin.sha256}
        sdist = fetch_sdist(context, source)
    except NetworkError as fault:
        context.reporter.say(f"{slimmed.stock.project}: no upstream tests: {fault.what.splitlines()[0]}")
        return None
    return find_tests(unpack(sdist, folder))


def find_tests(sdist: Path) -> Suite:
    """Where the tests of an unpacked sdist are: its outermost folders `tests` and `test` with a test."""
    inside: dict[str, Path] = {}
    beside = []
    for folder in _outermost(sdist):
        parts = folder.relative_to(sdist).parts
        if parts[0] in _SOURCE_ROOTS:
            parts = parts[1:]
        if len(parts) > 1 and (folder.parent / "__init__.py").is_file():
            inside["/".join(parts)] = folder
        else:
            beside.append(folder.relative_to(sdist).as_posix())
    return Suite(sdist=sdist, inside=inside, beside=tuple(beside))


def _outermost(sdist: Path) -> Iterator[Path]:
    found: list[Path] = []
    for path in sorted((p for name in TEST_FOLDERS for p in sdist.rglob(name) if p.is_dir()), key=str):
        nested = any(path.is_relative_to(other) for other in found)
        if not nested and any(path.rglob("test_*.py")):
            found.append(path)
            yield path


def compare_tests(
    context: Context, slimmed: Slimmed, suite: Suite, stock: Venv, ours: Venv
) -> tuple[Comparison, Mapping[str, tuple[str, ...]]]:
    """Runs the suite in both venvs, which have pytest; returns flaky tests too, as `verify.rerun` finds them.

    Raises VerifyError where pytest does not even start.
    """
    pypi = _run(context, slimmed, suite, stock, ())
    mine, theirs = align(_run(context, slimmed, suite, ours, ()), pypi)

    def again(tests: tuple[str, ...]) -> Outcomes:
        """Whole files: an id that differs from run to run cannot be selected."""
        files = tuple(sorted({test.partition("::")[0] for test in tests}))
        return align(_run(context, slimmed, suite, ours, files), pypi)[0]

    def judge(outcomes: Outcomes) -> Comparison:
        return compare(outcomes, theirs, {}, suite.removed, suite.parts)

    return rerun_lost(mine, judge(mine), again, judge)


def align(ours: Outcomes, stock: Outcomes) -> tuple[Outcomes, Outcomes]:
    """Gives cases whose ids differ from run to run (an address, a UUID, the order of a set) common names.

    Cases that one side alone has are numbered within their function, good outcomes first and equal ones
    together: as many must be good with ours as with the PyPI wheel, and in the same way.
    """
    return _numbered(ours, stock), _numbered(stock, ours)


def _numbered(outcomes: Outcomes, other: Outcomes) -> Outcomes:
    named = {test: row for test, row in outcomes.items() if test in other or "[" not in test}
    counts: dict[str, int] = {}

    def order(test: str) -> tuple[bool, str, str]:
        outcome = outcomes[test][0]
        return outcome not in GOOD, outcome, test

    for test in sorted(outcomes.keys() - named.keys(), key=order):
        function = test.partition("[")[0]
        counts[function] = counts.get(function, 0) + 1
        named[f"{function}[case {counts[function]} of varying ids]"] = outcomes[test]
    return named


def _run(context: Context, slimmed: Slimmed, suite: Suite, venv: Venv, only: tuple[str, ...]) -> Outcomes:
    """One run of pytest in the layout of the sdist; node ids are relative to folders that both sides have."""
    work = venv.root / "upstream"
    # With pytest's settings in it, where that can be.
    root = venv.site if suite.over else venv.root if suite.inside else work
    selection = [root / path for path in only] or list(_lay_out(suite, venv, work))
    outcomes = work / "outcomes.json"
    outcomes.unlink(missing_ok=True)
    argv = (
        *(venv.python, "-B", "-m", "pytest", "-p", "spokeshave.inside.prover.plugin"),
        *(*pytest_words(root), "--tb=short", "--continue-on-collection-errors"),
        *("-m", suite.marker, *suite.options, *map(str, selection)),
    )
    env = clean_environment(
        work / "home",
        path=f"{Path(venv.python).parent}:{context.environ['PATH']}",
        PYTHONPATH=str(work / "code"),
        SPOKESHAVE_OUTCOMES=str(outcomes),
    )
    log = context.logs / f"slim-{slimmed.stock.name.distribution}-tests-{venv.root.name}.log"
    command = Command(argv=argv, cwd=work, env=env, log=log, timeout=SECONDS, on_line=context.reporter.line)
    try:
        done = context.runner(command)
    except TimeoutError as fault:
        raise VerifyError(f"upstream's tests took more than {SECONDS:.0f} s", log=log) from fault
    if not outcomes.is_file() or done.returncode in _BROKEN_OFF:
        tail = "\n  ".join(done.output.splitlines()[-6:])
        raise VerifyError(
            f"upstream's tests do not run ({venv.root.name}):\n  {tail}",
            next_step="install what they import, with --with NAME for each, or do not give --tests",
            log=log,
        )
    rows = json.loads(outcomes.read_text("utf-8"))
    return {test: (row[0], row[1]) for test, row in rows.items()}


def _lay_out(suite: Suite, venv: Venv, work: Path) -> Iterator[Path]:
    """Copies the tests to where they run; yields their folders."""
    (work / "home").mkdir(parents=True)
    copy_inside(work / "code")
    if suite.over:
        shutil.copytree(suite.over, venv.site, dirs_exist_ok=True)
        yield from (venv.site / path for path in suite.selection)
    for path, folder in suite.inside.items():
        target = venv.site / path
        shutil.copytree(folder, target, dirs_exist_ok=True)
        yield target
    for name in _CONFIGURATION if suite.beside else ():
        if (suite.sdist / name).is_file():
            shutil.copyfile(suite.sdist / name, work / name)
    for path in suite.beside:
        shutil.copytree(suite.sdist / path, work / path)
        yield work / path
    for name in _SOURCE_ROOTS if suite.beside else ():  # a conftest may read the package in its source folder
        if any((suite.sdist / name).glob("*/__init__.py")) and not (work / name).exists():
            (work / name).symlink_to(venv.site)
