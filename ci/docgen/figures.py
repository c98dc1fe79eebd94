"""Tables of measured figures, from the TOML files of docs/data."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from docgen.markdown import how, table

_MB = "MB (10⁶ bytes)"


def makers(folder: Path) -> dict[str, Callable[[], str]]:
    """The tables by the names of their regions."""

    def read(name: str) -> dict[str, Any]:
        return load(folder, name)

    return {
        "sizes": lambda: sizes(read("sizes")),
        "speed": lambda: speed(read("speed")),
        "regressions": lambda: regressions(read("speed")),
        "imports": lambda: imports(read("speed")),
        "pgo-compile": lambda: pgo_compile(read("speed")),
        "image": lambda: image(read("image")),
        "slim": lambda: slim(read("slim")),
        "blas-limits": lambda: blas_limits(read("blas")),
        "blas-speed": lambda: blas_speed(read("blas")),
    }


def load(folder: Path, name: str) -> dict[str, Any]:
    """The figures of one file of docs/data."""
    return tomllib.loads((folder / f"{name}.toml").read_text("utf-8"))


def sizes(data: dict[str, Any]) -> str:
    """The stack in `lean`, by package and in sum, and the sums of other profiles."""
    rows = [[f"{one['name']}, unpacked", *pair(one)] for one in data["part"]]
    total = data["total"]
    rows.append(["all, unpacked", *pair(total["unpacked"])])
    rows.append(["all, with the bytecode that pip adds", *pair(total["installed"])])
    rows.append(["wheel files", *pair(total["wheels"])])
    pypi = total["unpacked"]["pypi"]
    rows += [
        [f"profile `{one['profile']}`: all, unpacked", *pair({"ours": one["unpacked"], "pypi": pypi})]
        for one in data["other"]
    ]
    return table([f"{_MB}, profile `lean`", "ours", "PyPI", "ratio"], rows, numbers=3) + "\n" + how(data)


def pair(row: dict[str, Any], digits: int = 2) -> list[str]:
    """Ours, PyPI's and the ratio of both."""
    ours, pypi = row["ours"], row["pypi"]
    return [f"{ours:.{digits}f}", f"{pypi:.{digits}f}", f"{ours / pypi:.2f}"]


def speed(data: dict[str, Any]) -> str:
    """Each suite with its spread, the cases that repeat, and the command that ran it."""
    rows = [
        [
            one["package"],
            one["suite"],
            f"{one['cases']:,}",
            one["functions"],
            f"{one['mean']:.3f}",
            f"{one['mean_by_function']:.3f}",
            " ".join(f"{value:.3f}" for value in one["quartiles"]),
            *(f"{one['repeating'][bound] / one['cases']:.1%}" for bound in ("1.15", "1.30")),
            f"`{one['command']}`, {one['date']}, {one['machine']}",
        ]
        for one in data["suite"]
    ]
    return table(_SPEED, rows)


_SPEED = [
    "package",
    "suite",
    "cases",
    "functions",
    "mean of cases",
    "mean of functions",
    "quartiles",
    "repeat above 1.15",
    "above 1.30",
    "source",
]


def regressions(data: dict[str, Any]) -> str:
    """The functions with cases that are slower in every pair of processes."""
    return table(
        ["package", "function", "cases", "slowest", "ratio"],
        [
            [one["package"], f"`{slow['function']}`", slow["cases"], slow["case"], f"{slow['ratio']:.2f}"]
            for one in data["suite"]
            for slow in one["slow"]
        ],
    )


def imports(data: dict[str, Any]) -> str:
    """Time and memory of imports."""
    rows = [[f"`import {one['name']}`", one["time"], one["memory"]] for one in data["imports"]["module"]]
    text = table(["statement", "time, ours / PyPI", "peak memory, ours / PyPI"], rows, numbers=2)
    return text + "\n" + how({**data, "command": data["imports"]["command"]})


def pgo_compile(data: dict[str, Any]) -> str:
    """The compile with and without a PGO profile."""
    rows = [[one["package"], one["with"], one["without"]] for one in data["pgo"]["compile"]]
    text = table(["compile, s", "with a PGO profile", "without"], rows, numbers=2)
    return (
        text + "\n" + how({"command": data["pgo"]["command"], "date": data["date"], "machine": "two cores"})
    )


def image(data: dict[str, Any]) -> str:
    """The example service on both images."""
    rows = [[one["name"], *pair(one, one["digits"])] for one in data["row"]]
    rows.append([f"tests passed, of {data['tests']}", data["tests"], data["tests"], ""])
    bare = data["no_bytecode"]
    rows.append(["image without bytecode, MB", *pair(bare["image"], 1)])
    rows.append(["start of the image without bytecode, s", *pair(bare["start"], 1)])
    return table(["", "ours", "PyPI", "ratio"], rows, numbers=3) + "\n" + how(data)


def slim(data: dict[str, Any]) -> str:
    """Wheels slimmed without a recipe."""
    rows = [
        [
            one["name"],
            f"{one['pypi']:.2f}",
            f"{one['slim']:.2f}",
            f"{one['all']:.2f}" if "all" in one else "refused",
            one["removed"],
            one.get("tests", "not run"),
        ]
        for one in data["wheel"]
    ]
    total = data["sum"]
    ratios = [f"{total[key]:.2f} ({total[key] / total['pypi']:.2f})" for key in ("slim", "all")]
    rows.append(["sum", f"{total['pypi']:.2f}", *ratios, "", ""])
    header = [
        "MB unpacked",
        "PyPI",
        "`slim`",
        "`slim` with all options",
        "removed by default",
        "upstream tests passed in both",
    ]
    return table(header, rows) + "\n" + how(data)


def blas_limits(data: dict[str, Any]) -> str:
    """The largest matrices of numpy.linalg."""
    rows = [[one["calls"], f"{one['n']:,}", one["reason"]] for one in data["limit"]]
    return table(["`numpy.linalg`, n by n", "largest n", "limited by"], rows)


def blas_speed(data: dict[str, Any]) -> str:
    """Size and speed of each BLAS."""
    rows = [
        [one["name"], f"{one['unpacked']:.2f}", *(f"{value:.2f}" for value in one["times"])]
        for one in data["backend"]
    ]
    header = ["BLAS", "MB unpacked", *(f"`{name}`" for name in data["calls"])]
    return table(header, rows, numbers=len(header) - 1) + "\n" + how(data)
