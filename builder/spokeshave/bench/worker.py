"""The worker process of one install: reads JSON commands on stdin, answers JSON on stdout.

Runs under the interpreter of that install, so it needs only the standard library,
asv_runner and what the benchmarks import. Started by path, never imported by the driver.

A command is one line, `{"do": "prepare", ...}`; so is its answer, which has `"ok": true` and
values, or `"ok": false` with `kind` ("skipped" or "failed") and `reason`. Times are in seconds.
"""

from __future__ import annotations

import functools
import gc
import importlib
import importlib.metadata
import json
import os
import pickle
import pkgutil
import platform
import random
import sys
import time
import timeit
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

Answer = dict[str, Any]
_SEED = 1  # both installs draw the same data wherever a benchmark uses a global generator


class NotApplicableError(Exception):
    """The benchmark itself says that this combination of parameters does not apply."""


class Desk:
    """Carries out the commands; holds the one benchmark that is prepared."""

    def __init__(self, suite: Path, threads: int = 1) -> None:
        self._suite = suite
        self._threads = threads
        self._asv = importlib.import_module("asv_runner.discovery")
        self._open: Any = None
        self._caches: dict[str, bytes] = {}
        # lets the suite's package be imported without its parent folder on sys.path
        importlib.import_module("asv_runner._aux").update_sys_path(str(suite))
        self._finders = list(sys.meta_path)
        self._commands: dict[str, Callable[..., Answer]] = {
            "hello": self.hello,
            "list": self.catalogue,
            "prepare": self.prepare,
            "measure": self.measure,
            "teardown": self.teardown,
        }

    def answer(self, request: Answer) -> Answer:
        """Carries out one command; a benchmark's own exception becomes an answer."""
        values = dict(request)
        try:
            return {"ok": True, **self._commands[values.pop("do")](**values)}
        except (NotApplicableError, NotImplementedError) as skip:
            return {"ok": False, "kind": "skipped", "reason": _brief(skip)}
        except (Exception, SystemExit) as error:
            traceback.print_exc()
            return {"ok": False, "kind": "failed", "reason": _brief(error)}

    def hello(self) -> Answer:
        """What this install is: its Python and the versions of its distributions."""
        found = {dist.metadata["Name"]: dist.version for dist in importlib.metadata.distributions()}
        return {"python": platform.python_version(), "versions": found}

    def catalogue(self) -> Answer:
        """All timing benchmarks with their parameters, what else there is, and broken modules."""
        benchmarks, other, broken = [], [], {}
        for module in self._modules():
            try:
                found = list(self._asv.disc_benchmarks(module))
            except (Exception, SystemExit) as error:
                traceback.print_exc()
                broken[module] = _brief(error)
                continue
            for benchmark in found:
                if benchmark.type == "time":
                    names = benchmark.param_names
                    benchmarks.append({"name": benchmark.name, "params": benchmark.params, "names": names})
                else:
                    other.append(benchmark.name)
        return {"benchmarks": benchmarks, "other": other, "broken": broken}

    def prepare(self, name: str, index: int) -> Answer:
        """Builds a benchmark afresh, as ASV's own processes do, and runs setup_cache and setup.

        `number` is the benchmark's own count of calls per sample, 0 where it leaves that to us.
        """
        self.teardown()
        benchmark = self._asv.get_benchmark_from_name(str(self._suite), name)
        sys.meta_path[:] = self._finders  # asv_runner adds one more finder each time
        benchmark.set_param_idx(index)
        benchmark.set_cache(self._cache(benchmark))
        seconds = _set_up(benchmark)
        self._open = benchmark
        return {"number": benchmark.number, "setup_seconds": seconds}

    def measure(self, number: int, fresh: bool) -> Answer:
        """Times `number` calls together, after a new setup where `fresh`; gives the total."""
        benchmark = self._open
        if fresh:
            benchmark.do_teardown()
            _set_up(benchmark)
        benchmark._redo_setup_next = False  # the timer's own setup shall do nothing
        timer = benchmark._get_timer(*benchmark._build_params())
        return {"seconds": _timed(timer, number, self._threads)}

    def teardown(self) -> Answer:
        """Ends the prepared benchmark, if there is one, and frees its data."""
        benchmark, self._open = self._open, None
        if benchmark is not None:
            benchmark.do_teardown()
            del benchmark
            gc.collect()
        return {}

    def _modules(self) -> Iterator[str]:
        package = importlib.import_module(self._suite.name)
        for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            yield info.name

    def _cache(self, benchmark: Any) -> Any:
        """What setup_cache returned: made once per worker, unpickled per benchmark, as in ASV."""
        key = benchmark.setup_cache_key
        if key is None:
            return None
        if key not in self._caches:
            _seed()
            self._caches[key] = pickle.dumps(benchmark.do_setup_cache())
        return pickle.loads(self._caches[key])  # noqa: S301  (our own bytes)


def waited() -> float:
    """Seconds that this thread has spent ready to run while something else had its CPU.

    Linux counts them in schedstat (Documentation/scheduler/sched-stats.rst); 0 where it does not.
    """
    try:
        with open("/proc/thread-self/schedstat", "rb") as stat:  # noqa: PTH123  (a hot path)
            return int(stat.read().split()[1]) / 1e9
    except OSError:
        return 0.0


def _timed(timer: Any, number: int, threads: int = 1) -> float:
    """Seconds that `number` calls take; with one thread without those in which others had the CPU.

    What was waited outside the timed part, which is never more than that part itself took, must not
    be subtracted from it. A timer of the benchmark's own is taken as it is; so is the time of several
    threads, since one that yields while it waits for another is itself what has the CPU (OpenBLAS does so).
    """
    started, before = time.perf_counter(), waited()
    inside: float = timer.timeit(number)
    stolen = waited() - before
    outside = time.perf_counter() - started - inside
    if threads > 1 or getattr(timer, "timer", None) is not timeit.default_timer:
        return inside
    return inside - max(0.0, stolen - outside)


def _set_up(benchmark: Any) -> float:
    _seed()
    started = time.perf_counter()
    if benchmark.do_setup():
        raise NotApplicableError("setup raised NotImplementedError, or skip_params names these parameters")
    return time.perf_counter() - started


def _seed() -> None:
    random.seed(_SEED)
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed(_SEED)


def _brief(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".strip()[:500]


def _private_channels() -> tuple[IO[str], IO[str]]:
    """Moves stdin and stdout away, so that what benchmarks print or read does no harm."""
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    return requests, answers


def main(suite: str, cpus: str) -> None:
    """Serves commands until stdin ends; `suite` is the benchmark package, `cpus` numbers with commas."""
    numbers = [int(cpu) for cpu in cpus.split(",")]
    os.sched_setaffinity(0, numbers)
    requests, answers = _private_channels()
    make = functools.cache(lambda: Desk(Path(suite), threads=len(numbers)))
    for line in requests:
        try:
            answer = make().answer(json.loads(line))
        except ImportError as error:
            answer = {"ok": False, "kind": "failed", "reason": _brief(error)}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
