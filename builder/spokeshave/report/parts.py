"""The parts of the stack, compared with the PyPI wheels: each package, and the BLAS in a separate row.

PyPI's numpy and scipy each contain an OpenBLAS with its Fortran run-time; ours share one wheel. A package can
be compared with its PyPI wheel only if the libraries are in a separate row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from spokeshave.inside.sizes import KINDS, FileSize, Sizes, by_kind, sum_known
from spokeshave.inside.wheel import parse_name

BLAS = "BLAS, Fortran"
_LIBRARIES = re.compile(r"\.libs/lib(\w*openblas|gfortran|quadmath)")

SideName = Literal["ours", "stock"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """A part of the stack on one side, in bytes; `wheel` is its share of the wheel files."""

    kinds: dict[str, int]
    unpacked: int
    bytecode: int | None
    wheel: int

    @property
    def installed(self) -> int | None:
        """Unpacked with bytecode; None if that was not measured."""
        return None if self.bytecode is None else self.unpacked + self.bytecode


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A package, or the libraries that packages share or contain; a side that lacks it is None."""

    name: str
    ours: Side | None
    stock: Side | None

    def side(self, name: SideName) -> Side | None:
        """One of the two sides by name."""
        return self.ours if name == "ours" else self.stock


def package_of(filename: str) -> str:
    """The distribution of a wheel's file name, with dashes."""
    return parse_name(filename).distribution.replace("_", "-")


def part_of(wheel: Sizes, file: str, blas: str) -> str:
    """The part to which a file of a wheel belongs; `blas` is the distribution that provides the BLAS."""
    return BLAS if _LIBRARIES.search(file) else part_of_wheel(package_of(wheel.name), blas)


def part_of_wheel(distribution: str, blas: str) -> str:
    """The part to which the levers of a wheel belong (by distribution, with dashes or underscores)."""
    name = distribution.replace("_", "-")
    return BLAS if name == blas.replace("_", "-") else name


def parts(ours: Sequence[Sizes], stock: Sequence[Sizes], blas: str) -> tuple[Part, ...]:
    """All parts of the stack, in the order of the wheels, the libraries last."""
    left, right = _split(ours, blas), _split(stock, blas)
    names = dict.fromkeys([*left, *right])
    ordered = [*(name for name in names if name != BLAS), *([BLAS] if BLAS in names else [])]
    return tuple(Part(name=name, ours=left.get(name), stock=right.get(name)) for name in ordered)


def total(rows: Sequence[Part]) -> Part:
    """The whole stack as one part."""
    return Part(
        name="total",
        ours=_add([row.ours for row in rows]),
        stock=_add([row.stock for row in rows]),
    )


def comparable(rows: Sequence[Part]) -> bool:
    """Whether every part of ours can be compared with a PyPI wheel."""
    return bool(rows) and all(row.stock is not None for row in rows)


def _split(wheels: Iterable[Sizes], blas: str) -> dict[str, Side]:
    found: dict[str, Side] = {}
    for wheel in wheels:
        own = [file for file in wheel.files if part_of(wheel, file.name, blas) != BLAS]
        libraries = [file for file in wheel.files if part_of(wheel, file.name, blas) == BLAS]
        whole = part_of_wheel(package_of(wheel.name), blas) == BLAS
        packed = wheel.wheel if whole else sum(file.packed for file in libraries)
        # The archive's own directory counts to the package, so that the shares add up to the file.
        for name, files, share in (
            (package_of(wheel.name), own, wheel.wheel - packed),
            (BLAS, libraries, packed),
        ):
            if files:
                side = _side(files, share)
                found[name] = side if name not in found else _both(found[name], side)
    return found


def _side(files: Sequence[FileSize], wheel: int) -> Side:
    kinds = by_kind({file.name: file.size for file in files})
    return Side(
        kinds=kinds,
        unpacked=sum(kinds.values()),
        bytecode=sum_known(file.bytecode for file in files),
        wheel=wheel,
    )


def _add(sides: Sequence[Side | None]) -> Side | None:
    found: Side | None = None
    for side in sides:
        if side is not None:
            found = side if found is None else _both(found, side)
    return found


def _both(one: Side, other: Side) -> Side:
    return Side(
        kinds={kind: one.kinds[kind] + other.kinds[kind] for kind in KINDS},
        unpacked=one.unpacked + other.unpacked,
        bytecode=sum_known((one.bytecode, other.bytecode)),
        wheel=one.wheel + other.wheel,
    )
