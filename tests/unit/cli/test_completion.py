"""Shell completion: the script, and what it offers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import BashComplete

from spokeshave.cli import main
from support import RECIPES

SCRIPT = "import sys; sys.argv[0] = 'spokeshave'; from spokeshave.cli import main; main()"


def complete(words: str) -> list[str]:
    """What bash would offer for the last of the words."""
    *before, last = words.split(" ")[1:]
    shell = BashComplete(main, {}, "spokeshave", "_SPOKESHAVE_COMPLETE")
    return [f"{one.type},{one.value}" for one in shell.get_completions(before, last)]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPOKESHAVE_RECIPES", str(RECIPES))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("spokeshave build nu", ["plain,numpy"]),
        ("spokeshave train open", ["plain,openblas"]),
        ("spokeshave bench sc", ["plain,scikit-learn", "plain,scipy", "plain,scipy-openblas"]),
        ("spokeshave build numpy --profile le", ["plain,lean"]),
        ("spokeshave explain scipy.signal --profile skl", ["plain,sklearn"]),
        ("spokeshave build numpy --profile ./ap", ["file,./ap"]),
        ("spokeshave plan numpy --python cp31", None),
        ("spokeshave plan numpy --without sym", ["plain,symbols"]),
        ("spokeshave abl", ["plain,ablate"]),
        ("spokeshave meas", []),
        ("spokeshave verify --lev", ["plain,--level"]),
    ],
)
def test_completion_offers_names(words: str, expected: list[str] | None) -> None:
    found = complete(words)
    assert found == expected if expected is not None else "plain,cp311" in found


def test_completion_survives_damaged_settings(tmp_path: Path) -> None:
    (tmp_path / "spokeshave.toml").write_text("profile =")
    assert complete("spokeshave abl") == ["plain,ablate"]


def test_completion_script_is_bash_and_asks_the_command() -> None:
    env = {**os.environ, "_SPOKESHAVE_COMPLETE": "bash_source", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True, check=True)
    assert "complete -o nosort -F _spokeshave_completion spokeshave" in done.stdout
    subprocess.run(["bash", "-n"], input=done.stdout, text=True, check=True)
    env |= {"_SPOKESHAVE_COMPLETE": "bash_complete", "COMP_WORDS": "spokeshave build nu", "COMP_CWORD": "2"}
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("plain,numpy\n", "")
