"""Components leave the wheel, and what stands in for them says so and breaks nothing else."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from spokeshave.inside.levers.lever import Tree
from spokeshave.inside.model import BuildPlan, LeverSetting, Removed
from spokeshave.inside.stubs import remove
from support import shipped_plan

FILES = {
    "kit/__init__.py": "",
    "kit/core.py": "from kit import _native\n\ndef solve():\n    return _native.solve()\n",
    "kit/_native.cpython-311-x86_64-linux-gnu.so": "ELF",
    "kit/_native.pyi": "",
    "kit/_native_too.py": "",
    "kit/signal/__init__.py": "from .windows import hann\n",
    "kit/signal/windows.py": "hann = 1\n",
    "kit/signal/tests/test_it.py": "",
    "kit/data/big.bin": "0123456789",
}
PART = Removed(component="part", reason="not used here", modules=(), late=(), files=())


@pytest.fixture
def plan() -> BuildPlan:
    return shipped_plan("numpy")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    for name, text in FILES.items():
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Tree(root=tmp_path / "root", tests=tmp_path / "tests")


def python(tree: Tree, code: str) -> str:
    argv = [sys.executable, "-c", code]
    done = subprocess.run(argv, cwd=tree.root, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_a_package_becomes_a_stub_that_names_profile_component_and_way_back(
    plan: BuildPlan, tree: Tree
) -> None:
    shaved = remove(plan, replace(PART, modules=("kit.signal",)), tree)
    assert not (tree.root / "kit/signal").exists()
    stub = (tree.root / "kit/signal.py").stat().st_size
    assert (shaved.saved, shaved.files) == (
        len(FILES["kit/signal/__init__.py"]) + len("hann = 1\n") - stub,
        3,
    )
    code = "try:\n import kit.signal.windows\nexcept ModuleNotFoundError as e:\n print(e.name, '|', e)"
    name, _, text = python(tree, code).partition(" | ")
    assert name == "kit.signal"
    for word in ("'lean'", "'part'", "not used here", "numpy==2.4.6", "'full'"):
        assert word in text


@pytest.mark.parametrize(
    "statement", ["import kit.signal", "from kit import signal", "import kit.signal.windows"]
)
def test_every_way_to_import_it_tells_the_same(plan: BuildPlan, tree: Tree, statement: str) -> None:
    remove(plan, replace(PART, modules=("kit.signal",)), tree)
    code = f"""
import pickle
try:
    {statement}
except ModuleNotFoundError as fault:
    again = pickle.loads(pickle.dumps(fault))
    for one in (fault, again):
        print(one.name == "kit.signal", "kit.signal" == one.name, one.name in {{"kit.signal"}}, one.msg)
"""
    lines = python(tree, code).splitlines()
    assert len(lines) == 2
    assert all(line.startswith("True True True kit.signal is not in this wheel") for line in lines)


def test_a_late_stub_can_be_imported_from_its_package(plan: BuildPlan, tree: Tree) -> None:
    remove(plan, replace(PART, modules=("kit._native",), late=("kit._native",)), tree)
    code = (
        "from kit import _native\ntry:\n from kit._native import solve\nexcept ImportError as e:\n print(e)"
    )
    out = python(tree, code)
    assert out.startswith("kit._native is not in this wheel")


def test_what_guards_its_import_goes_on(plan: BuildPlan, tree: Tree) -> None:
    remove(plan, replace(PART, modules=("kit.signal",)), tree)
    code = "try:\n from kit import signal\nexcept ImportError:\n signal = None\nprint(signal)"
    assert python(tree, code) == "None\n"


def test_pkgutil_walks_past_a_stub(plan: BuildPlan, tree: Tree) -> None:
    remove(plan, replace(PART, modules=("kit.signal",)), tree)
    found = {module.name for module in pkgutil.iter_modules([str(tree.root / "kit")])}
    assert {"core", "signal"} <= found
    walk = "import pkgutil\nprint(len([m.name for m in pkgutil.walk_packages(['.'])]) > 2)"
    assert python(tree, walk) == "True\n"


def test_a_late_stub_lets_kept_code_import_it_and_raises_on_use(plan: BuildPlan, tree: Tree) -> None:
    remove(plan, replace(PART, modules=("kit._native",), late=("kit._native",)), tree)
    assert sorted(p.name for p in (tree.root / "kit").glob("_native*")) == ["_native.py", "_native_too.py"]
    out = python(
        tree, "import kit.core\nprint('imported', hasattr(kit._native, '__all__'))\nkit.core.solve()"
    )
    assert out.startswith("imported False\n")
    assert "ModuleNotFoundError: kit._native is not in this wheel" in out


def test_pickling_asks_a_late_stub_for_names_that_it_never_had(plan: BuildPlan, tree: Tree) -> None:
    remove(plan, replace(PART, modules=("kit._native",), late=("kit._native",)), tree)
    (tree.root / "kit/homeless.py").write_text("class Solve:\n pass\nSolve.__module__ = None\n", "utf-8")
    code = (
        "import pickle, kit._native, kit.homeless\n"
        "print(pickle.loads(pickle.dumps(kit.homeless.Solve)) is kit.homeless.Solve)"
    )
    assert python(tree, code) == "True\n"


def test_help_of_a_module_that_hands_on_what_a_late_stub_gives(plan: BuildPlan, tree: Tree) -> None:
    remove(plan, replace(PART, modules=("kit._native",), late=("kit._native",)), tree)
    text = "import kit._native\n__all__ = ['solve']\ndef __dir__():\n return __all__\n"
    text += "def __getattr__(name):\n if name == 'solve':\n  return kit._native.solve\n raise AttributeError"
    (tree.root / "kit/old.py").write_text(text, "utf-8")
    code = "import kit.old, pydoc\nprint('left_out' in pydoc.plain(pydoc.render_doc(kit.old)))"
    assert python(tree, code) == "True\n"


@pytest.mark.parametrize("use", ["x()", "x < 1", "1 < x", "list(x)", "len(x)", "x[0]", "x.part()"])
def test_what_a_late_stub_gives_tells_the_message_when_it_is_used(
    plan: BuildPlan, tree: Tree, use: str
) -> None:
    remove(plan, replace(PART, modules=("kit._native",), late=("kit._native",)), tree)
    code = f"import kit._native\nx = kit._native.solve\nprint(isinstance(1, x), bool(x))\n{use}"
    out = python(tree, code)
    assert "False True\n" in out
    assert "ModuleNotFoundError: kit._native is not in this wheel" in out


def test_files_go_by_glob(plan: BuildPlan, tree: Tree) -> None:
    shaved = remove(plan, replace(PART, files=("kit/data/*",)), tree)
    assert (shaved.saved, shaved.files) == (10, 1)


@pytest.mark.parametrize("part", [{"modules": ("kit.sginal",)}, {"files": ("kit/dta/*",)}])
def test_what_matches_nothing_is_an_error(
    plan: BuildPlan, tree: Tree, part: dict[str, tuple[str, ...]]
) -> None:
    with pytest.raises(ValueError, match="component 'part'"):
        remove(plan, replace(PART, **part), tree)  # type: ignore[arg-type]


def test_remove_test_files_that_the_wheel_keeps_go_into_the_tests_archive(
    plan: BuildPlan, tree: Tree
) -> None:
    keep = LeverSetting(name="tests", options={"keep": ["kit/signal/tests/*", "kit/core.py"]})
    kept = replace(plan, levers=(keep,))
    remove(kept, replace(PART, modules=("kit.signal", "kit.core", "kit._native")), tree)
    moved = {path.relative_to(tree.tests).as_posix() for path in tree.tests.rglob("*") if path.is_file()}
    assert moved == {"kit/signal/tests/test_it.py", "kit/core.py"}
    assert "kit.core is not in this wheel" in (tree.root / "kit/core.py").read_text()
