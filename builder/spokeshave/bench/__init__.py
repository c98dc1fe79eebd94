"""Speed of two installs compared with upstream's own ASV benchmarks, their import time and memory.

`race.race` is the entry for wheels: it makes the installs and finds the suites. `compare_installs` is one
comparison. It runs the timing benchmarks of a suite under two interpreters
("ours" and "stock") in long-lived processes on one CPU with one thread (or more), by turns A B B A, and gives
time ratios ours / stock. Time in which other processes had the CPU is known from the kernel and
taken off, so that a busy machine does little harm. Both interpreters' environments need
`asv_runner`, ASV's runner library.

A case's ratio is the quotient of the two sides' seconds per call, each the mean of the lower half
of its samples, since disturbances only add time. What stands out (slower than 1.10, faster than
0.90) is measured again in two further pairs of fresh processes, and the median of the three ratios
counts: where data happen to lie in memory alone moves some benchmarks by more than ten per cent
from one process to the next. An A/A run, stock against a second stock install, shows the noise that
is left; a few per cent of it belong to the copy of the files, and stay however often one measures.
"""

from spokeshave.bench.checkpoint import read_journal
from spokeshave.bench.compare import OnProgress, Told, compare_installs
from spokeshave.bench.findings import BenchReport, CaseResult, ImportResult, read_json, write_json
from spokeshave.bench.model import Case, Fault, Options, Progress, Visit
from spokeshave.bench.printing import tables
from spokeshave.bench.stats import Summary
from spokeshave.errors import BenchError

__all__ = [
    "BenchError",
    "BenchReport",
    "Case",
    "CaseResult",
    "Fault",
    "ImportResult",
    "OnProgress",
    "Options",
    "Progress",
    "Summary",
    "Told",
    "Visit",
    "compare_installs",
    "read_journal",
    "read_json",
    "tables",
    "write_json",
]
