"""Speed of two installs on upstream's own ASV benchmarks, with the time and memory of imports.

`suite_runs.run_suites` is the entry for wheels: it makes the installs and finds the suites.
`compare_installs` is one comparison. It runs the timing benchmarks of a suite under two interpreters,
interleaved A B B A, in long-lived processes on one CPU with one thread (or more). A ratio is the time of
"ours" by that of the other side, which code and files call `stock`. The kernel reports the time in which
other processes had the CPU, and this time is subtracted. Both interpreters' environments need `asv_runner`,
ASV's runner library.

The seconds of a call are the mean of the lower half of a side's samples, since disturbance only adds time.
Outliers (slower than 1.10, faster than 0.90) are re-measured in two further pairs of processes, and the
median of the three ratios counts: memory addresses alone move some benchmarks by more than ten per cent from
one process to the next. A comparison of the PyPI wheels with a second install of them shows the remaining
noise. A few per cent of it belong to the copy of the files and do not average out.
"""

from spokeshave.bench.checkpoint import read_journal
from spokeshave.bench.compare import Labels, OnProgress, compare_installs
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
    "Labels",
    "OnProgress",
    "Options",
    "Progress",
    "Summary",
    "Visit",
    "compare_installs",
    "read_journal",
    "read_json",
    "tables",
    "write_json",
]
