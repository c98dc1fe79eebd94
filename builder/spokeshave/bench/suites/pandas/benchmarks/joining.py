"""Tables put together: by a column, by the index, by the nearest time, end to end."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd

from .frames import ROWS, clock, keys, rng, values


class Merge:
    params: ClassVar[list[list[str]]] = [["int", "str"], ["inner", "left", "outer"]]
    param_names: ClassVar[list[str]] = ["key", "how"]

    def setup(self, key: str, how: str) -> None:
        self.left = pd.DataFrame({"key": keys(key, 20_000), "x": values()})
        right = keys(key, 30_000).drop_duplicates().iloc[::2]
        self.right = pd.DataFrame({"key": right, "y": values(len(right)).to_numpy()})

    def time_merge(self, key: str, how: str) -> None:
        self.left.merge(self.right, on="key", how=how)


class Together:
    def setup(self) -> None:
        order = rng().permutation(ROWS)
        self.left = pd.DataFrame({"x": values()}, index=order)
        self.right = pd.DataFrame({"y": values()}, index=order[::-1])
        self.parts = [pd.DataFrame({"a": values(2_000), "b": keys("str", rows=2_000)}) for _ in range(30)]
        self.trades = pd.DataFrame({"t": clock(freq="3s"), "x": values()})
        self.quotes = pd.DataFrame({"t": clock(freq="2s"), "y": values()})

    def time_join_on_index(self) -> None:
        self.left.join(self.right)

    def time_add_with_alignment(self) -> None:
        self.left["x"] + self.right["y"]

    def time_concat_rows(self) -> None:
        pd.concat(self.parts, ignore_index=True)

    def time_concat_columns(self) -> None:
        pd.concat([self.left, self.right], axis=1)

    def time_merge_asof(self) -> None:
        pd.merge_asof(self.trades, self.quotes, on="t")
