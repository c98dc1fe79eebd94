"""CI and habits: scripts keep their arguments, hooks and CI run the same checks, tests are strict."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import warnings
from fnmatch import fnmatch
from hashlib import sha256
from pathlib import Path

import pytest
import yaml

from support import ROOT

# A machine where a user with sudo is not yet in Docker's group. `sg` prints what it would run.
FAKES = {
    "id": 'case "$1" in -u) echo 1000 ;; *) echo somebody ;; esac',
    "sudo": 'shift; FAKE_ROOT=1 exec "$@"',
    "docker": '[ "${FAKE_ROOT-}" ]',
    "sg": 'printf "%s\\n" "$3"',
    **dict.fromkeys(("usermod", "mmdebstrap", "dockerd", "apt-get", "chromium", "pandoc"), "exit 0"),
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of ci/ whose virtual environment is up to date and whose Docker is not started."""
    root = tmp_path / "checkout"
    shutil.copytree(ROOT / "ci", root / "ci", ignore=shutil.ignore_patterns("image", "__pycache__"))
    with (root / "ci" / "bootstrap.sh").open("a") as script:
        script.write("start_docker() { :; }\n")
    (root / "pyproject.toml").write_text("")
    (root / ".venv").mkdir()
    (root / ".venv" / "spokeshave.stamp").write_text(sha256(b"").hexdigest() + "\n")
    (root / "bin").mkdir()
    (root / ".venv" / "bin").mkdir()
    programs = {root / "bin" / name: body for name, body in FAKES.items()}
    programs |= {root / ".venv" / "bin" / name: "exit 0" for name in ("python", "spokeshave")}
    for fake, body in programs.items():
        fake.write_text(f"#!/bin/sh\n{body}\n")
        fake.chmod(0o755)
    return root


@pytest.mark.parametrize(
    ("script", "arguments"),
    [("full", ["numpy", "--", "lean"]), ("full", ["two words"]), ("quickstart", []), ("test", ["--all"])],
)
def test_script_restarted_in_docker_group_keeps_arguments(
    checkout: Path, script: str, arguments: list[str]
) -> None:
    path = f"{checkout / 'bin'}:{os.environ['PATH']}"
    environment = {key: value for key, value in os.environ.items() if key != "SPOKESHAVE_IN_GROUP"}
    done = subprocess.run(
        [f"./{script}", *arguments],
        cwd=checkout / "ci",
        env={**environment, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shlex.split(done.stdout) == [f"ci/{script}", *arguments]


def style_tools(text: str) -> set[str]:
    return set(re.findall(r"\.venv/bin/([\w-]+(?: (?:check|format)\b)?)", text))


def test_pre_commit_and_ci_run_the_same_tools() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert {repository["repo"] for repository in hooks} == {"local"}
    entries = " ".join(hook["entry"] for repository in hooks for hook in repository["hooks"])
    in_ci = style_tools((ROOT / "ci" / "test").read_text()) - {"pytest", "coverage", "pre-commit"}
    assert style_tools(entries) == in_ci
    assert {"ruff check", "ruff format", "mypy", "codespell", "validate-pyproject", "shellcheck"} <= in_ci


def test_issue_forms_have_what_a_report_needs() -> None:
    forms = {
        path.stem: yaml.safe_load(path.read_text()) for path in ROOT.glob(".github/ISSUE_TEMPLATE/*.yml")
    }
    for form in forms.values():
        assert {"name", "description", "body"} <= form.keys()
        labels = [field["attributes"]["label"] for field in form["body"]]
        assert len({field["id"] for field in form["body"]}) == len(labels) == len(set(labels))
    required = {f["id"] for f in forms["bug"]["body"] if f["validations"]["required"]}
    assert required == {"wheel", "command", "expected", "doctor", "version"}


def test_warning_in_a_test_is_an_error() -> None:
    with pytest.raises(UserWarning, match="unheard"):
        warnings.warn("unheard", stacklevel=1)


def test_expected_failure_that_passes_is_a_failure(request: pytest.FixtureRequest) -> None:
    assert request.config.getini("xfail_strict") is True


def test_every_folder_of_tests_is_collected(request: pytest.FixtureRequest) -> None:
    """pytest passes over folders named `build` unless told otherwise."""
    left_out = request.config.getini("norecursedirs")
    folders = {part for path in (ROOT / "tests").rglob("test_*.py") for part in path.relative_to(ROOT).parts}
    assert "build" in folders
    assert [name for name in folders if any(fnmatch(name, glob) for glob in left_out)] == []
