"""The `.str` methods."""

from __future__ import annotations

from .frames import words


class Methods:
    def setup(self) -> None:
        self.texts = words()

    def time_upper(self) -> None:
        self.texts.str.upper()

    def time_len(self) -> None:
        self.texts.str.len()

    def time_slice(self) -> None:
        self.texts.str[2:6]

    def time_contains_text(self) -> None:
        self.texts.str.contains("elm", regex=False)

    def time_contains_pattern(self) -> None:
        self.texts.str.contains(r"\d{2},")

    def time_replace_pattern(self) -> None:
        self.texts.str.replace(r"\d+", "#", regex=True)

    def time_split_into_columns(self) -> None:
        self.texts.str.split(",", expand=True)

    def time_extract(self) -> None:
        self.texts.str.extract(r"(\w+),(\w+)")

    def time_startswith(self) -> None:
        self.texts.str.startswith("Oak")

    def time_join_with_itself(self) -> None:
        self.texts + " / " + self.texts
