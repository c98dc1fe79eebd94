"""Columns of fixed seeds: keys of three kinds, values with gaps, words, and times."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

ROWS = 100_000
KINDS = ["int", "float", "str"]


def rng() -> Any:
    """The same numbers in every case and in both installs."""
    return np.random.default_rng(20)


def keys(kind: str, distinct: int = 500, rows: int = ROWS) -> Any:
    """A column of keys that repeat, in no order."""
    codes = rng().integers(0, distinct, rows)
    if kind == "int":
        return pd.Series(codes * 7 - 1000)
    if kind == "float":
        return pd.Series(codes * 0.25 - 3)
    return pd.Series([f"key {code:05d}" for code in range(distinct)]).take(codes).reset_index(drop=True)


def values(rows: int = ROWS, gaps: bool = False) -> Any:
    """Normal doubles, one in ten of them missing where there are to be gaps."""
    column = pd.Series(rng().normal(size=rows))
    if gaps:
        column[rng().random(rows) < 0.1] = np.nan
    return column


def table(rows: int = ROWS) -> Any:
    """One column of each common type."""
    return pd.DataFrame(
        {
            "i": rng().integers(0, 10_000, rows),
            "x": values(rows),
            "gappy": values(rows, gaps=True),
            "flag": rng().random(rows) < 0.5,
            "name": keys("str", rows=rows),
        }
    )


def clock(rows: int = ROWS, freq: str = "s") -> Any:
    """Times at equal steps."""
    return pd.date_range("2021-03-04 05:06:07", periods=rows, freq=freq)


def words(rows: int = ROWS // 4) -> Any:
    """Short texts of a few words, with digits, both cases and a letter beyond ASCII."""
    stems = ["Oak", "elm", "ASH", "lime tree", "größer", "pine-9", "maple 42"]
    picked = rng().integers(0, len(stems), (rows, 3))
    return pd.Series([f"{stems[a]} {stems[b]},{stems[c]}" for a, b, c in picked.tolist()])
