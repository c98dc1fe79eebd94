"""Rows and columns picked out and written to."""

from __future__ import annotations

import pandas as pd

from .frames import ROWS, clock, keys, rng, table, values


class Pick:
    def setup(self) -> None:
        self.frame = table()
        self.mask = self.frame["x"] > 0.5
        self.rows = rng().integers(0, ROWS, 30_000)
        self.labelled = pd.Series(values(20_000).to_numpy(), index=[f"r{at}" for at in range(20_000)])
        self.labels = [f"r{at}" for at in range(0, 20_000, 7)]
        self.timed = pd.Series(values().to_numpy(), index=clock())
        self.nested = self.frame.set_index(["name", "i"]).sort_index()
        self.name = self.nested.index[0][0]

    def time_boolean_mask(self) -> None:
        self.frame[self.mask]

    def time_query(self) -> None:
        self.frame.query("x > 0.5 and i < 500")

    def time_iloc_rows(self) -> None:
        self.frame.iloc[self.rows]

    def time_loc_labels(self) -> None:
        self.labelled.loc[self.labels]

    def time_loc_times(self) -> None:
        self.timed.loc["2021-03-04 08":"2021-03-04 20"]

    def time_loc_first_level(self) -> None:
        self.nested.loc[self.name]

    def time_scalars(self) -> None:
        for at in range(300):
            self.frame.iat[at, 1]

    def time_reindex(self) -> None:
        self.labelled.reindex(self.labels + ["missing"])  # noqa: RUF005

    def time_where(self) -> None:
        self.frame["x"].where(self.mask, 0.0)

    def time_assign_by_mask(self) -> None:
        copy = self.frame[["x"]].copy()
        copy.loc[self.mask, "x"] = 0.0

    def time_rows_one_by_one(self) -> None:
        for _ in self.frame.iloc[:3_000].itertuples(index=False):
            pass

    def time_set_index(self) -> None:
        self.frame.set_index("i").index.is_unique  # noqa: B018


class Map:
    def setup(self) -> None:
        self.column = keys("str", 50)
        self.table = {name: at for at, name in enumerate(self.column.unique())}
        self.small = table(3_000)

    def time_map_by_table(self) -> None:
        self.column.map(self.table)

    def time_map_by_function(self) -> None:
        self.column.iloc[:20_000].map(len)

    def time_apply_by_row(self) -> None:
        self.small.apply(lambda row: row["x"] + row["i"], axis=1)
