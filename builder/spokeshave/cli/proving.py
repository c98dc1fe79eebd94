"""`verify`, `report`: what was built, proved and weighed."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from spokeshave import measure as measuring
from spokeshave import proofs
from spokeshave import report as reporting
from spokeshave import verify as verifying
from spokeshave.cli.base import Globals, guarded
from spokeshave.context import Context
from spokeshave.errors import VerifyError, WheelError
from spokeshave.trial import Candidate, Level, own_stock_wheel


@click.command()
@click.argument(
    "wheels", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="WHEEL..."
)
@click.option(
    "--level",
    type=click.Choice(["smoke", "core", "full"]),
    default="core",
    show_default=True,
    help="How many of upstream's tests: seconds, minutes, or all that are not slow.",
)
@click.option(
    "--record",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Also write a record of each proof, to be committed.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the reports as JSON to stdout.")
@click.pass_obj
@guarded
def verify(
    options: Globals, *, wheels: tuple[Path, ...], level: Level, record: Path | None, as_json: bool
) -> None:
    """Prove WHEELs in a clean place: content, imports, upstream's tests beside the stock wheel's.

    \b
    Examples:
      spokeshave verify wheelhouse/*.whl
      spokeshave verify wheelhouse/numpy-*.whl --level full --json
      spokeshave verify wheelhouse/*+lean*.whl --level full --record recipes/proofs
    """
    context = options.context()
    reports = []
    for candidate in verifying.candidates(context, wheels):
        reports.append(verifying.verify(context, candidate, level))
        if record:
            proofs.write_record(record, candidate, reports[-1])
    if as_json:
        click.echo(json.dumps([asdict(report) for report in reports], indent=1, sort_keys=True))
    else:
        for report in reports:
            _show(options, report)
    failed = [report.wheel for report in reports if not report.passed]
    if failed:
        raise VerifyError(
            f"{len(failed)} of {len(reports)} wheels failed: {', '.join(failed)}",
            next_step="the .verify.json beside each wheel lists every fault with its reason",
            log=context.logs,
        )


def _show(options: Globals, report: verifying.VerifyReport) -> None:
    def say(text: str) -> None:
        options.stdout.print(text, markup=False, highlight=False, soft_wrap=True)

    say(f"{'PASSED' if report.passed else 'FAILED'} {report.wheel} ({report.level})")
    say(f"  modules imported: {report.imported}")
    result: Any = report.comparison
    if result:
        for side in ("ours", "stock"):
            counts = ", ".join(f"{count:,} {word}" for word, count in sorted(result[side].items()))
            say(f"  {side + ':':<6} {counts}")
        left_out = {reason: len(tests) for reason, tests in result["skipped"].items()}
        say(f"  left out by the recipe: {sum(left_out.values())}")
        for reason, count in left_out.items():
            say(f"    {count:>5}  {reason}")
        for part, tests in result["removed"].items():
            say(f"  removed with component {part}: {len(tests):,} tests that pass on stock")
        say(f"  skipped by the tests themselves: {sum(result['skip_reasons'].values()):,}")
        say(f"  failing on stock too: {len(result['both_failed'])}")
    if report.flaky:
        say(f"  flaky: {len(report.flaky)}: " + ", ".join(sorted(report.flaky)[:5]))
    for fault in report.faults[:30]:
        say(f"  fault: {fault}")
    if len(report.faults) > 30:
        say(f"  … and {len(report.faults) - 30} more")


@click.command()
@click.argument("wheels", nargs=-1, type=click.Path(path_type=Path, dir_okay=False), metavar="[WHEEL...]")
@click.option("--json", "as_json", is_flag=True, help="Write the report as JSON to stdout.")
@click.pass_obj
@guarded
def report(options: Globals, wheels: tuple[Path, ...], as_json: bool) -> None:
    """Show sizes beside the stock wheels, and what each lever saved.

    Without WHEELs, reports on each profile's wheels in ./wheelhouse.

    \b
    Examples:
      spokeshave report
      spokeshave report wheelhouse/*+lean*.whl --json
    """
    context = options.context()
    found = wheels or tuple(sorted(Path("wheelhouse").glob("*.whl")))
    if not found:
        raise WheelError("there is no wheel in ./wheelhouse", next_step="spokeshave build numpy")
    reports = {label: _report(context, group) for label, group in _by_profile(context, found).items()}
    if as_json:
        click.echo(json.dumps({k: reporting.to_json(v) for k, v in reports.items()}, indent=1))
        return
    for label, one in reports.items():
        options.stdout.rule(f"profile {label}")
        options.stdout.print(reporting.size_table(one))
        options.stdout.print(reporting.lever_table(one))
        for name, verdict in one.verified.items():
            options.stdout.print(f"{name}: {verdict}", markup=False, highlight=False, soft_wrap=True)


def _by_profile(context: Context, wheels: tuple[Path, ...]) -> dict[str, list[Candidate]]:
    groups: dict[str, list[Candidate]] = {}
    for candidate in verifying.candidates(context, wheels):
        groups.setdefault(candidate.plan.profile, []).append(candidate)
    return groups


def _report(context: Context, group: list[Candidate]) -> reporting.Report:
    stock = [path for one in group if (path := own_stock_wheel(context, one)) is not None]
    measured = {one.plan.digest: measuring.known(context, one.plan) for one in group}
    return reporting.make_report([one.wheel for one in group], stock, measured)
