"""What a command starts: a Python with the recorder, one without, or something else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from spokeshave.trace.child_commands import kind_of, shown


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """A path with console scripts, and the recorder's folder for PYTHONPATH."""
    for name, first in {
        "app": f"#!{sys.executable}",
        "env-app": "#!/usr/bin/env python3",
        "tool": "#!/bin/sh",
        "service": "#!/bin/sh\nexec sudo -u app python3 x.py",
        "careful": "#!/bin/sh\n# python3 -I\nsudo -E python3 x.py",
    }.items():
        (tmp_path / name).write_text(f"{first}\n")
        (tmp_path / name).chmod(0o755)
    return {"PATH": f"{tmp_path}:{Path(sys.executable).parent}:/usr/bin:/bin", "PYTHONPATH": f"/x:{tmp_path}"}


@pytest.mark.parametrize(
    ("words", "reached", "cleared"),
    [
        ([sys.executable, "x.py"], "recorded", "hidden"),
        (["python3", "-c", "1"], "recorded", "hidden"),
        (["python3", "-I", "x.py"], "hidden", "hidden"),
        (["python3", "-Sc", "1"], "hidden", "hidden"),
        (["python3", "-W", "ignore", "-c", "-I"], "recorded", "hidden"),
        (["python3", "-V"], "other", "other"),
        (["/nonexistent/python3", "x.py"], "other", "hidden"),
        (["python3-config", "--libs"], "other", "other"),
        (["app"], "recorded", "hidden"),
        (["env-app"], "recorded", "hidden"),
        (["tool"], "other", "other"),
        (["nice", "python3", "x.py"], "recorded", "hidden"),
        (["env", "A=1", "python3", "-E", "x.py"], "hidden", "hidden"),
        (["grep", "-r", "python3", "."], "other", "other"),
        (["sh", "-c", "true; python3 x.py"], "other", "hidden"),
        (["sh", "-c", "(app)"], "other", "hidden"),
        (["sh", "-c", "ls | wc"], "other", "other"),
        (["sh", "-c", "$PROGRAM"], "other", "hidden"),
        (["bash", "x.sh"], "other", "hidden"),
        (["sh", "-c", "ls; python3 -I x.py"], "hidden", "hidden"),
        (["sh", "-c", "env -i python3 x.py"], "hidden", "hidden"),
        (["sh", "-c", "env A=1 python3 x.py -I"], "other", "hidden"),
        (["service"], "hidden", "hidden"),
        (["careful"], "other", "other"),
    ],
)
def test_kind_of_command(
    variables: dict[str, str], tmp_path: Path, words: list[str], reached: str, cleared: str
) -> None:
    assert kind_of(words[0], words, variables, str(tmp_path)) == reached
    path = {"PATH": variables["PATH"]}
    assert kind_of(words[0], words, path, str(tmp_path)) == cleared
    assert kind_of(words[0], words, {**path, "PYTHONPATH": "/gone"}, "/gone") == cleared


def test_command_is_shown_without_its_folder() -> None:
    assert shown([sys.executable, "-m", "app", "--token", "x"]) == "python -m app"
    assert shown(["/usr/bin/app", "run"]) == "app run"
