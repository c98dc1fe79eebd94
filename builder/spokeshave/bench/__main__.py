"""`python -m spokeshave.bench`: the comparison as a command, until `spokeshave bench` has it."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from spokeshave.bench import (
    BenchError,
    BenchReport,
    OnProgress,
    Options,
    Progress,
    compare_installs,
    read_journal,
    tables,
    write_json,
)
from spokeshave.bench.tables import differing

_EXISTING = click.Path(exists=True, path_type=Path)


def _follow(bar: Bar) -> OnProgress:
    task = bar.add_task("list", total=None)

    def show(progress: Progress) -> None:
        bar.update(
            task,
            description=f"{progress.phase}: {escape(progress.label[:60])}",
            completed=progress.done,
            total=progress.planned,
        )

    return show


def _show(console: Console, report: BenchReport) -> None:
    console.print(f"differs: {', '.join(differing(report)) or 'no version'}")
    for table in tables(report):
        console.print(table)


@click.command()
@click.option("--ours", type=_EXISTING, help="Interpreter of the install to judge.")
@click.option("--stock", type=_EXISTING, help="Interpreter of the install to compare with.")
@click.option("--suite", type=_EXISTING, help="Folder of the ASV benchmarks.")
@click.option("--seconds", default=600.0, show_default=True, help="Time budget.")
@click.option("--filter", "pattern", default="", help="Only benchmarks whose name this regex finds.")
@click.option("--max-cases", type=int, help="Take at most so many cases.")
@click.option("--rounds", default=5, show_default=True, help="Rounds A B B A per case.")
@click.option("--seed", default=0, show_default=True, help="Which parameters come first.")
@click.option("--cpu", type=int, help="CPU to pin to; the highest allowed one by default.")
@click.option("--threads", default=1, show_default=True, help="Threads of libraries, on as many CPUs.")
@click.option("--module", "modules", multiple=True, help="Also time this module's import.")
@click.option("--json", "out", type=click.Path(path_type=Path), help="Write all samples here.")
@click.option("--from", "source", type=_EXISTING, help="Report the journal of a stopped run.")
def main(
    *,
    ours: Path | None,
    stock: Path | None,
    suite: Path | None,
    seconds: float,
    pattern: str,
    max_cases: int | None,
    rounds: int,
    seed: int,
    cpu: int | None,
    threads: int,
    modules: tuple[str, ...],
    out: Path | None,
    source: Path | None,
) -> None:
    """Compare the speed of two installs. Beside OUT the journal OUT.jsonl grows while it runs."""
    console = Console()
    if source:
        report = read_journal(source)
    elif ours and stock and suite:
        options = Options(
            pattern=pattern, rounds=rounds, max_cases=max_cases, cpu=cpu, threads=threads, modules=modules
        )
        report = _compare(
            console,
            ours=ours,
            stock=stock,
            suite=suite,
            options=options,
            seconds=seconds,
            seed=seed,
            out=out,
        )
    else:
        raise click.UsageError("give --ours, --stock and --suite, or --from")
    if out:
        write_json(report, out)
    _show(console, report)


def _compare(
    console: Console,
    *,
    ours: Path,
    stock: Path,
    suite: Path,
    options: Options,
    seconds: float,
    seed: int,
    out: Path | None,
) -> BenchReport:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        try:
            return compare_installs(
                ours,
                stock,
                suite,
                seconds=seconds,
                seed=seed,
                options=options,
                journal=out.with_name(f"{out.name}l") if out else None,
                on_progress=_follow(bar),
            )
        except BenchError as error:
            bar.stop()
            console.print(f"error: {error.what}\n{error.next_step}", style="red", markup=False)
            sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
