"""Lists the LAPACK drivers whose workspace query overflows with 32-bit indices, and the first such n.

    .venv/bin/python ci/workspaces.py numpy-2.4.6-*.whl scipy-1.17.1-*.whl
    .venv/bin/python ci/workspaces.py numpy-2.4.6-*.whl scipy-1.17.1-*.whl --all
    .venv/bin/python ci/workspaces.py numpy-2.4.6-*.whl scipy-1.17.1-*.whl --ours libopenblas_slim.so.0

A driver that is called with lwork = -1 returns the size of its workspace and reads no matrix, so this takes
no memory. The PyPI wheel of numpy has a BLAS with 64-bit indices, that of scipy one with 32-bit indices: the
first n whose results differ is the limit. Matrices are n by n (of orcsd 2 n by 2 n), with n right-hand
sides. Without `--all`, drivers whose workspace is a few n are not printed; they overflow from 16 million on.

With `--ours`, the results of our library at a few n are compared with those of PyPI's, in both widths.

No argument of zgesdd has the length of its real workspace (2 n^2 elements), so no query shows its limit.
"""

from __future__ import annotations

import argparse
import ctypes
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from math import nan
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from spokeshave.inside import wheel

LAST = 2**31 - 1
TYPES = {"s": ctypes.c_float, "d": ctypes.c_double, "c": ctypes.c_float, "z": ctypes.c_double}


@dataclass(frozen=True, slots=True)
class Driver:
    """A driver: who calls it, its arguments, and the values of those that are letters.

    An argument is `n` or `m` (n or 2 n, as a size or a leading dimension), `1`, `?` (a letter), `.` (an array
    that a query does not touch), `w`, `r` or `i` (a workspace: of the type, real, of integers), `-` (its
    length, -1), `R` (`rwork` without a length), `t` (an array of real types alone) or `x` (info).
    """

    name: str
    callers: str
    arguments: str
    letters: tuple[str, ...] = ("",)
    kinds: str = "sdcz"


BLOCKS = ". m . m . m . m . . m . m . m . m"  # four of the matrix, theta, four of the result
DRIVERS = (
    Driver("gesdd", "numpy svd, pinv; scipy svd", "? n n . n . . n . n w - R i x", ("N", "S", "A")),
    Driver("gesvd", "scipy svd", "? ? n n . n . . n . n w - R x", ("NN", "SS", "AA")),
    Driver("syevd", "numpy eigh, eigvalsh; scipy eigh", "? ? n . n . w - i - x", ("NL", "VL"), "sd"),
    Driver("heevd", "numpy eigh, eigvalsh; scipy eigh", "? ? n . n . w - r - i - x", ("NL", "VL"), "cz"),
    Driver("syev", "scipy eigh", "? ? n . n . w - x", ("VL",), "sd"),
    Driver("heev", "scipy eigh", "? ? n . n . w - R x", ("VL",), "cz"),
    Driver("syevr", "scipy eigh", "? ? ? n . n . . 1 n . . . . n . w - i - x", ("VAL",), "sd"),
    Driver("heevr", "scipy eigh", "? ? ? n . n . . 1 n . . . . n . w - r - i - x", ("VAL",), "cz"),
    Driver("syevx", "scipy eigh", "? ? ? n . n . . 1 n . . . . n w - i . x", ("VAL",), "sd"),
    Driver("heevx", "scipy eigh", "? ? ? n . n . . 1 n . . . . n w - R i . x", ("VAL",), "cz"),
    Driver("sygvd", "scipy eigh", "1 ? ? n . n . n . w - i - x", ("VL",), "sd"),
    Driver("hegvd", "scipy eigh", "1 ? ? n . n . n . w - r - i - x", ("VL",), "cz"),
    Driver("sbevd", "scipy eig_banded", "? ? n 1 . n . . n w - i - x", ("VL",), "sd"),
    Driver("hbevd", "scipy eig_banded", "? ? n 1 . n . . n w - r - i - x", ("VL",), "cz"),
    Driver("stemr", "scipy eigh_tridiagonal", "? ? n . . . . 1 n . . . n n . . w - i - x", ("VA",), "sd"),
    Driver("geev", "numpy eig, eigvals; scipy eig", "? ? n . n . t . n . n w - R x", ("VV",)),
    Driver("ggev", "scipy eig", "? ? n . n . n . t . . n . n w - R x", ("VV",)),
    Driver("gees", "scipy schur", "? ? . n . n . . t . n w - R . x", ("VN",)),
    Driver("gges", "scipy qz", "? ? ? . n . n . n . . t . . n . n w - R . x", ("VVN",)),
    Driver("gehrd", "scipy hessenberg", "n 1 n . n . w - x"),
    Driver("orghr", "scipy hessenberg", "n 1 n . n . w - x", kinds="sd"),
    Driver("unghr", "scipy hessenberg", "n 1 n . n . w - x", kinds="cz"),
    Driver("geqrf", "numpy qr; scipy qr", "n n . n . w - x"),
    Driver("orgqr", "numpy qr; scipy qr", "n n n . n . w - x", kinds="sd"),
    Driver("ungqr", "numpy qr; scipy qr", "n n n . n . w - x", kinds="cz"),
    Driver("geqp3", "scipy qr", "n n . n . . w - R x"),
    Driver("ormqr", "scipy qr_multiply", "? ? n n n . n . . n w - x", ("LN",), "sd"),
    Driver("unmqr", "scipy qr_multiply", "? ? n n n . n . . n w - x", ("LN",), "cz"),
    Driver("gerqf", "scipy rq", "n n . n . w - x"),
    Driver("orgrq", "scipy rq", "n n n . n . w - x", kinds="sd"),
    Driver("ungrq", "scipy rq", "n n n . n . w - x", kinds="cz"),
    Driver("gelsd", "numpy lstsq; scipy lstsq", "n n n . n . n . . . w - r i x", kinds="cz"),
    Driver("gelsd", "numpy lstsq; scipy lstsq", "n n n . n . n . . . w - i x", kinds="sd"),
    Driver("gelss", "scipy lstsq", "n n n . n . n . . . w - R x"),
    Driver("gelsy", "scipy lstsq", "n n n . n . n . . . w - R x"),
    Driver("sysv", "scipy solve", "? n n . n . . n w - x", ("L",)),
    Driver("hesv", "scipy solve", "? n n . n . . n w - x", ("L",), "cz"),
    Driver("sytrf", "scipy ldl", "? n . n . w - x", ("L",)),
    Driver("hetrf", "scipy ldl", "? n . n . w - x", ("L",), "cz"),
    Driver("getri", "scipy inv", "n . n . w - x"),
    Driver("orcsd", "scipy cossin", f"? ? ? ? ? ? m n n {BLOCKS} w - . x", ("YYYYND",), "sd"),
    Driver("uncsd", "scipy cossin", f"? ? ? ? ? ? m n n {BLOCKS} w - r - . x", ("YYYYND",), "cz"),
)  # fmt: skip


class Lapack:
    """A LAPACK library: the symbols' suffix and the type of its integers."""

    def __init__(self, path: Path, suffix: str, integer: type[ctypes.c_int32] | type[ctypes.c_int64]) -> None:
        self._library, self._suffix, self._integer = ctypes.CDLL(str(path)), suffix, integer

    def has(self, driver: Driver, kind: str) -> bool:
        """Whether the library exports the driver: ours has few with 64-bit integers."""
        return hasattr(self._library, f"scipy_{kind}{driver.name}_{self._suffix}")

    def query(self, driver: Driver, kind: str, letters: str, n: int) -> tuple[float, ...]:
        """How long the driver says that its workspaces must be; `()` where it refuses n."""
        real, whole = TYPES[kind], self._integer
        info = whole(0)
        answers: list[Any] = []
        passed: list[Any] = []
        rest = iter(letters)
        for word in driver.arguments.split():
            if word == "?":
                passed.append(ctypes.c_char_p(next(rest).encode()))
            elif word in "n1m":
                passed.append(ctypes.byref(whole({"n": n, "1": 1, "m": 2 * n}[word])))
            elif word == "-":
                passed.append(ctypes.byref(whole(-1)))
            elif word in "wri":
                answers.append(((whole if word == "i" else real) * 2)())
                passed.append(ctypes.byref(answers[-1]))
            elif word == "x":
                passed.append(ctypes.byref(info))
            elif word == "." or (word == "R" and kind in "cz") or (word == "t" and kind in "sd"):
                passed.append((real * 64)())
        lengths = [ctypes.c_size_t(1)] * len(letters)
        getattr(self._library, f"scipy_{kind}{driver.name}_{self._suffix}")(*passed, *lengths)
        if info.value:
            return ()
        return tuple(float(a[0]) for a in answers)


def limit(
    narrow: Lapack, wide: Lapack, driver: Driver, kind: str, letters: str
) -> tuple[int, float, float] | None:
    """The first n whose answers differ, the workspace that it needs, and the answer of 32-bit indices."""

    def answers(n: int) -> list[tuple[float, float]]:
        true = wide.query(driver, kind, letters, n)
        if not true:
            raise ValueError(f"{kind}{driver.name}: the BLAS with 64-bit indices refuses n = {n}")
        return list(zip(true, narrow.query(driver, kind, letters, n) or [nan] * len(true), strict=True))

    def differ(n: int) -> bool:
        return not all(abs(true - ours) <= 1e-6 * true for true, ours in answers(n))

    good = 1
    for bad in _grid(LAST // 2 if "m" in driver.arguments else LAST):
        if differ(bad):
            break
        good = bad
    else:
        return None
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (good, middle) if differ(middle) else (middle, bad)
    return bad, *max(answers(bad))


def differences(ours: Path, narrow: Lapack, wide: Lapack) -> Iterator[str]:
    """The queries that our library answers otherwise than PyPI's of the same width."""
    pairs = (
        ("LP64", Lapack(ours, "", ctypes.c_int32), narrow, (100, 1000, 5001)),
        ("ILP64", Lapack(ours, "64_", ctypes.c_int64), wide, (100, 1000, 5001, 30_000, 50_000)),
    )
    for width, mine, theirs, sizes in pairs:
        for driver, kind, letters in _queries():
            for n in sizes if mine.has(driver, kind) else ():
                answers = mine.query(driver, kind, letters, n), theirs.query(driver, kind, letters, n)
                if answers[0] != answers[1]:
                    yield f"{width} {kind}{driver.name} {letters} n = {n}: {answers[0]}, PyPI's {answers[1]}"


def _queries() -> Iterator[tuple[Driver, str, str]]:
    return ((one, kind, letters) for one in DRIVERS for kind in one.kinds for letters in one.letters)


def _grid(last: int) -> Iterator[int]:
    n = 1000
    while n < last:
        yield n
        n += n // 50
    yield last


def _library(wheel_file: Path, name: str, folder: Path) -> Path:
    wheel.unpack(wheel_file, folder)
    (found,) = folder.glob(f"*.libs/{name}")
    return found


def _print_limits(narrow: Lapack, wide: Lapack, *, everything: bool) -> None:
    print("| driver | called by | first n that overflows | needs | answer |\n|---|---|---|---|---|")
    for driver, kind, letters in _queries():
        found = limit(narrow, wide, driver, kind, letters)
        if everything or (found and found[0] < 10**6):
            shown = f"{found[0]:,} | {found[1]:,.0f} | {found[2]:,.0f}" if found else "none | |"
            print(f"| {kind}{driver.name} {letters} | {driver.callers} | {shown} |", flush=True)


def main() -> int:
    """Prints the table, in Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("numpy", type=Path, help="PyPI's wheel of numpy, whose BLAS has 64-bit indices")
    parser.add_argument("scipy", type=Path, help="PyPI's wheel of scipy, whose BLAS has 32-bit indices")
    parser.add_argument(
        "--all", action="store_true", help="print drivers whose limit is above 10^6 or none, too"
    )
    parser.add_argument("--ours", type=Path, help="compare with this library; exits with 1 where it differs")
    options = parser.parse_args()
    with TemporaryDirectory() as scratch:
        libraries = (Path(scratch) / "narrow", Path(scratch) / "wide")
        narrow = Lapack(_library(options.scipy, "libscipy_openblas-*", libraries[0]), "", ctypes.c_int32)
        wide = Lapack(_library(options.numpy, "libscipy_openblas64_-*", libraries[1]), "64_", ctypes.c_int64)
        if options.ours:
            found = list(differences(options.ours, narrow, wide))
            print("\n".join([*found, f"{len(found)} answers differ"]))
            return 1 if found else 0
        _print_limits(narrow, wide, everything=options.all)
    return 0


if __name__ == "__main__":
    sys.exit(main())
