"""Text files, in memory."""

from __future__ import annotations

import io

import pandas as pd

from .frames import clock, table


class Csv:
    def setup(self) -> None:
        self.frame = table(20_000)
        self.text = self.frame.to_csv(index=False)
        self.numbers = self.frame[["i", "x"]].to_csv(index=False)
        self.dated = pd.DataFrame({"t": clock(20_000), "i": self.frame["i"]}).to_csv(index=False)

    def time_read_mixed(self) -> None:
        pd.read_csv(io.StringIO(self.text))

    def time_read_numbers(self) -> None:
        pd.read_csv(io.StringIO(self.numbers), dtype={"i": "int64", "x": "float64"})

    def time_read_dates(self) -> None:
        pd.read_csv(io.StringIO(self.dated), parse_dates=["t"])

    def time_write(self) -> None:
        self.frame.to_csv(io.StringIO(), index=False)


class Json:
    def setup(self) -> None:
        self.frame = table(10_000)
        self.text = self.frame.to_json(orient="records")

    def time_read(self) -> None:
        pd.read_json(io.StringIO(self.text), orient="records")

    def time_write(self) -> None:
        self.frame.to_json(orient="records")
