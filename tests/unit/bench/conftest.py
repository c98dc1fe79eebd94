"""A made-up ASV suite with a clock of its own, so that its ratios do not depend on the machine."""

import sys
from pathlib import Path

import pytest

LIBRARY = """
import os

COST = float(os.environ.get("FAKE_COST", "1"))  # milliseconds that one unit of work takes
OURS = "FAKE_COST" in os.environ
spent = 0.0


def clock():
    return spent


def work(units=1):
    global spent
    spent += units * COST / 1000
"""

WORK = """
import os
import sys
from .library import OURS, clock, work

print("noise on stdout while importing")


class Work:
    timer = staticmethod(clock)
    params = [[1, 2, 3], ["a", "b"]]
    param_names = ["units", "letter"]

    def setup(self, units, letter):
        self.ready = True

    def time_units(self, units, letter):
        print("noise", sys.stdin.read())
        assert self.ready
        work(units)

    def track_nothing(self, units, letter):
        return 1


class Cached:
    timer = staticmethod(clock)
    number = 1

    def setup_cache(self):
        return {"units": 2}

    def setup(self, cache):
        self.fresh = True

    def time_fresh_each_time(self, cache):
        assert self.fresh
        self.fresh = False
        work(cache["units"])


class Faulty:
    params = ["ours", "both", "skipped", "crash"]

    def setup(self, how):
        if how == "skipped":
            raise NotImplementedError

    def time_it(self, how):
        if how == "both" or (how == "ours" and OURS):
            raise ValueError("no luck")
        if how == "crash" and not OURS:
            os._exit(3)


def time_module_level():
    work()


time_module_level.timer = clock
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    package = tmp_path / "asv" / "benchmarks"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "library.py").write_text(LIBRARY)
    (package / "bench_work.py").write_text(WORK)
    (package / "bench_broken.py").write_text("import spokeshave_no_such_module")
    (package / "bench_slow.py").write_text(
        "import time\n\ndef time_slow():\n    time.sleep(60)\n\ntime_slow.number = 1\n"
    )
    return package.parent


@pytest.fixture
def stock() -> Path:
    pytest.importorskip("asv_runner")
    return Path(sys.executable)


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """The same interpreter, under which each unit of work costs three times as much."""
    script = tmp_path / "ours"
    script.write_text(f'#!/bin/sh\nFAKE_COST=3 exec "{sys.executable}" "$@"\n')
    script.chmod(0o755)
    return script
