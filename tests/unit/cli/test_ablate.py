"""`ablate`, its old name, and `--all` where packages are named."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from spokeshave.cli import main
from support import RECIPES, needs_compiler

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs the command away from the checkout; `ablate` builds nothing, and finds one lever measured."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("spokeshave.cli.building.measuring.measure", lambda context, wanted, plans: None)
    monkeypatch.setattr("spokeshave.cli.building.measuring.known", lambda context, plan: {"unwind": 1234567})
    before = signal.getsignal(signal.SIGTERM)
    words = ("--store", str(tmp_path / "cache"), "--recipes", str(RECIPES))
    yield lambda *more: CliRunner().invoke(main, [*words, *more], catch_exceptions=False)
    signal.signal(signal.SIGTERM, before)


@needs_compiler
def test_measure_runs_ablate_and_prints_the_new_name_on_stderr(run: Run) -> None:
    words = ("openblas", "--engine", "host", "--json")
    new, old = run("ablate", *words), run("measure", *words)
    assert new.exit_code == old.exit_code == 0, old.stderr
    assert json.loads(new.stdout) == {"slim-openblas": {"unwind": 1234567}}
    assert old.stdout == new.stdout
    assert "its name is `spokeshave ablate` now" in old.stderr
    assert "ablate" not in new.stderr


@needs_compiler
def test_ablate_prints_a_row_for_each_lever(run: Run) -> None:
    result = run("ablate", "openblas", "--engine", "host")
    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()][-1] == [
        "slim-openblas",
        "unwind",
        "1,234,567",
    ]


@pytest.mark.parametrize("command", ["components", "plan", "fetch", "build", "ablate"])
@pytest.mark.parametrize(
    ("words", "said"),
    [((), "name PACKAGEs, or give --all"), (("numpy", "--all"), "either PACKAGEs or --all, not both")],
)
def test_packages_and_all_neither_or_both_is_a_usage_error(
    run: Run, command: str, words: tuple[str, ...], said: str
) -> None:
    result = run(command, *words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_components_all_lists_every_package(run: Run) -> None:
    rows = json.loads(run("components", "--all", "--json").stdout)
    packages = {row["component"].partition("/")[0] for row in rows}
    assert packages == {"numpy", "scipy", "pandas", "scikit-learn"}
    named = json.loads(run("components", "scipy", "pandas", "--json").stdout)
    assert {row["component"] for row in named} == {
        row["component"] for row in rows if row["component"].startswith(("scipy/", "pandas/"))
    }


def test_components_table_of_a_profile_has_its_reasons(run: Run) -> None:
    text = run("components", "scipy", "--profile", "sklearn").stdout
    assert "scipy/signal" in text and "neither scikit-learn nor pandas imports it" in " ".join(text.split())
    assert "removed because" not in run("components", "numpy").stdout
