"""Import time and peak memory of modules, in fresh processes of both sides, interleaved."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from spokeshave.bench.dialogue import fixed_environment
from spokeshave.bench.model import ImportSamples, Options, Side
from spokeshave.errors import BenchError
from spokeshave.inside.run import Command, Runner, run

_MARK = "spokeshave-import"
_TIMEOUT = 120.0  # seconds
# VmHWM, not ru_maxrss: the latter survives exec, so that it would show the driver's size. Time in
# which others had the CPU does not count, if the kernel reports it (schedstat). The child imports
# no module beforehand that the timed module could import itself.
_CHILD = f"""
import os, sys, time
os.sched_setaffinity(0, {{int(sys.argv[1])}})
def waited():
    try:
        with open("/proc/thread-self/schedstat") as stat:
            return int(stat.read().split()[1]) / 1e9
    except OSError:
        return 0.0
waits, start = waited(), time.perf_counter()
__import__(sys.argv[2])
seconds = time.perf_counter() - start - (waited() - waits)
with open("/proc/self/status") as status:
    peak = next(line.split()[1] for line in status if line.startswith("VmHWM:"))
print("\\n{_MARK}", seconds, peak)
"""


def pinned_cpus(options: Options) -> tuple[int, ...]:
    """The CPUs to pin to, one a thread: the wanted one first, then the highest that this process may use.

    Raises BenchError if there are fewer.
    """
    allowed = sorted(os.sched_getaffinity(0), reverse=True)
    wanted = [] if options.cpu is None else [options.cpu]
    chosen = [*wanted, *(cpu for cpu in allowed if cpu not in wanted)][: options.threads]
    if len(chosen) < options.threads:
        raise BenchError(
            f"{options.threads} threads need as many CPUs, and this process may use {len(allowed)}",
            next_step="give a smaller number to --threads",
        )
    return tuple(chosen)


def _import_once(
    python: Path, module: str, home: Path, options: Options, runner: Runner
) -> tuple[float, int]:
    """Seconds and peak bytes of one import; raises RuntimeError if it fails."""
    done = runner(
        Command(
            argv=(str(python), "-P", "-c", _CHILD, str(pinned_cpus(options)[0]), module),
            cwd=home,
            env=fixed_environment(python, home, options.environ),
            timeout=_TIMEOUT,
        )
    )
    marked = [line.split() for line in done.output.splitlines() if line.startswith(_MARK)]
    if not done.ok or not marked:
        tail = done.output.strip().splitlines()[-1:]
        raise RuntimeError(*tail or (f"exit code {done.returncode}",))
    _, seconds, kibibytes = marked[-1]
    return float(seconds), int(kibibytes) * 1024


def measure_imports(
    pythons: Mapping[Side, Path], home: Path, options: Options, *, runner: Runner = run
) -> Iterator[ImportSamples]:
    """For each of `options.modules`: the samples of ours, then those of the other side.

    The first import of either side may still write bytecode and is not counted. `home` is an existing
    folder in which the processes start.
    """
    order: tuple[Side, ...] = ("ours", "stock", "stock", "ours")
    for module in options.modules:
        samples: dict[Side, list[tuple[float, int]]] = {"ours": [], "stock": []}
        faults: dict[Side, str] = {}
        for side in order[:2] + order * options.import_rounds:
            if side in faults:
                continue
            try:
                samples[side].append(_import_once(pythons[side], module, home, options, runner))
            except (RuntimeError, TimeoutError) as error:
                faults[side] = str(error)
        for side in samples:
            kept = samples[side][1:]
            yield ImportSamples(
                module=module,
                side=side,
                seconds=tuple(seconds for seconds, _ in kept),
                peak_bytes=tuple(peak for _, peak in kept),
                fault=faults.get(side, ""),
            )
