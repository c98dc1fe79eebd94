"""Split by a key, apply, combine."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd

from .frames import KINDS, keys, rng, table, values


class ByKey:
    params: ClassVar[list[list[str]]] = [KINDS]
    param_names: ClassVar[list[str]] = ["key"]

    def setup(self, key: str) -> None:
        self.frame = pd.DataFrame({"key": keys(key), "x": values(), "y": values(gaps=True)})

    def time_sum(self, key: str) -> None:
        self.frame.groupby("key").sum()

    def time_mean(self, key: str) -> None:
        self.frame.groupby("key")["x"].mean()

    def time_agg_of_several(self, key: str) -> None:
        self.frame.groupby("key").agg({"x": ["min", "max"], "y": ["std", "count"]})

    def time_transform(self, key: str) -> None:
        self.frame.groupby("key")["y"].transform("mean")

    def time_size_unsorted(self, key: str) -> None:
        self.frame.groupby("key", sort=False).size()


class Within:
    def setup(self) -> None:
        self.grouped = table().groupby("name")
        self.several = table().assign(j=rng().integers(0, 12, 100_000)).groupby(["name", "j"])

    def time_median(self) -> None:
        self.grouped["x"].median()

    def time_cumsum(self) -> None:
        self.grouped["x"].cumsum()

    def time_rank(self) -> None:
        self.grouped["x"].rank()

    def time_shift(self) -> None:
        self.grouped["x"].shift()

    def time_first_rows(self) -> None:
        self.grouped.head(3)

    def time_distinct(self) -> None:
        self.grouped["i"].nunique()

    def time_fill_forward(self) -> None:
        self.grouped["gappy"].ffill()

    def time_python_function(self) -> None:
        self.grouped["x"].apply(lambda part: part.iloc[0])

    def time_two_keys(self) -> None:
        self.several["x"].sum()
