"""Stubs of test modules: which there are, what they say, and that the tests archive replaces them."""

from __future__ import annotations

import os
import pkgutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from spokeshave.inside.levers import lever_named
from spokeshave.inside.levers.lever import Tree
from spokeshave.inside.levers.test_stubs import stub_names, write_stubs
from spokeshave.inside.model import BuildPlan
from spokeshave.inside.wheel import write_zip
from spokeshave.verify.contents import _test_stubs
from support import shipped_plan

ARCHIVE = "pandas-3.1.1+lean.1-cp311-cp311-linux_x86_64.tests.archive"
FILES = {
    "pandas/__init__.py": "",
    "pandas/conftest.py": "import hypothesis\n",
    "pandas/core/__init__.py": "",
    "pandas/core/frame.py": "",
    "pandas/_fast.cpython-311-x86_64-linux-gnu.so": "ELF",
    "pandas/tests/__init__.py": "here = True\n",
    "pandas/tests/extension/__init__.py": "",
    "pandas/tests/extension/base.py": "here = True\n",
    "pandas/tests/extension/test_arrow.py": "def test(): pass\n",
    "pandas/tests/extension/data.py": "",
    "pandas/tests/frame/__init__.py": "",
    "pandas/tests/frame/common.py": "",
    "pandas/tests/frame/data/table.csv": "",
}
CONFTEST = "pandas/conftest.py"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    for name, text in FILES.items():
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "tests").mkdir()
    return Tree(root=tmp_path / "root", tests=tmp_path / "tests")


@pytest.fixture
def plan() -> BuildPlan:
    return shipped_plan("pandas")


def stub(plan: BuildPlan, tree: Tree, *keep: str) -> int:
    act = lever_named("tests").shave
    assert act is not None
    act(tree, {"keep": keep})
    return write_stubs(plan, tree, ARCHIVE)


def names(tree: Tree) -> set[str]:
    return {tree.name(path) for path in tree.files()}


def python(tree: Tree, *argv: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *argv]
    return subprocess.run(command, cwd=tree.root, capture_output=True, text=True, check=False)


def test_stub_names_whole_package_gets_one_stub() -> None:
    moved = {name for name in FILES if "/tests/" in name}
    assert stub_names(set(FILES) - moved, moved) == {"pandas/tests/__init__.py"}


def test_stub_names_kept_files_give_stubs_beside_them() -> None:
    kept = {name for name in FILES if "/tests/" not in name}
    kept |= {
        "pandas/tests/__init__.py",
        "pandas/tests/extension/__init__.py",
        "pandas/tests/extension/base.py",
    }
    expected = {"pandas/tests/extension/data.py", "pandas/tests/frame/__init__.py"}
    assert stub_names(kept, set(FILES) - kept) == expected


def test_stub_names_ext_module_gets_a_python_module() -> None:
    moved = {"kit/_simd.cpython-311-x86_64-linux-gnu.so", "kit/_simd.pyi"}
    assert stub_names({"kit/__init__.py"}, moved) == {"kit/_simd.py"}


def test_stub_names_folder_without_init_gets_none_of_its_own() -> None:
    """One that stayed after the archive is unpacked would turn the folder into a package that fails."""
    moved = {"kit/tests/_helper.py", "kit/tests/test_it.py", "kit/tests/examples/setup.py"}
    assert stub_names({"kit/__init__.py"}, moved) == {"kit/tests/_helper.py"}


def test_stub_names_package_that_lost_its_init_stays_importable() -> None:
    assert stub_names({"kit/__init__.py", "kit/tests/data.py"}, {"kit/tests/__init__.py"}) == set()


def test_write_stubs_returns_their_bytes(plan: BuildPlan, tree: Tree) -> None:
    written = stub(plan, tree)
    found = {CONFTEST, "pandas/tests/__init__.py", "pandas/_tests_archive.py"}
    assert found <= names(tree)
    assert written == sum((tree.root / name).stat().st_size for name in found)


def test_write_stubs_no_tests_writes_nothing(plan: BuildPlan, tree: Tree) -> None:
    assert write_stubs(plan, tree, ARCHIVE) == 0
    assert names(tree) == set(FILES)


def test_write_stubs_helper_of_upstreams_is_an_error(plan: BuildPlan, tree: Tree) -> None:
    (tree.root / "pandas/_tests_archive.py").write_text("")
    with pytest.raises(ValueError, match=r"pandas/_tests_archive\.py already exists"):
        stub(plan, tree)


@pytest.mark.parametrize(
    ("statement", "module"),
    [
        ("import pandas.tests", "pandas.tests"),
        ("from pandas import tests", "pandas.tests"),
        ("import pandas.tests.extension.base", "pandas.tests"),
        ("from pandas.tests.frame.common import x", "pandas.tests"),
        ("import pandas.conftest", "pandas.conftest"),
    ],
)
def test_stub_every_import_names_archive_and_command(
    plan: BuildPlan, tree: Tree, statement: str, module: str
) -> None:
    stub(plan, tree)
    code = f"""
import pickle
try:
    {statement}
except ModuleNotFoundError as fault:
    print(type(pickle.loads(pickle.dumps(fault))) is type(fault), fault.name, fault, sep="|")
"""
    same, name, text = python(tree, "-c", code).stdout.strip().split("|")
    assert (same, name) == ("True", module)
    assert text.startswith(f"{module} is not in this wheel of pandas (3.1.1+lean.1)")
    assert text.endswith(f"python -m zipfile -e {ARCHIVE} {tree.root}")


def test_stub_tests_archive_replaces_it(plan: BuildPlan, tree: Tree, tmp_path: Path) -> None:
    stub(plan, tree)
    python(tree, "-c", "import pandas.tests")  # leaves bytecode of the stub
    files = sorted(path for path in tree.tests.rglob("*") if path.is_file())
    write_zip(tree.tests, files, tmp_path / ARCHIVE)
    assert python(tree, "-m", "zipfile", "-e", str(tmp_path / ARCHIVE), str(tree.root)).returncode == 0
    code = "import pandas.tests as t, pandas.tests.extension.base as b; print(t.here, b.here)"
    assert python(tree, "-c", code).stdout == "True True\n"
    assert (tree.root / CONFTEST).read_text() == FILES[CONFTEST]


@pytest.mark.parametrize(
    ("words", "code"), [("--pyargs pandas", 2), ("--pyargs pandas.core", 4), ("ROOT/pandas", 4)]
)
def test_stub_pytest_gives_the_message_without_importlibs_traceback(
    plan: BuildPlan, tree: Tree, tmp_path: Path, words: str, code: int
) -> None:
    stub(plan, tree)
    argv = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words.split()]
    argv[-1] = argv[-1].replace("ROOT", str(tree.root))
    env = {**os.environ, "PYTHONPATH": str(tree.root)}
    done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    text = done.stdout + done.stderr
    assert f"python -m zipfile -e {ARCHIVE} {tree.root}" in text
    assert "importlib" not in text
    assert len(text.splitlines()) < 20
    assert done.returncode == code


def test_stub_in_a_test_keeps_its_traceback(plan: BuildPlan, tree: Tree, tmp_path: Path) -> None:
    stub(plan, tree)
    mine = tmp_path / "test_mine.py"
    mine.write_text("def test():\n    import pandas.tests.extension.base\n")
    done = python(tree, "-m", "pytest", "-p", "no:cacheprovider", str(mine))
    assert "test_mine.py:2:" in done.stdout and "ModuleNotFoundError: pandas.tests is not in" in done.stdout


def test_stub_pkgutil_walks_past_it(plan: BuildPlan, tree: Tree) -> None:
    stub(plan, tree)
    assert {"conftest", "tests"} <= {one.name for one in pkgutil.iter_modules([str(tree.root / "pandas")])}
    code = "import pkgutil; print(*(m.name for m in pkgutil.walk_packages(['.'])))"
    assert "pandas.core.frame" in python(tree, "-c", code).stdout.split()


def test_stub_speaks_out_of_a_zip_file(plan: BuildPlan, tree: Tree, tmp_path: Path) -> None:
    stub(plan, tree)
    packed = write_zip(tree.root, list(tree.files()), tmp_path / "all.zip")
    code = f"import sys; sys.path.insert(0, {str(packed)!r}); import pandas.tests.frame"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "ModuleNotFoundError: pandas.tests is not in this wheel" in done.stderr


def test_inspect_stubs_are_no_tests(plan: BuildPlan, tree: Tree, tmp_path: Path) -> None:
    """A recipe's `absent` globs, such as `*/tests/*`, do not mean them; a real test is found all the same."""
    stub(plan, tree, "pandas/tests/frame/*")
    packed = write_zip(tree.root, list(tree.files()), tmp_path / "all.zip")
    with zipfile.ZipFile(packed) as archive:
        found = set(_test_stubs(archive, plan))
    assert found == {CONFTEST, "pandas/tests/extension/__init__.py"}
    assert names(tree) - found >= {"pandas/tests/frame/common.py"}
