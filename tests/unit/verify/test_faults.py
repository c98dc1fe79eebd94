"""Faults that a wheel shares with the PyPI wheel that it was made of."""

from __future__ import annotations

from spokeshave.verify.faults import own_faults


def test_own_faults_excused_are_removed() -> None:
    assert own_faults(["a calls b", "c needs d"], lambda: ["a calls b", "e"]) == ["c needs d"]


def test_own_faults_without_faults_ask_nobody() -> None:
    def excused() -> list[str]:
        raise AssertionError("it reads a whole wheel")

    assert own_faults([], excused) == []
