"""The values of a comparison. Times are in seconds, memory in bytes.

A ratio is our time by that of the other side, which is `stock` in files and names: mostly the PyPI wheels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Side = Literal["ours", "stock"]
SIDES: tuple[Side, Side] = ("stock", "ours")
Kind = Literal["skipped", "failed", "timeout", "crashed"]
STOCK = "stock"  # the PyPI wheels, as files name them
PYPI = "pypi"  # the PyPI wheels, as options name them; they know `stock` from earlier versions


def side_title(label: str) -> str:
    """The name of a side in printed text: a profile or folder as it is, `stock` as PyPI."""
    return "PyPI" if label == STOCK else label


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One benchmark function with one combination of parameters, and its index on either side.

    `names` are those of the parameters, empty in files of earlier versions.
    """

    benchmark: str
    params: tuple[str, ...] = ()
    ours_index: int = 0
    stock_index: int = 0
    names: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """As ASV writes it: `module.Class.time_it(param, param)`."""
        return f"{self.benchmark}({', '.join(self.params)})" if self.params else self.benchmark

    def index(self, side: Side) -> int:
        return self.ours_index if side == "ours" else self.stock_index


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """Samples that one pair of worker processes took of one case, interleaved.

    Each sample is the seconds per call over `number` calls, in the order in which they were taken.
    """

    number: int
    ours: tuple[float, ...]
    stock: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """A case with the samples of one visit; a re-measured case has several of these."""

    case: Case
    visit: Visit


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """The reason why a case has no measurement (or no further one) on a side."""

    case: Case
    side: Side
    kind: Kind
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportSamples:
    """Fresh processes that imported one module: seconds of the import, peak resident bytes."""

    module: str
    side: Side
    seconds: tuple[float, ...]
    peak_bytes: tuple[int, ...]
    fault: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Install:
    """The interpreter and versions that a worker reports of its install."""

    interpreter: str
    python: str
    packages: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Catalogue:
    """The cases to time, in their order, and what is not timed.

    `only_ours` and `only_stock` are labels of cases that one side alone has; `broken` names the
    modules that cannot be imported, per side; `other_types` counts peakmem, track and the like.
    """

    cases: tuple[Case, ...]
    functions: int
    only_ours: tuple[str, ...] = ()
    only_stock: tuple[str, ...] = ()
    broken: Mapping[Side, Mapping[str, str]] = field(default_factory=dict)
    other_types: int = 0
    filtered: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """The options of a comparison.

    `pattern` is searched in the benchmark's name. `rounds` are of four samples each, A B B A.
    `sample_seconds` is the wanted length of one sample on the other side, `case_seconds` the time after
    which a case gets no further round, `timeout` the seconds after which it is given up. `max_cases` stops
    early. All processes are pinned to `cpu` (None: the highest one allowed). Libraries may start `threads`
    threads, on as many CPUs; imports always run with one. Both processes are replaced after
    `cases_per_worker` cases. `environ` is added to the workers' otherwise fixed environment. The imports of
    `modules` are timed, `import_rounds` times A B B A. `exhaustive` asks for every case without a time limit.
    """

    pattern: str = ""
    rounds: int = 5
    sample_seconds: float = 0.005
    case_seconds: float = 1.0
    timeout: float = 60.0
    max_cases: int | None = None
    cpu: int | None = None
    threads: int = 1
    cases_per_worker: int = 150
    environ: Mapping[str, str] = field(default_factory=dict)
    modules: tuple[str, ...] = ()
    import_rounds: int = 5
    exhaustive: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """The progress of a run: `phase` is first pass, outliers or imports; `elapsed` in seconds."""

    phase: str
    done: int
    planned: int
    elapsed: float
    label: str
