"""docs/data/sizes.toml from the JSON of `spokeshave report`."""

from __future__ import annotations

import tomllib
from typing import Any

import tomli_w

_MAIN = "lean"
_BLAS = "BLAS, Fortran"
_BLAS_NAME = "BLAS, LAPACK and Fortran runtime"
_HEAD = "# Sizes of `lean`, and sums of others: MB (10^6 bytes). `ci/tables --sizes report.json` writes it.\n"


def updated(text: str, reports: dict[str, dict[str, Any]], date: str) -> str:
    """The file's text with the sizes of reports by profile (bytes there, MB here) and their date."""
    data = tomllib.loads(text)
    report = reports[_MAIN]
    parts = [
        {"name": _BLAS_NAME if one["name"] == _BLAS else one["name"], **_both(one, _unpacked)}
        for one in report["parts"]
    ]
    total = report["total"]
    data |= {
        "date": date,
        "part": parts,
        "total": {
            "unpacked": _both(total, _unpacked),
            "installed": _both(total, lambda side: side["unpacked"] + side["bytecode"]),
            "wheels": _both(total, lambda side: side["wheel"]),
        },
        "other": [
            {"profile": profile, "unpacked": _both(one["total"], _unpacked)["ours"]}
            for profile, one in reports.items()
            if profile != _MAIN
        ],
        "command": "spokeshave report wheelhouse/*.whl",
    }
    return _HEAD + tomli_w.dumps(data)


def _unpacked(side: dict[str, Any]) -> int:
    return int(side["unpacked"])


def _both(part: dict[str, Any], size: Any) -> dict[str, float]:
    return {"ours": round(size(part["ours"]) / 1e6, 2), "pypi": round(size(part["stock"]) / 1e6, 2)}
