"""Order, ranks and what is distinct."""

from __future__ import annotations

from typing import ClassVar

from .frames import KINDS, keys, table


class Column:
    params: ClassVar[list[list[str]]] = [KINDS]
    param_names: ClassVar[list[str]] = ["values"]

    def setup(self, values: str) -> None:
        self.column = keys(values, 5_000)
        self.wanted = self.column.drop_duplicates().iloc[:200].tolist()

    def time_sort_values(self, values: str) -> None:
        self.column.sort_values()

    def time_value_counts(self, values: str) -> None:
        self.column.value_counts()

    def time_unique(self, values: str) -> None:
        self.column.unique()

    def time_factorize(self, values: str) -> None:
        self.column.factorize(sort=True)

    def time_isin(self, values: str) -> None:
        self.column.isin(self.wanted)

    def time_duplicated(self, values: str) -> None:
        self.column.duplicated()


class Table:
    def setup(self) -> None:
        self.frame = table()
        self.shuffled = self.frame.sample(frac=1, random_state=1)

    def time_sort_by_two_columns(self) -> None:
        self.frame.sort_values(["i", "x"])

    def time_sort_index(self) -> None:
        self.shuffled.sort_index()

    def time_drop_duplicates(self) -> None:
        self.frame.drop_duplicates(["i", "name"])

    def time_rank(self) -> None:
        self.frame["x"].rank()

    def time_nlargest(self) -> None:
        self.frame["x"].nlargest(100)

    def time_quantiles(self) -> None:
        self.frame["x"].quantile([0.1, 0.5, 0.9])
