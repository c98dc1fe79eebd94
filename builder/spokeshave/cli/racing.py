"""`bench`: the speed of our wheels beside others."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import click

from spokeshave.bench.journal import read_journal
from spokeshave.bench.race import Outcome, Part, RaceRequest, race
from spokeshave.bench.report import BenchReport, read_json
from spokeshave.bench.results import BLAS, to_json
from spokeshave.bench.sides import Contest
from spokeshave.bench.tables import differing, grid, tables
from spokeshave.cli.base import Globals, guarded
from spokeshave.cli.places import RESULT_FILE, RESULT_FOLDER
from spokeshave.cli.pythons import python_option
from spokeshave.errors import Interrupted
from spokeshave.files import write_whole
from spokeshave.model import Target
from spokeshave.picture.speed import speed_picture

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.argument("packages", nargs=-1, metavar="[PACKAGE...]")
@click.option("--profile", default="lean", show_default=True, help="Whose wheels; stock: for the noise.")
@python_option("Python of the wheels, as a tag.")
@click.option("--wheelhouse", type=_FOLDER, default="wheelhouse", show_default=True, help="Where they lie.")
@click.option(
    "--against",
    default="stock",
    show_default=True,
    metavar="stock|PROFILE|DIR",
    help="Upstream's wheels, another profile's, or the same profile's in another folder.",
)
@click.option("--blas", is_flag=True, help="BLAS calls through numpy, by size, instead of the suites.")
@click.option("--imports", is_flag=True, help="Time and peak memory of imports, without the suites.")
@click.option(
    "--filter", "pattern", default="", metavar="REGEX", help="Only benchmarks so named, no imports."
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0),
    default=600.0,
    show_default=True,
    help="For each suite; every function is measured once even beyond it, and what is far from 1 again.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    multiple=True,
    help="Of libraries, on as many CPUs; may be repeated.  [default: 1; with --blas 1 and 2]",
)
@click.option(
    "--env",
    "environ",
    multiple=True,
    metavar="NAME=VALUE",
    help="Set for both sides, which get nothing of the caller's environment; may be repeated.",
)
@click.option(
    "--output", type=RESULT_FOLDER, metavar="DIR", help="Where the samples go (default: the wheelhouse)."
)
@click.option("--picture", type=RESULT_FILE, metavar="FILE", help="Draw the ratios, as SVG.")
@click.option(
    "--from", "sources", type=_FILE, multiple=True, metavar="FILE", help="Show earlier results again."
)
@click.option("--json", "as_json", is_flag=True, help="Write the results, without samples, to stdout.")
@click.pass_obj
@guarded
def bench(
    options: Globals,
    *,
    packages: tuple[str, ...],
    profile: str,
    python: str,
    wheelhouse: Path,
    against: str,
    blas: bool,
    imports: bool,
    pattern: str,
    seconds: float,
    threads: tuple[int, ...],
    environ: tuple[str, ...],
    output: Path | None,
    picture: Path | None,
    sources: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Race our wheels of PACKAGEs against stock: benchmark suites, imports, BLAS calls.

    Both installs run by turns, each in a process that lives long, on one CPU with one thread. Suites are
    upstream's own, out of the sdist, or spokeshave's for scikit-learn and pandas. What stands out is
    measured again in two further pairs of processes. Ctrl-C keeps what was measured; of a race that was
    killed, the samples are in a file that ends in .jsonl, which --from reads.

    \b
    Examples:
      spokeshave bench numpy
      spokeshave bench numpy scipy --seconds 300 --picture speed.svg
      spokeshave bench scikit-learn --filter 'KMeans|Forest' --json
      spokeshave bench --imports numpy scipy scikit-learn pandas
      spokeshave bench --blas --profile netlib --threads 1 --threads 2
      spokeshave bench numpy --profile lean --against full
      spokeshave bench numpy --env NPY_DISABLE_CPU_FEATURES="AVX512_SKX AVX512_ICL AVX512_SPR"
      spokeshave bench numpy --profile stock --seconds 60     # stock beside stock: the noise
      spokeshave bench --from wheelhouse/bench-numpy-lean.json --picture speed.svg
    """
    _check_pattern(pattern)
    values = _environ(environ)
    if picture and not picture.parent.is_dir():
        raise click.BadParameter(f"there is no folder {picture.parent}", param_hint="--picture")
    if not (packages or blas or sources):
        raise click.UsageError("name PACKAGEs, or give --blas or --from")
    if sources:
        return _show(options, [_kept(path) for path in sources], picture, as_json)
    contest = Contest(
        packages=tuple(dict.fromkeys(packages)) or ("numpy",),
        profile=profile,
        wheelhouse=wheelhouse,
        against=against,
        target=Target(python=python),
    )
    request = RaceRequest(
        contest=contest,
        parts=_parts(blas=blas, imports=imports, filtered=bool(pattern)),
        threads=threads or ((1, 2) if blas and len(os.sched_getaffinity(0)) > 1 else (1,)),
        seconds=seconds,
        pattern=pattern,
        output=output or _writable(wheelhouse),
        environ=values,
    )
    return _show(options, race(options.context(), request), picture, as_json)


def _writable(folder: Path) -> Path:
    """The wheelhouse, where results go that have no place of their own; raises click.BadParameter."""
    return Path(RESULT_FOLDER.convert(folder, None, None))


def _environ(rows: Iterable[str]) -> Mapping[str, str]:
    """NAME=VALUE words as a table; raises click.BadParameter."""
    pairs = [row.partition("=") for row in rows]
    for name, sign, _ in pairs:
        if not (name and sign):
            raise click.BadParameter(f"{name!r}: give it as NAME=VALUE", param_hint="--env")
        if name.endswith("_NUM_THREADS"):
            raise click.BadParameter(f"{name}: --threads says how many there are", param_hint="--env")
    return {name: value for name, _, value in pairs}


def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as fault:
        raise click.BadParameter(f"{pattern!r}: {fault}", param_hint="--filter") from fault


def _parts(*, blas: bool, imports: bool, filtered: bool) -> frozenset[Part]:
    switched: dict[Part, bool] = {"imports": imports, "blas": blas}
    if not any(switched.values()):
        switched = {"suite": True, "imports": not filtered}
    return frozenset(part for part, on in switched.items() if on)


def _kept(path: Path) -> Outcome:
    if not path.is_file():
        raise click.BadParameter(f"there is no file {path}", param_hint="--from")
    report = read_journal(path) if path.suffix == ".jsonl" else read_json(path)
    return Outcome(title=f"{path.stem}: {report.header.suite}", path=path, report=report)


def _show(options: Globals, coming: Iterable[Outcome], picture: Path | None, as_json: bool) -> None:
    """Tells each outcome when it comes, draws all of them, and fails where one was interrupted."""
    outcomes: list[Outcome] = []
    for one in coming:
        outcomes.append(one)
        if not as_json:
            _print(options, one)
        if picture:
            write_whole(picture, speed_picture([(o.title, o.report) for o in outcomes]))
    if as_json:
        click.echo(json.dumps([{"file": str(o.path), **to_json(o.report)} for o in outcomes], indent=1))
    _check_whole(outcomes)


def _check_whole(outcomes: Sequence[Outcome]) -> None:
    for one in outcomes:
        if one.report.interrupted:
            done = len(one.report.results)
            raise Interrupted(
                f"interrupted: {done} of {one.report.header.planned} cases were measured",
                next_step=f"to see them again: spokeshave bench --from {one.path}",
            )


def _print(options: Globals, outcome: Outcome) -> None:
    report: BenchReport = outcome.report
    options.stdout.rule(outcome.title)
    options.stdout.print(f"differs: {', '.join(differing(report)) or 'no version'}", markup=False)
    if outcome.path.name.startswith(f"{BLAS}-") and report.results:
        options.stdout.print(grid(report))
    for table in tables(report):
        options.stdout.print(table)
    options.stdout.print(f"all samples: {outcome.path}", markup=False, highlight=False, soft_wrap=True)
