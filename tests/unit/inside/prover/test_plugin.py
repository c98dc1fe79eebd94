"""What the test runner keeps of a test that failed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

TEST = """
def test_far_up():
    try:
        raise ModuleNotFoundError("kit.signal is not in this wheel of kit (1.0+lean.1): profile 'lean' \
removes component 'signal' (unused)")
    except ModuleNotFoundError:
        raise ValueError("x" * 5000)

def test_without():
    raise ValueError("y" * 5000)
"""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    folder = tmp_path_factory.mktemp("outcomes")
    (folder / "test_it.py").write_text(TEST)
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "spokeshave.inside.prover.plugin", "test_it.py"]
    written = folder / "outcomes.json"
    env = {"SPOKESHAVE_OUTCOMES": str(written)}
    subprocess.run(argv, cwd=folder, env=env, capture_output=True, check=False)
    outcomes: dict[str, list[str]] = json.loads(written.read_text())
    return outcomes


def test_the_word_of_a_stub_is_kept_wherever_it_stands(kept: dict[str, list[str]]) -> None:
    outcome, reason = kept["test_it.py::test_far_up"]
    assert outcome == "failed"
    first, _, rest = reason.partition("\n")
    assert "kit.signal is not in this wheel of kit (1.0+lean.1): profile 'lean' removes" in first
    assert len(rest) == 1500


def test_of_any_other_failure_the_end_is_kept(kept: dict[str, list[str]]) -> None:
    outcome, reason = kept["test_it.py::test_without"]
    assert (outcome, len(reason)) == ("failed", 1500)
