"""The suites of docs/data/speed.toml from the JSON of `spokeshave bench --exhaustive`."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections import defaultdict
from typing import Any

import tomli_w

_HEAD = (
    "# Speed of `lean`: time ratios, ours / PyPI's. `ci/tables --speed bench.json` writes the suites, from\n"
    "# `spokeshave bench PACKAGE --exhaustive --json`.\n"
)
_SUITE = re.compile(r"(?P<whose>.+) suite of (?P<package>\S+)")


def updated(text: str, reports: list[dict[str, Any]]) -> str:
    """The file's text with the suites of exhaustive comparisons; each replaces that of its command.

    Raises ValueError for a comparison that is a sample, is about some benchmarks alone or was interrupted.
    """
    data = tomllib.loads(text)
    suites = {one["command"]: one for one in data.get("suite", []) if "cases" in one}
    suites |= {one["command"]: one for one in map(_suite, reports)}
    data["suite"] = sorted(suites.values(), key=lambda one: (one["package"], one["command"]))
    return _HEAD + tomli_w.dumps(data)


def _suite(report: dict[str, Any]) -> dict[str, Any]:
    found = _SUITE.match(report["suite"])
    if found is None or "exhaustive" not in report or report["interrupted"] or report["filter"]:
        raise ValueError(f"{report['file']}: no whole exhaustive comparison of a suite")
    summary, all_cases = report["summary"], report["exhaustive"]
    package, settings = found["package"], report["environment"]
    given = "".join(f" --env {shlex.quote(f'{name}={value}')}" for name, value in settings.items())
    return {
        "package": package,
        "suite": found["whose"] + "".join(f", {name}" for name in settings),
        "cases": summary["count"],
        "functions": summary["functions"],
        "mean": round(summary["mean"], 3),
        "mean_by_function": round(summary["mean_by_function"], 3),
        "quartiles": [round(value, 3) for value in summary["quartiles"]],
        "repeating": {bound: count for bound, count in all_cases["repeating_above"].items()},
        "command": f"spokeshave bench {package} --exhaustive{given}",
        "date": report["started"][:10],
        "machine": report["processor"],
        "slow": _slow(all_cases["repeating"]),
    }


def _slow(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The repeating cases by function: how many, the slowest and its ratio; the slowest function first."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["name"].split(" ", 1)[0]].append(row)
    found = []
    for function, cases in groups.items():
        worst = max(cases, key=lambda row: row["ratio"])
        case = worst["name"].removeprefix(f"{function} (").removesuffix(")") if " " in worst["name"] else ""
        found.append(
            {"function": function, "cases": len(cases), "ratio": round(worst["ratio"], 2), "case": case}
        )
    return sorted(found, key=lambda one: (-one["ratio"], one["function"]))
