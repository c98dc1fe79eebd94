"""Arithmetic over columns, gaps in them, and the types beyond numpy's."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd

from .frames import KINDS, ROWS, keys, rng, table, values


class Numbers:
    def setup(self) -> None:
        self.frame = pd.DataFrame(rng().normal(size=(ROWS // 5, 12)))
        self.holes = self.frame.mask(self.frame > 1)
        self.whole = pd.Series(rng().integers(0, 100, ROWS)).astype("Int64").mask(values() > 1)

    def time_fillna(self) -> None:
        self.holes.fillna(0.0)

    def time_fill_forward(self) -> None:
        self.holes.ffill()

    def time_interpolate(self) -> None:
        self.holes.interpolate()

    def time_dropna(self) -> None:
        self.holes.dropna()

    def time_describe(self) -> None:
        self.frame.describe()

    def time_corr(self) -> None:
        self.holes.corr()

    def time_sum_with_gaps(self) -> None:
        self.holes.sum()

    def time_std_by_row(self) -> None:
        self.holes.std(axis=1)

    def time_cumsum(self) -> None:
        self.frame.cumsum()

    def time_arithmetic(self) -> None:
        self.frame * 2.0 + self.holes

    def time_nullable_integers(self) -> None:
        (self.whole + 1).sum()


class Hash:
    params: ClassVar[list[list[str]]] = [KINDS]
    param_names: ClassVar[list[str]] = ["values"]

    def setup(self, values: str) -> None:
        self.column = keys(values)

    def time_hash(self, values: str) -> None:
        pd.util.hash_pandas_object(self.column)


class Types:
    def setup(self) -> None:
        self.texts = keys("str")
        self.labels = self.texts.astype("category")
        self.numbers = values()
        self.edges = pd.IntervalIndex.from_breaks(range(-2_000, 2_000))
        self.points = self.numbers.to_numpy() * 100
        self.thin = pd.Series(self.numbers.where(self.numbers > 2, 0.0)).astype(pd.SparseDtype(float, 0.0))
        self.frame = table(20_000)

    def time_to_category(self) -> None:
        self.texts.astype("category")

    def time_category_equals(self) -> None:
        self.labels == "key 00007"  # noqa: B015

    def time_category_counts(self) -> None:
        self.labels.value_counts()

    def time_category_groups(self) -> None:
        self.numbers.groupby(self.labels, observed=True).mean()

    def time_cut(self) -> None:
        pd.cut(self.numbers, 20)

    def time_quantile_cut(self) -> None:
        pd.qcut(self.numbers, 10)

    def time_interval_lookup(self) -> None:
        self.edges.get_indexer(self.points)

    def time_sparse_sum(self) -> None:
        (self.thin * 2).sum()

    def time_numbers_to_text(self) -> None:
        self.frame["i"].astype(str)

    def time_copy_and_convert(self) -> None:
        self.frame.convert_dtypes()
