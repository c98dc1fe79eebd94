"""Dates, time zones, spans and periods."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd

from .frames import ROWS, clock


class Parse:
    params: ClassVar[list[list[str]]] = [["iso", "format", "mixed", "seconds"]]
    param_names: ClassVar[list[str]] = ["written"]

    def setup(self, written: str) -> None:
        times = clock(10_000, "7min")
        self.options: dict[str, str] = {}
        if written == "seconds":
            self.texts = pd.Series(range(1_600_000_000, 1_600_010_000))
            self.options = {"unit": "s"}
        elif written == "format":
            self.texts = pd.Series(times.strftime("%d/%m/%Y %H:%M"))
            self.options = {"format": "%d/%m/%Y %H:%M"}
        else:
            self.texts = pd.Series(times.strftime("%Y-%m-%d %H:%M:%S"))
        if written == "mixed":
            self.texts = pd.concat([self.texts[:1_000], pd.Series(times[:1_000].strftime("%d %b %Y"))])
            self.options = {"format": "mixed"}

    def time_to_datetime(self, written: str) -> None:
        pd.to_datetime(self.texts, **self.options)


class Fields:
    params: ClassVar[list[list[str]]] = [["year", "day_of_week", "hour", "date", "is_month_end"]]
    param_names: ClassVar[list[str]] = ["field"]

    def setup(self, field: str) -> None:
        self.times = pd.Series(clock(freq="97min"))

    def time_field(self, field: str) -> None:
        getattr(self.times.dt, field)


class Zones:
    def setup(self) -> None:
        self.naive = clock(freq="31min")
        self.aware = self.naive.tz_localize("UTC").tz_convert("Europe/Berlin")
        self.column = pd.Series(self.naive)

    def time_tz_localize(self) -> None:
        self.naive.tz_localize("Europe/Berlin", ambiguous="NaT", nonexistent="NaT")

    def time_tz_convert_and_read(self) -> None:
        _ = self.aware.tz_convert("America/New_York").hour

    def time_strftime(self) -> None:
        self.naive[:20_000].strftime("%Y-%m-%d %H:%M")

    def time_floor(self) -> None:
        self.column.dt.floor("D")

    def time_business_days(self) -> None:
        self.naive[:2_000] + pd.offsets.BDay(3)

    def time_add_months(self) -> None:
        self.naive + pd.DateOffset(months=1)

    def time_date_range(self) -> None:
        pd.date_range("2000-01-01", periods=5_000, freq="BME")

    def time_differences(self) -> None:
        self.column.diff().dt.total_seconds()

    def time_to_period(self) -> None:
        self.naive.to_period("M")

    def time_period_fields(self) -> None:
        _ = pd.period_range("1900-01", periods=ROWS, freq="D").month
