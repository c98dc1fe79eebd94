"""The smallest available wheel of each package: PyPI's wheels are slimmed on all CPUs, and kept by key."""

from __future__ import annotations

import json
import multiprocessing
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from spokeshave import own_code
from spokeshave.context import Context
from spokeshave.errors import BuildError, SpokeshaveError
from spokeshave.inside.model import digest_of
from spokeshave.inside.sizes import sizes
from spokeshave.shrink.model import Chosen, Pick, Tier
from spokeshave.slim.intake import read_stock
from spokeshave.slim.levers import Spared
from spokeshave.slim.make_wheel import Known, slim
from spokeshave.slim.model import Excused, Settings, Stock

_KIND = "shrunk"  # of the store's entries: a slim wheel and its record, or a record alone
_RECORD = "shrink.json"
_LARGEST = 5  # levers that a row names
_PYTHON = list(sys.version_info[:2])  # the docstring levers parse with the running Python
Know = Callable[[Stock], Known]
"""What is known of a PyPI wheel: it must be possible to pickle it."""


def _nothing(stock: Stock) -> Known:
    return Known()


def tier_of(known: Known) -> Tier:
    """The tier of a wheel that is slimmed with what is known of it."""
    if known.recipe:
        return "recipe"
    return "rules" if known.rules and known.rules.rows else "slim"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Job:
    """One wheel for another process: it is slimmed in `folder`, which is then stored by `key`."""

    stock: Stock
    known: Known
    settings: Settings
    key: str
    folder: Path
    spared: Spared


def slim_all_wheels(
    context: Context,
    wheels: Mapping[Pick, Path],
    *,
    settings: Settings,
    know: Know = _nothing,
    library: str = "",
    spared: Spared | None = None,
) -> tuple[Chosen, ...]:
    """Slims PyPI's wheels (pick to file), each with what `know` says of it, in the order of `wheels`.

    `library` is the sha256 (hex) of the shared BLAS that may replace copies, if there is one.
    `spared` has modules that a lever of text leaves as they are. A wheel that cannot be slimmed, or that gets
    no smaller, is used as it is. Raises KeyboardInterrupt once
    the processes have ended; finished wheels are in the store then.
    """
    code = own_code.code_digest("slim")
    done: dict[Pick, Chosen] = {}
    jobs: dict[Pick, _Job] = {}
    with context.store.scratch() as scratch:
        for number, (pick, path) in enumerate(wheels.items()):
            stock = read_stock(path)
            known = know(stock)
            left = {lever: sorted(names) for lever, names in (spared or {}).items()}
            rows = [pick.sha256, pick.filename, asdict(settings), known.digest, library, code, _PYTHON, left]
            entry = context.store.get(_KIND, key := digest_of(rows))
            if entry:
                done[pick] = _chosen(pick, path, entry, tier_of(known))
            else:
                folder = scratch / str(number)
                folder.mkdir()
                jobs[pick] = _Job(
                    stock=stock, known=known, settings=settings, key=key, folder=folder, spared=spared or {}
                )
        if jobs:
            with context.reporter.stage(
                f"slimming {len(jobs)} wheels on {min(context.cpus, len(jobs))} CPUs"
            ):
                done |= _run(context, jobs)
    return tuple(done[pick] for pick in wheels)


def _run(context: Context, jobs: Mapping[Pick, _Job]) -> dict[Pick, Chosen]:
    """Runs the jobs, largest wheels first, and stores each as soon as it is done."""
    done: dict[Pick, Chosen] = {}
    pool = ProcessPoolExecutor(
        max_workers=min(context.cpus, len(jobs)),
        mp_context=multiprocessing.get_context("spawn"),  # a fork would copy the threads' locks
        initializer=_end_with_ctrl_c,
    )
    order = sorted(jobs, key=lambda pick: -jobs[pick].stock.path.stat().st_size)
    try:
        futures = {pool.submit(_slim_one, jobs[pick]): pick for pick in order}
        for number, future in enumerate(as_completed(futures), 1):
            pick = futures[future]
            job = jobs[pick]
            if reason := future.result():
                done[pick] = as_it_is(pick, job.stock.path, reason)
            else:
                entry = context.store.put(_KIND, job.key, partial(_fill, job.folder / "made"))
                done[pick] = _chosen(pick, job.stock.path, entry, tier_of(job.known))
            context.reporter.line(f"[{number}/{len(jobs)}] {pick.filename}")
    except BrokenProcessPool as fault:
        raise BuildError(
            "a process that slims wheels ended without a result; most often the memory is not enough",
            next_step="run the same command again (finished wheels are kept), on fewer CPUs (`taskset -c 0`)",
        ) from fault
    finally:
        pool.shutdown(cancel_futures=True)
    return done


def _end_with_ctrl_c() -> None:
    """In a worker: Ctrl-C ends it at once and silently; the command itself reports the interruption."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _slim_one(job: _Job) -> str:
    """In a worker: leaves the record, and the wheel if it is smaller, in the job's folder.

    Returns why there is none: a reason of this run, which is not stored.
    """
    made, work = job.folder / "made", job.folder / "work"
    made.mkdir()
    work.mkdir()
    try:
        scratch, output = work / "tree", work / "wheel"
        slimmed = slim(
            job.stock, job.settings, output=output, scratch=scratch, spared=job.spared, known=job.known
        )
    except SpokeshaveError as fault:
        return fault.what.removeprefix(f"{job.stock.path}: ")
    if slimmed.smaller:
        slimmed.wheel.rename(made / slimmed.wheel.name)
    record = {
        **slimmed.to_json(),
        "gone": list(slimmed.gone),
        "excused": asdict(slimmed.excused),
        "requires": [canonicalize_name(slimmed.library.distribution)] if slimmed.library else [],
        "smaller": slimmed.smaller,
    }
    (made / _RECORD).write_text(json.dumps(record), "utf-8")
    return ""


def _fill(made: Path, folder: Path) -> None:
    for path in made.iterdir():
        path.rename(folder / path.name)


def _chosen(pick: Pick, path: Path, entry: Path, tier: Tier) -> Chosen:
    """A finished wheel of the store."""
    record: dict[str, Any] = json.loads((entry / _RECORD).read_text("utf-8"))
    if not record["smaller"]:
        return as_it_is(pick, path, "no lever makes it smaller")
    return Chosen(
        pick=pick,
        stock=path,
        wheel=entry / record["wheel"]["name"],
        sha256=record["wheel"]["sha256"],
        tier=tier,
        why=_why(record["levers"]),
        before=record["stock"]["unpacked"],
        after=record["wheel"]["unpacked"],
        record={"levers": record["levers"]},
        gone=tuple(record["gone"]),
        excused=Excused(**{name: tuple(row) for name, row in record["excused"].items()}),
        requires=tuple(record["requires"]),
    )


def _why(levers: Sequence[Mapping[str, Any]]) -> str:
    """The levers that removed most, in MB."""
    rows = sorted((row for row in levers if row["saved"] > 0), key=lambda row: -row["saved"])
    return ", ".join(f"{row['name']} {row['saved'] / 1e6:.2f}" for row in rows[:_LARGEST])


def as_it_is(pick: Pick, path: Path, why: str) -> Chosen:
    """PyPI's wheel itself."""
    size = sizes(path).unpacked
    return Chosen(
        pick=pick,
        stock=path,
        wheel=path,
        sha256=pick.sha256,
        tier="as it is",
        why=why,
        before=size,
        after=size,
    )
