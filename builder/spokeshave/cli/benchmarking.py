"""`bench`: the speed of our wheels compared with others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from spokeshave.bench.checkpoint import read_journal
from spokeshave.bench.findings import BenchReport, read_json
from spokeshave.bench.printing import differing, grid, tables
from spokeshave.bench.results import BLAS, to_json
from spokeshave.bench.sides import SidesRequest
from spokeshave.bench.suite_runs import BenchRequest, Outcome, Part, run_suites
from spokeshave.cli.common import Globals, guarded
from spokeshave.cli.help import Command
from spokeshave.cli.options import json_option, packages_argument, profile_option
from spokeshave.cli.paths import RESULT_FILE, RESULT_FOLDER
from spokeshave.cli.python_option import python_option
from spokeshave.errors import Interrupted
from spokeshave.inside.model import Target
from spokeshave.machine.files import write_whole
from spokeshave.machine.listing import heading, say, show
from spokeshave.machine.toolchain import usable_cpus
from spokeshave.report.speed import speed_picture

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)


def _environ(context: click.Context, option: click.Parameter, rows: Iterable[str]) -> Mapping[str, str]:
    """NAME=VALUE words as a table; raises click.BadParameter."""
    pairs = [row.partition("=") for row in rows]
    for name, sign, _ in pairs:
        if not (name and sign):
            raise click.BadParameter(f"{name!r}: give it as NAME=VALUE")
        if name.endswith("_NUM_THREADS"):
            raise click.BadParameter(f"{name}: --threads says how many there are")
    return {name: value for name, _, value in pairs}


def _checked_pattern(context: click.Context, option: click.Parameter, pattern: str) -> str:
    """The regular expression as it is; raises click.BadParameter."""
    try:
        re.compile(pattern)
    except re.error as fault:
        raise click.BadParameter(f"{pattern!r}: {fault}") from fault
    return pattern


@click.command(cls=Command)
@packages_argument()
@profile_option("Run the wheels of this profile; `pypi` runs the PyPI wheels twice, which shows the noise.")
@python_option("Run the wheels for this Python, given as a tag.")
@click.option(
    "--wheelhouse",
    type=_FOLDER,
    default="wheelhouse",
    show_default=True,
    metavar="DIR",
    help="Take the wheels from this folder.",
)
@click.option(
    "--against",
    default="pypi",
    show_default=True,
    metavar="pypi|PROFILE|DIR",
    help="Compare with the PyPI wheels (`pypi`), another profile's, or this profile's in another folder.",
)
@click.option(
    "--blas",
    is_flag=True,
    help="Time BLAS calls by size, not the suites: through numpy, with scipy as a PACKAGE through scipy too.",
)
@click.option(
    "--exhaustive",
    is_flag=True,
    help="Time every parameter combination, without a time limit; re-measure all cases above 1.15.",
)
@click.option("--imports", is_flag=True, help="Compare time and peak memory of imports, not the suites.")
@click.option(
    "--filter",
    "pattern",
    default="",
    metavar="REGEX",
    callback=_checked_pattern,
    help="Run only the benchmarks whose names match, and no imports.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    default=600.0,
    show_default=True,
    help="Run each suite for this many seconds; each function runs once even beyond that.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    metavar="N",
    multiple=True,
    help="Set the number of BLAS and OpenMP threads, one CPU each (repeatable)."
    "  [default: 1; with --blas 1 and 2]",
)
@click.option(
    "--env",
    "environ",
    multiple=True,
    callback=_environ,
    metavar="NAME=VALUE",
    help="Set this variable on both sides, which get no other of yours (repeatable).",
)
@click.option(
    "--output",
    type=RESULT_FOLDER,
    metavar="DIR",
    help="Write the samples to this folder.  [default: the wheelhouse]",
)
@click.option("--picture", type=RESULT_FILE, metavar="FILE", help="Draw the ratios into this file, as SVG.")
@click.option(
    "--from",
    "sources",
    type=_FILE,
    multiple=True,
    metavar="FILE",
    help="Show the results in this file again; run nothing (repeatable).",
)
@json_option("the results, without samples,")
@click.pass_obj
@guarded
def bench(
    options: Globals,
    *,
    picture: Path | None,
    sources: tuple[Path, ...],
    as_json: bool,
    **given: Any,
) -> None:
    """Compare the speed of our wheels of PACKAGEs with the PyPI wheels.

    Benchmark suites, imports or BLAS calls run interleaved in both installs, each in a separate process, on
    one CPU with one thread. The suites are upstream's, from the sdist, or spokeshave's for scikit-learn and
    pandas. Outliers are measured again in two more process pairs. Ctrl-C keeps the results so far. If the
    comparison is killed, its samples are in a file that ends in .jsonl; --from reads it.

    \b
    Examples:
      spokeshave bench numpy
      spokeshave bench numpy scipy --seconds 300 --picture speed.svg
      spokeshave bench scikit-learn --filter 'KMeans|Forest' --json
      spokeshave bench numpy --exhaustive --filter bench_ufunc
      spokeshave bench --imports numpy scipy scikit-learn pandas
      spokeshave bench --blas --profile netlib --threads 1 --threads 2
      spokeshave bench numpy --profile lean --against full
      spokeshave bench numpy --env NPY_DISABLE_CPU_FEATURES="AVX512_SKX AVX512_ICL AVX512_SPR"
      spokeshave bench numpy --profile pypi --seconds 60      # the noise
      spokeshave bench --from wheelhouse/bench-numpy-lean.json --picture speed.svg
    """
    if picture and not picture.parent.is_dir():
        raise click.BadParameter(f"there is no folder {picture.parent}", param_hint="--picture")
    if sources:
        return _show(options, [_kept(path) for path in sources], picture, as_json)
    return _show(options, run_suites(options.context(), _request(**given)), picture, as_json)


def _request(
    *,
    packages: tuple[str, ...],
    profile: str,
    python: str,
    wheelhouse: Path,
    against: str,
    blas: bool,
    exhaustive: bool,
    imports: bool,
    pattern: str,
    seconds: float,
    threads: tuple[int, ...],
    environ: Mapping[str, str],
    output: Path | None,
) -> BenchRequest:
    """The comparison that the options ask for; raises click's errors for options that ask for none."""
    if not (packages or blas):
        raise click.UsageError("name PACKAGEs, or give --blas or --from")
    sides = SidesRequest(
        packages=tuple(dict.fromkeys(packages)) or ("numpy",),
        profile=profile,
        wheelhouse=wheelhouse,
        against=against,
        target=Target(python=python),
    )
    return BenchRequest(
        sides=sides,
        parts=_parts(blas=blas, imports=imports, filtered=bool(pattern)),
        threads=threads or ((1, 2) if blas and usable_cpus() > 1 else (1,)),
        seconds=seconds,
        pattern=pattern,
        output=output or _writable(wheelhouse),
        environ=environ,
        exhaustive=exhaustive,
    )


def _writable(folder: Path) -> Path:
    """The wheelhouse as the folder of the results; raises click.BadParameter if it cannot be written."""
    return Path(RESULT_FOLDER.convert(folder, None, None))


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
    """Prints each outcome when it comes, draws all of them, and fails where one was interrupted."""
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
    heading(options.stdout, outcome.title)
    say(options.stdout, f"differs: {', '.join(differing(report)) or 'no version'}")
    if outcome.path.name.startswith(f"{BLAS}-") and report.results:
        show(options.stdout, grid(report))
    show(options.stdout, *tables(report))
    say(options.stdout, f"all samples: {outcome.path}")
