"""`verify`, `report`: tests of the built wheels, and their sizes."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import click

from spokeshave.build import ablation as measuring
from spokeshave.build.wheelhouse import Candidate, candidates, own_stock_wheel
from spokeshave.cli.common import Globals, guarded
from spokeshave.cli.help import Command
from spokeshave.cli.options import json_option
from spokeshave.cli.paths import RESULT_FILE, RESULT_FOLDER
from spokeshave.cli.surveying import LimitType, is_subject, survey_all
from spokeshave.context import Context
from spokeshave.errors import VerifyError, WheelError
from spokeshave.inside.wheel import beside
from spokeshave.limits import NAMED, Limit
from spokeshave.machine.files import write_whole
from spokeshave.machine.listing import heading, say, show
from spokeshave.report import summary as reporting
from spokeshave.report.html.blas_table import backend_tables
from spokeshave.report.html.page import make_page
from spokeshave.report.kept_sizes import kept_measure
from spokeshave.report.parts import package_of
from spokeshave.report.terminal import lever_notes, lever_table, notes, size_table
from spokeshave.slim.candidates import candidates_of, faults_of_pypi, is_slim
from spokeshave.verdict import VerifyReport
from spokeshave.verify import records
from spokeshave.verify import verify as verifying
from spokeshave.verify.paired_run import Level


@click.command(cls=Command)
@click.argument(
    "wheels", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="WHEEL..."
)
@click.option(
    "--level",
    type=click.Choice(["smoke", "core", "full"]),
    default="core",
    show_default=True,
    help="Run this many of upstream's tests: seconds, minutes, or all that are not marked slow.",
)
@click.option(
    "--record",
    type=RESULT_FOLDER,
    metavar="DIR",
    help="Write a verification record of each wheel that passes to this folder too, to be committed.",
)
@json_option("the reports")
@click.pass_obj
@guarded
def verify(
    options: Globals, *, wheels: tuple[Path, ...], level: Level, record: Path | None, as_json: bool
) -> None:
    """Verify WHEELs in a clean environment: their content, imports and upstream's tests.

    The PyPI wheel runs the same tests. A test that passes there and fails here fails the verification; the
    .verify.json next to each wheel lists every fault. A wheel of `slim` is verified too if its package has a
    recipe. It needs its .slim.json and its tests archive next to it.

    \b
    Examples:
      spokeshave verify wheelhouse/*.whl
      spokeshave verify wheelhouse/numpy-*.whl --level full --json
      spokeshave verify wheelhouse/*+lean*.whl --level full --record recipes/proofs
    """
    context = options.context()
    reports = []
    found = candidates_of(context, wheels)
    if record and (slim := [one.own.path.name for one in found if is_slim(one)]):
        raise click.UsageError(f"--record is for wheels of `build`: `slim` made {', '.join(slim)}")
    for candidate in found:
        excused = partial(faults_of_pypi, context, candidate)
        reports.append(verifying.verify(context, candidate, level, excused))
        if record and reports[-1].passed:  # a failed one must not replace a passed one
            _record(context, record, candidate, reports[-1])
    if as_json:
        click.echo(json.dumps([asdict(report) for report in reports], indent=1, sort_keys=True))
    else:
        for report in reports:
            _show(options, report)
    failed = [report.wheel for report in reports if not report.passed]
    if failed:
        raise VerifyError(
            f"{len(failed)} of {len(reports)} wheels failed: {', '.join(failed)}",
            next_step="read the .verify.json next to each wheel: it lists every fault with its reason",
            log=context.logs,
        )


def _record(context: Context, folder: Path, candidate: Candidate, report: VerifyReport) -> None:
    """Writes the verification record, or adds what levers save to one there that covers more."""
    savings = measuring.known(context, candidate.plan)
    if level := records.stronger_level(folder, candidate, report):
        records.record_savings(folder, candidate.plan, savings)
        path = records.record_path(folder, candidate.plan.recipe, candidate.plan.profile)
        context.reporter.say(f"{path} is kept: its level {level} covers more than {report.level}")
    else:
        records.write_record(folder, candidate, report, savings)


def _show(options: Globals, report: VerifyReport) -> None:
    def tell(text: str) -> None:
        say(options.stdout, text)

    tell(f"{'PASSED' if report.passed else 'FAILED'} {report.wheel} ({report.level})")
    tell(f"  modules imported: {report.imported}")
    result: Any = report.comparison
    if result:
        for side in ("ours", "stock"):
            counts = ", ".join(f"{count:,} {word}" for word, count in sorted(result[side].items()))
            tell(f"  {'PyPI' if side == 'stock' else side}: {counts}")
        left_out = {reason: len(tests) for reason, tests in result["skipped"].items()}
        tell(f"  skipped by the recipe: {sum(left_out.values())}")
        for reason, count in left_out.items():
            tell(f"    {count:>5}  {reason}")
        for part, tests in result["removed"].items():
            tell(f"  removed with component {part}: {len(tests):,} tests that pass with the PyPI wheel")
        tell(f"  skipped by the tests themselves: {sum(result['skip_reasons'].values()):,}")
        tell(f"  failing with the PyPI wheel too: {len(result['both_failed'])}")
    for test, outcomes in report.flaky.items():
        tell(f"  flaky: {test}: {', '.join(outcomes)}")
    for fault in report.faults[:30]:
        tell(f"  fault: {fault}")
    if len(report.faults) > 30:
        tell(f"  … and {len(report.faults) - 30} more")


@click.command(cls=Command)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[WHEEL...|FOLDER|IMAGE|ZIP]")
@click.option(
    "--limit",
    type=LimitType(),
    metavar="SIZE|NAME",
    help="Fail if a FOLDER, IMAGE or ZIP is larger: a size such as 250MiB, or " + ", ".join(NAMED) + ".",
)
@click.option(
    "--top",
    default=10,
    show_default=True,
    metavar="N",
    type=click.IntRange(min=1),
    help="Print at most N rows of each table of a FOLDER, IMAGE or ZIP.",
)
@json_option("the report")
@click.option(
    "--html",
    "page",
    type=RESULT_FILE,
    metavar="FILE",
    help="Write a page with pictures to this file too; it needs no network.",
)
@click.pass_obj
@guarded
def report(
    options: Globals,
    *,
    paths: tuple[Path, ...],
    limit: Limit | None,
    top: int,
    as_json: bool,
    page: Path | None,
) -> None:
    """Show what is large in a FOLDER, IMAGE or ZIP, or the sizes of WHEELs compared with PyPI's.

    A FOLDER has installed packages (site-packages, a virtual environment) or wheels. An IMAGE is a tar
    archive of `docker save` or of an OCI layout, a ZIP an AWS Lambda layer. The report ranks packages, files,
    kinds of files, duplicates, BLAS copies, symbol tables and test folders. It estimates the bytes that
    `shrink` saves.

    Of WHEELs, the report gives the bytes that each lever and each removed component saved, and the speed of
    each BLAS. Without arguments it covers each profile's wheels in ./wheelhouse. Bytecode is measured if
    spokeshave runs on the Python that the wheels are built for.

    \b
    Examples:
      spokeshave report .venv
      spokeshave report layer.zip --limit lambda
      spokeshave report image.tar --top 20
      spokeshave report wheelhouse/*+lean*.whl --json
      spokeshave report --html report.html
    """
    if surveyed := _to_survey(paths, limit=limit, page=page):
        survey_all(options, surveyed, limit=limit, top=top, as_json=as_json)
        return
    _report_wheels(options, paths, as_json=as_json, page=page)


def _to_survey(paths: tuple[Path, ...], *, limit: Limit | None, page: Path | None) -> tuple[Path, ...]:
    """The paths if they are to be surveyed; none for wheels. Raises UsageError for a mixture."""
    surveyed = tuple(path for path in paths if is_subject(path))
    if surveyed and surveyed != paths:
        raise click.UsageError("name either WHEELs, or a FOLDER, IMAGE or ZIP")
    if limit and not surveyed:
        raise click.UsageError("--limit is for a FOLDER, IMAGE or ZIP: name one, such as ./wheelhouse")
    if page and surveyed:
        raise click.UsageError("--html is for WHEELs: give --json for a FOLDER, IMAGE or ZIP")
    return surveyed


def _report_wheels(options: Globals, wheels: tuple[Path, ...], *, as_json: bool, page: Path | None) -> None:
    context = options.context()
    found = wheels or built_wheels(Path("wheelhouse"))
    if not found:
        raise WheelError("there is no wheel in ./wheelhouse", next_step="spokeshave build numpy")
    groups = _by_profile(context, found)
    with context.reporter.stage("measuring files and bytecode"):
        reports = {label: _report(context, group) for label, group in groups.items()}
    if page:
        write_whole(page, make_page(reports, _command(wheels, page)))
        context.reporter.say(f"wrote {page}")
    if as_json:
        click.echo(json.dumps({k: reporting.to_json(v) for k, v in reports.items()}, indent=1))
        return
    for label, one in reports.items():
        _show_report(options, label, one)
    if tables := backend_tables(reports):
        heading(options.stdout, "all profiles")
        show(options.stdout, *tables)


def built_wheels(folder: Path) -> tuple[Path, ...]:
    """The wheels there that were built from a recipe; those of `slim` have a record of another kind."""
    return tuple(path for path in sorted(folder.glob("*.whl")) if not beside(path, ".slim.json").is_file())


def _show_report(options: Globals, label: str, report: reporting.Report) -> None:
    heading(options.stdout, f"profile {label}")
    show(options.stdout, size_table(report))
    for note in notes(report.parts()):
        say(options.stdout, note)
    show(options.stdout, lever_table(report))
    for note in (*lever_notes(report), *(f"{name}: {word}" for name, word in report.verified.items())):
        say(options.stdout, note)


def _command(wheels: tuple[Path, ...], page: Path) -> str:
    return shlex.join(["spokeshave", "report", *map(str, wheels), "--html", str(page)])


def _by_profile(context: Context, wheels: tuple[Path, ...]) -> dict[str, list[Candidate]]:
    """The wheels of each profile, with the libraries that they need: those are installed too."""
    groups: dict[str, list[Candidate]] = {}
    found = candidates(context, wheels)
    needed = [
        built.path
        for one in found
        for built in one.companions
        if package_of(built.path.name) in one.plan.libraries and built.path not in wheels
    ]
    for candidate in (*found, *candidates(context, tuple(dict.fromkeys(needed)))):
        groups.setdefault(candidate.plan.profile, []).append(candidate)
    return groups


def _report(context: Context, group: list[Candidate]) -> reporting.Report:
    stock = [path for one in group if (path := own_stock_wheel(context, one)) is not None]
    folders = [folder / "proofs" for folder in context.book.folders]
    measured = {
        one.plan.digest: {**records.recorded_savings(folders, one.plan), **measuring.known(context, one.plan)}
        for one in group
    }
    measure = kept_measure(context.store, context.reporter.line)
    return reporting.make_report([one.own.path for one in group], stock, measured, measure)
