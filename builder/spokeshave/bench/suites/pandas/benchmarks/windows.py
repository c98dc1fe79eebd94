"""Moving windows and time buckets."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd

from .frames import clock, values


class Rolling:
    params: ClassVar[list[list[str]]] = [["sum", "mean", "std", "max", "median"]]
    param_names: ClassVar[list[str]] = ["what"]

    def setup(self, what: str) -> None:
        self.column = values(gaps=True)
        self.timed = pd.Series(values().to_numpy(), index=clock())

    def time_by_rows(self, what: str) -> None:
        getattr(self.column.rolling(25, min_periods=5), what)()

    def time_by_time(self, what: str) -> None:
        getattr(self.timed.rolling("20s"), what)()


class Buckets:
    def setup(self) -> None:
        self.column = pd.Series(values().to_numpy(), index=clock())
        self.hours = self.column.iloc[:2_000].set_axis(clock(2_000, "h"))

    def time_resample_mean(self) -> None:
        self.column.resample("1min").mean()

    def time_resample_ohlc(self) -> None:
        self.column.resample("5min").ohlc()

    def time_upsample(self) -> None:
        self.hours.resample("5min").ffill()

    def time_expanding_mean(self) -> None:
        self.column.expanding().mean()

    def time_ewm_mean(self) -> None:
        self.column.ewm(span=20).mean()
