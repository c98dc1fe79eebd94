"""The files of results, and the JSON of a report for programs."""

from __future__ import annotations

import re
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from spokeshave.bench.exhaustive import exhaustive_json
from spokeshave.bench.findings import BenchReport
from spokeshave.bench.model import STOCK, Options
from spokeshave.bench.printing import differing
from spokeshave.bench.stats import FAR, centre

BLAS = "blas"  # what `spokeshave report` reads
REPEATING = (FAR, 1.5)  # bounds; the JSON lists the cases that repeat above them


def result_name(what: str, profile: str, against: str, options: Options) -> str:
    """The file name of a comparison of `what`, different for each profile, other side and set of options."""
    words = [what, profile]
    if against != STOCK:
        words += ["against", _slug(against)]
    if options.threads != 1:
        words += [str(options.threads), "threads"]
    if options.exhaustive:
        words.append("exhaustive")
    if options.pattern:
        words += ["only", _distinct(options.pattern, options.pattern)]
    for name, value in sorted(options.environ.items()):
        words += ["with", _distinct(name, value)]
    return "-".join(words) + ".json"


def _slug(text: str) -> str:
    return re.sub(r"[^\w.+]+", "-", text).strip("-.")


def _distinct(name: str, key: str) -> str:
    """A part of a file name for any text, however long."""
    digest = sha256(key.encode()).hexdigest()[:6]
    return "-".join(word for word in (_slug(name)[:40], digest) if word)


def blas_results(folder: Path, profile: str) -> tuple[Path, ...]:
    """The files that compare a profile's BLAS with that of the PyPI wheels, by number of threads."""
    found = {}
    for path in folder.glob(f"{BLAS}-{profile}*.json"):
        rest = path.stem.removeprefix(f"{BLAS}-{profile}")
        if many := re.fullmatch(r"(?:-(\d+)-threads)?", rest):
            found[int(many[1] or 1)] = path
    return tuple(found[threads] for threads in sorted(found))


def to_json(report: BenchReport) -> dict[str, Any]:
    """A report without its samples, as JSON-serialisable data; times in seconds, memory in bytes."""
    header = report.header
    return {
        "suite": header.suite,
        "against": header.against,
        "differs": list(differing(report)),
        "threads": header.options.threads,
        "environment": dict(header.options.environ),
        "filter": header.options.pattern,
        "processor": header.processor,
        "load": header.load,
        "started": header.started,
        "interrupted": report.interrupted,
        "planned": header.planned,
        "functions": header.functions,
        "only_ours": list(header.only_ours),
        "only_stock": list(header.only_stock),
        "broken": {side: dict(modules) for side, modules in header.broken.items()},
        "not_taken": report.not_taken,
        "unchecked": report.unchecked,
        "summary": asdict(report.summary) if report.summary else None,
        "exhaustive": exhaustive_json(report) if header.options.exhaustive else None,
        "repeating": {
            f"{bound:.2f}": [result.case.label for result in report.repeating(bound)] for bound in REPEATING
        },
        "cases": [
            {
                "case": result.case.label,
                "ratio": result.ratio,
                "quartiles": [result.low, result.high],
                "lasting": result.lasting,
                "pairs": len(result.visits),
                "stock_seconds": centre(result.visits[-1].stock),
            }
            for result in report.results
        ],
        "imports": [asdict(row) for row in report.imports],
        "import_faults": [
            {"module": row.module, "side": row.side, "reason": row.fault} for row in report.import_faults
        ],
        "faults": [
            {"case": fault.case.label, "side": fault.side, "kind": fault.kind, "reason": fault.reason}
            for fault in report.faults
        ],
    }
