"""Short names of cases for readers: `Class.time_it (left_shift, uint8)`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from spokeshave.bench.findings import BenchReport
from spokeshave.bench.model import Case

# NumPy's one-letter codes of data types on Linux, as np.dtype("B").name gives them where that is one name.
_TYPES = {
    **{"?": "bool", "b": "int8", "B": "uint8", "h": "int16", "H": "uint16", "i": "int32", "I": "uint32"},
    **{"l": "int64", "L": "uint64", "q": "longlong", "Q": "ulonglong", "e": "float16", "f": "float32"},
    **{"d": "float64", "g": "longdouble", "F": "complex64", "D": "complex128", "G": "clongdouble"},
}
_WRITTEN = re.compile(r"<[\w -]+? '?([\w.]+)'?>|dtype\('(.+)'\)|'([^']*)'|\"([^\"]*)\"")


def short_names(report: BenchReport) -> Mapping[Case, str]:
    """The name of each timed case without its module; parameters that have one value alone are omitted."""
    values: dict[tuple[str, int], set[str]] = defaultdict(set)
    for result in report.results:
        for at, param in enumerate(result.case.params):
            values[result.case.benchmark, at].add(param)
    varying = {key for key, found in values.items() if len(found) > 1}
    return {result.case: _short(result.case, varying) for result in report.results}


def _short(case: Case, varying: set[tuple[str, int]]) -> str:
    name = case.benchmark.partition(".")[2] or case.benchmark
    names = case.names or ("",) * len(case.params)
    shown = [
        plain(param, names[at]) for at, param in enumerate(case.params) if (case.benchmark, at) in varying
    ]
    return f"{name} ({', '.join(shown)})" if shown else name


def plain(param: str, name: str = "") -> str:
    """A written parameter without quotes and `<class '…'>`; a type code in words if `name` says dtype."""
    found = _WRITTEN.fullmatch(param)
    if found is None:
        return param
    if found[1]:
        return found[1].rpartition(".")[2]
    text = next((group for group in found.groups() if group), "")
    return (_TYPES.get(text, text) if "type" in name else text) or param
