"""A profile from a traced run, and the wheel of that profile under the path that the run did not take."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from shaveling import PROFILE
from smallproject import Run, Small, ready_small
from venvs import fresh_python

PROGRAM = """
import sys
import shaveling

print(shaveling.answer)
if sys.argv[1:]:
    from shaveling.extra import more
    print(more)
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """With a profile `whole`, which keeps every module."""
    made = ready_small(tmp_path_factory, "traced")
    folder = made.folder
    text = PROFILE.replace("BUDGET", "1_000_000").replace('"tiny"', '"whole"')
    text = re.sub(r"\[\[remove\]\]\n(.+\n)+", "", text)
    (folder / "recipes" / "profiles" / "whole.toml").write_text(text)
    (folder / "app.py").write_text(PROGRAM)
    return made


def installed(small: Small, profile: str) -> Path:
    """The Python of a venv with the wheel of a profile, which is built now."""
    words = ("build", "shaveling", "--profile", profile, "--engine", small.engine, "--json")
    wheel = small.start(*words, "--output", str(small.folder / "out")).end().built["wheel"]
    return fresh_python(small.folder / f"venv-{Path(profile).stem}", Path(wheel))


def traced(small: Small, python: Path, *words: str) -> Run:
    command = ("--", str(python), "app.py")
    return small.start("trace", *words, *command).end()


@pytest.fixture(scope="module")
def profile(small: Small) -> Path:
    run = traced(small, installed(small, "whole"), "--profile", "whole", "--output", "app.toml")
    assert run.code == 0, run.stderr
    assert run.stdout == "42\n", "the program's output is the user's"
    return small.folder / "app.toml"


@pytest.fixture(scope="module")
def python(small: Small, profile: Path) -> Path:
    return installed(small, str(profile))


def test_the_profile_leaves_out_what_the_run_did_not_load(profile: Path) -> None:
    """Those of the packages that it did not load at all are left out as well."""
    removed = {row["component"]: row["reason"] for row in tomllib.loads(profile.read_text())["remove"]}
    assert removed["shaveling/extra"].startswith("traced runs: not loaded")


def test_the_traced_path_runs_as_before(small: Small, python: Path) -> None:
    assert subprocess.check_output([str(python), "app.py"], cwd=small.folder, text=True) == "42\n"


def test_the_untraced_path_fails_with_the_stub_s_message(small: Small, python: Path) -> None:
    argv = [str(python), "app.py", "more"]
    done = subprocess.run(argv, cwd=small.folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "42\n"), "an exception, not a crash"
    told = done.stderr.splitlines()[-1]
    assert told.startswith("ModuleNotFoundError: ")
    for part in ("shaveling.extra", "profile 'app'", "'extra'", "traced runs: not loaded"):
        assert part in told


def test_a_trace_of_those_wheels_tells_what_they_lack(small: Small, python: Path) -> None:
    command = ("--", str(python), "app.py", "more")
    run = small.start("trace", "--record", "second.json", *command).end()
    assert run.code == 1
    assert "asked for shaveling.extra, which had been removed from its wheels" in run.stderr
