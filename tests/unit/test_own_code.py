"""Digests of our own code leave out nothing that shapes a stage's results."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path
from typing import get_args

import pytest

from spokeshave import own_code
from spokeshave.own_code import COVERED, Stage, code_digest, covered, package_root

# What stages import from outside the packages that cover them, and why it has no say in their results.
NO_SAY = {
    "errors": "messages",
    "nearest": "hints in messages",
    "machine": "where things run and lie",
    "context": "what the user asked for, which the plan says",
    "own_code": "these digests",
    "recipes": "what they say stands in the plan",
}
BY_STAGE = {
    "compile": {"inside.levers"},  # a size option's compiler flags, which the plan has
    "shrink": {"report.terminal", "report.html"},  # the page
}

STAGES: tuple[Stage, ...] = get_args(Stage)
ROOT = package_root()
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in ROOT.rglob("*.py")
}


def imported(file: Path) -> set[str]:
    """The modules of ours that a file imports, as dotted names below `spokeshave`."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "spokeshave":
            base = (node.module or "").removeprefix("spokeshave").lstrip(".")
            names = {f"{base}.{one.name}".lstrip(".") for one in node.names}
            found |= {name if name in MODULES else base for name in names}
    return found - {""}


@pytest.mark.parametrize("stage", STAGES)
def test_covered_stage_imports_are_covered(stage: Stage) -> None:
    files = set(covered(stage))
    assert files
    for file in sorted(path for path in files if path.suffix == ".py"):
        for module in imported(file):
            excused = module.split(".")[0] in NO_SAY or any(
                module == other or module.startswith(f"{other}.") for other in BY_STAGE.get(stage, ())
            )
            assert excused or MODULES[module] in files, f"{stage}: {file.name} imports {module}"


@pytest.mark.parametrize("stage", STAGES)
def test_covered_every_part_exists(stage: Stage) -> None:
    assert all(list(ROOT.glob(part)) for part in COVERED[stage])


@pytest.mark.parametrize(
    ("stage", "name"),
    [
        *(("compile", name) for name in ("build/engines/docker.py", "build/engines/host.py")),
        *(("compile", name) for name in ("build/pgo/use.py", "build/pgo/old_libc.h")),
        ("compile", "inside/templates/launcher.sh.in"),
        ("finish", "inside/levers/new.py"),
        ("test", "inside/prover/plugin.py"),
        ("judge", "verify/new.py"),
    ],
)
def test_code_digest_changed_file_changes_it(
    stage: Stage, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "spokeshave"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns("__pycache__", "suites"))
    monkeypatch.setattr(own_code, "package_root", lambda: copy)
    before = code_digest(stage)
    assert before == code_digest(stage)
    with (copy / name).open("a", encoding="utf-8") as file:
        file.write("\n")
    assert code_digest(stage) != before


def test_code_digest_compiled_python_counts_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "spokeshave"
    shutil.copytree(ROOT / "inside", copy / "inside")
    monkeypatch.setattr(own_code, "package_root", lambda: copy)
    before = code_digest("finish")
    (copy / "inside" / "__pycache__").mkdir(exist_ok=True)
    (copy / "inside" / "__pycache__" / "x.pyc").write_bytes(b"x")
    assert code_digest("finish") == before


@pytest.mark.parametrize("file", sorted((ROOT / "inside").rglob("*.py")), ids=lambda path: path.name)
def test_inside_module_imports_inside_alone(file: Path) -> None:
    assert all(name.split(".")[0] == "inside" for name in imported(file))
