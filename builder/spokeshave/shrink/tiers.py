"""The smallest available wheel of each package: PyPI's wheels are slimmed on all CPUs, and kept by key."""

from __future__ import annotations

import json
import multiprocessing
import signal
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from spokeshave import own_code
from spokeshave.context import Context
from spokeshave.errors import BuildError, SpokeshaveError
from spokeshave.inside.model import digest_of
from spokeshave.inside.sizes import sizes
from spokeshave.shrink.model import Chosen, Method, Pick, Prepared, Slimmer, Tier
from spokeshave.slim.intake import read_stock
from spokeshave.slim.make_wheel import slim
from spokeshave.slim.model import Settings

_KIND = "shrunk"  # of the store's entries: a slim wheel and its record, or a record alone
_RECORD = "shrink.json"
_LARGEST = 5  # levers that a row names
_PYTHON = list(sys.version_info[:2])  # the docstring levers parse with the running Python


def _general(pick: Pick, path: Path) -> Prepared:
    """The levers alone, which need no data."""
    return Prepared(slim=slim)


METHODS = (Method(tier="slim", prepare=_general),)
"""The ways to slim PyPI's wheels, best first; the last one has something for every wheel."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Job:
    """One wheel for another process: it is slimmed in `folder`, which is then stored by `key`."""

    path: Path
    tier: Tier
    slim: Slimmer
    settings: Settings
    key: str
    folder: Path


def slim_all_wheels(
    context: Context,
    wheels: Mapping[Pick, Path],
    *,
    settings: Settings,
    methods: Sequence[Method] = METHODS,
) -> tuple[Chosen, ...]:
    """Slims PyPI's wheels (pick to file), each with the first method that applies, in the order of `wheels`.

    A wheel that a method refuses, or that gets no smaller, is used as it is. Raises KeyboardInterrupt once
    the processes have ended; finished wheels are in the store then.
    """
    code = own_code.code_digest("slim")
    done: dict[Pick, Chosen] = {}
    jobs: dict[Pick, _Job] = {}
    with context.store.scratch() as scratch:
        for number, (pick, path) in enumerate(wheels.items()):
            tier, found = _first(methods, pick, path)
            key = digest_of([pick.sha256, pick.filename, asdict(settings), tier, found.key, code, _PYTHON])
            entry = context.store.get(_KIND, key)
            if entry:
                done[pick] = _chosen(pick, path, entry, tier)
            else:
                folder = scratch / str(number)
                folder.mkdir()
                jobs[pick] = _Job(
                    path=path, tier=tier, slim=found.slim, settings=settings, key=key, folder=folder
                )
        if jobs:
            with context.reporter.stage(
                f"slimming {len(jobs)} wheels on {min(context.cpus, len(jobs))} CPUs"
            ):
                done |= _run(context, jobs)
    return tuple(done[pick] for pick in wheels)


def _first(methods: Sequence[Method], pick: Pick, path: Path) -> tuple[Tier, Prepared]:
    """The first method that has something for a wheel."""
    for method in methods:
        if found := method.prepare(pick, path):
            return method.tier, found
    return "slim", _general(pick, path)


def _run(context: Context, jobs: Mapping[Pick, _Job]) -> dict[Pick, Chosen]:
    """Runs the jobs, largest wheels first, and stores each as soon as it is done."""
    done: dict[Pick, Chosen] = {}
    pool = ProcessPoolExecutor(
        max_workers=min(context.cpus, len(jobs)),
        mp_context=multiprocessing.get_context("spawn"),  # a fork would copy the threads' locks
        initializer=_end_with_ctrl_c,
    )
    order = sorted(jobs, key=lambda pick: -jobs[pick].path.stat().st_size)
    try:
        futures = {pool.submit(_slim_one, jobs[pick]): pick for pick in order}
        for number, future in enumerate(as_completed(futures), 1):
            pick = futures[future]
            job = jobs[pick]
            if reason := future.result():
                done[pick] = as_it_is(pick, job.path, reason)
            else:
                entry = context.store.put(_KIND, job.key, partial(_fill, job.folder / "made"))
                done[pick] = _chosen(pick, job.path, entry, job.tier)
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
        slimmed = job.slim(read_stock(job.path), job.settings, output=work / "wheel", scratch=work / "tree")
    except SpokeshaveError as fault:
        return fault.what.removeprefix(f"{job.path}: ")
    smaller = slimmed.after.unpacked < slimmed.before.unpacked
    if smaller:
        slimmed.wheel.rename(made / slimmed.wheel.name)
    record = {**slimmed.to_json(), "gone": list(slimmed.gone), "smaller": smaller}
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
        lost=tuple(record.get("lost", ())),
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
