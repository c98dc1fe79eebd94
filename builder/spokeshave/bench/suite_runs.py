"""Benchmark comparisons of two installs: suites, imports and BLAS calls, one after the other."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from spokeshave.bench.compare import Labels, OnProgress, compare_installs
from spokeshave.bench.findings import BenchReport, write_json
from spokeshave.bench.model import Options, Progress, side_title
from spokeshave.bench.results import BLAS, result_name
from spokeshave.bench.sides import Side, SidesRequest, find_sides, install_sides
from spokeshave.context import Context
from spokeshave.errors import BenchError, UsageFault
from spokeshave.inside.model import Target
from spokeshave.machine.progress import Reporter
from spokeshave.machine.venvs import Venv
from spokeshave.own_code import package_root
from spokeshave.recipes.book import Loaded
from spokeshave.recipes.select import pick_version, source_pin
from spokeshave.sources.archive import unpack
from spokeshave.sources.fetch import fetch_sdist

Part = Literal["suite", "imports", "blas"]
_BUSY = 1.0
_BUSY_MEANS = "times of several threads are not reliable then, even if they repeat"
_INFLUENCING = ("NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES", "OPENBLAS_CORETYPE")
_BLAS_TIMEOUT = 180.0  # seconds; an SVD of 2000 rows takes five, and a case has at least three a side


@dataclass(frozen=True, kw_only=True, slots=True)
class BenchRequest:
    """What the user asked for: the two sides, the `parts`, the seconds of each, the folder of the results.

    `threads` are those of the suites and BLAS calls; imports always have one. `seconds`, `pattern`,
    `environ` and `exhaustive` are those of `compare_installs` and `Options`.
    """

    sides: SidesRequest
    parts: frozenset[Part]
    threads: tuple[int, ...]
    seconds: float
    pattern: str
    output: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    exhaustive: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class SuiteRun:
    """One comparison: the name of its results, the suite with its title and folder, and the options."""

    what: str
    title: str
    suite: Path
    options: Options


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """The report of one comparison, and the file with all its samples."""

    title: str
    path: Path
    report: BenchReport


def run_suites(context: Context, request: BenchRequest) -> Iterator[Outcome]:
    """Runs all comparisons and yields each outcome; after one that Ctrl-C has ended there is no other.

    Raises what `find_sides`, `install_sides` and `compare_installs` raise.
    """
    if request.exhaustive and request.parts.isdisjoint({"suite"}):
        raise UsageFault(
            "--exhaustive is for benchmark suites", next_step="do not combine it with --blas or --imports"
        )
    if lost := [name for name in _INFLUENCING if name in context.environ and name not in request.environ]:
        context.reporter.say(f"note: {', '.join(lost)} does not reach the benchmarks; --env NAME=VALUE does")
    with context.store.scratch() as folder:
        ours, against = find_sides(context, request.sides)
        runs = tuple(_suite_runs(context, request, ours, folder))
        venvs = install_sides(context, request.sides.target, ours, against, folder)
        for run in runs:
            outcome = _run(context, request, run, (ours, against), venvs)
            yield outcome
            if outcome.report.interrupted:
                return


def _suite_runs(context: Context, request: BenchRequest, ours: Side, folder: Path) -> Iterator[SuiteRun]:
    asked = Options(pattern=request.pattern, environ=request.environ, exhaustive=request.exhaustive)
    packages = [context.book.load(name) for name in request.sides.packages]
    modules = tuple(one.recipe.timed_module for one in packages) if "imports" in request.parts else ()
    if "suite" in request.parts:
        for loaded, module in zip(packages, modules or [""] * len(packages), strict=True):
            version = ours.versions.get(loaded.recipe.distribution)
            suite, title = suite_of(context, loaded, request.sides.target, version)
            name = f"bench-{loaded.recipe.name}"
            for threads in request.threads:
                timed = (module,) if module and threads == request.threads[0] else ()
                options = replace(asked, threads=threads, modules=timed)
                yield SuiteRun(what=name, title=title, suite=suite, options=options)
    elif modules:
        (folder / "benchmarks").mkdir()
        (folder / "benchmarks" / "__init__.py").touch()
        what = "-".join(("imports", *request.sides.packages))
        yield SuiteRun(
            what=what, title="imports", suite=folder, options=replace(asked, pattern="", modules=modules)
        )
    if "blas" in request.parts:
        for threads in request.threads:
            options = replace(asked, threads=threads, timeout=_BLAS_TIMEOUT)
            yield SuiteRun(what=BLAS, title="BLAS calls", suite=_own_suites() / "blas", options=options)


def _own_suites() -> Path:
    return package_root() / "bench" / "suites"


def suite_of(
    context: Context, loaded: Loaded, target: Target, version: str | None = None
) -> tuple[Path, str]:
    """The suite of a package and its title: ours if there is one, otherwise upstream's, from the sdist.

    Raises BenchError if there is neither.
    """
    recipe = loaded.recipe
    if (own := _own_suites() / recipe.import_name).is_dir():
        return own, f"spokeshave's suite of {recipe.name}"
    row = pick_version(recipe, target.python_version, version)
    pin = source_pin(row, target)
    entry = context.store.get("suite", pin["sha256"])
    if entry is None:
        sdist = fetch_sdist(context, pin)
        entry = context.store.put("suite", pin["sha256"], lambda new: _take_suite(context, sdist, new))
    return entry / "benchmarks", f"upstream's suite of {recipe.name} {row.version}"


def _take_suite(context: Context, sdist: Path, target: Path) -> None:
    """Moves the benchmarks of an sdist into a folder; raises BenchError if it has none."""
    with context.reporter.stage(f"unpacking {sdist.name}"), context.store.scratch() as folder:
        tree = unpack(sdist, folder / "tree")
        if not (tree / "benchmarks").is_dir():
            raise BenchError(
                f"{sdist.name} has no benchmarks, and spokeshave has none for it",
                next_step="compare its import alone: --imports",
            )
        (tree / "benchmarks").rename(target / "benchmarks")


def _run(
    context: Context,
    request: BenchRequest,
    run: SuiteRun,
    sides: tuple[Side, Side],
    venvs: tuple[Venv, Venv],
) -> Outcome:
    (ours, against), threads = sides, run.options.threads
    request.output.mkdir(parents=True, exist_ok=True)
    path = request.output / result_name(run.what, ours.label, against.label, run.options)
    title = f"{side_title(ours.label)} compared with {side_title(against.label)}: {run.title}"
    title += f", {threads} threads" if threads > 1 else ""
    title += "".join(f", {name}={value}" for name, value in sorted(request.environ.items()))
    journal = path.with_suffix(".jsonl")
    if threads > 1 and (load := os.getloadavg()[0]) > _BUSY:
        context.reporter.say(f"note: other processes keep this machine busy (load {load:.1f}): {_BUSY_MEANS}")
    with context.reporter.stage(f"benchmarking {title}"):
        report = compare_installs(
            Path(venvs[0].python),
            Path(venvs[1].python),
            run.suite,
            seconds=request.seconds,
            options=run.options,
            journal=journal,
            on_progress=_follow(context.reporter),
            labels=Labels(suite=run.title, against=against.label),
            scratch=venvs[0].root.parent,
        )
    if report.interrupted:  # or it would replace a complete one
        path = path.with_name(f"{path.stem}-interrupted.json")
    write_json(report, path)
    journal.unlink(missing_ok=True)  # its content is in the report; a killed run leaves the file
    return Outcome(title=title, path=path, report=report)


def _follow(reporter: Reporter) -> OnProgress:
    def show(progress: Progress) -> None:
        reporter.line(f"[{progress.done}/{progress.planned}] {progress.phase}: {progress.label}")

    return show
