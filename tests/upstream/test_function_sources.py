"""`inspect.getsource` on the modules of PyPI's wheels, once the levers have been over them."""

from __future__ import annotations

import ast
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import pytest

from functionsources import definitions, lost
from spokeshave.inside.levers import lever_named
from spokeshave.inside.levers.lever import Tree
from support import shipped_plan

pytestmark = pytest.mark.network

# How many functions, classes and lambdas there are at least, outside tests: the walk finds what it looks for.
PACKAGES = {"numpy": 3_500, "scipy": 9_000, "pandas": 7_500, "scikit-learn": 4_500}
LEVERS = {"indentation": ("indentation",), "all": ("docstrings", "comments", "indentation")}


@pytest.fixture(scope="module", params=PACKAGES)
def modules(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A package's name, and the folder with the modules of its wheel."""
    folder = tmp_path_factory.mktemp(request.param)
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    argv += ["--python-version=3.11", "--platform=manylinux_2_28_x86_64", "--platform=manylinux_2_27_x86_64"]
    pin = f"{request.param}=={shipped_plan(request.param).version}"
    subprocess.run([*argv, f"--dest={folder}", pin], check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = [n for n in archive.namelist() if n.endswith(".py") and "/tests/" not in n]
        archive.extractall(folder / "stock", names)
    return request.param, folder / "stock"


@pytest.mark.parametrize("levers", LEVERS.values(), ids=LEVERS)
def test_getsource_of_every_function_parses_as_it_does_on_pypi(
    modules: tuple[str, Path], levers: tuple[str, ...], tmp_path: Path
) -> None:
    package, stock = modules
    settings = {setting.name: setting.options for setting in shipped_plan(package).levers}
    tree = Tree(root=tmp_path / "root", tests=tmp_path / "tests")
    _copy(stock, tree.root)
    for name in levers:
        act = lever_named(name).shave
        assert act is not None
        act(tree, settings[name])
    count = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        for path in sorted(stock.rglob("*.py")):
            name, before = path.relative_to(stock).as_posix(), path.read_bytes()
            after = (tree.root / name).read_bytes()
            assert lost(before, after) == [], name
            assert list(_first_lines(after)) == list(_first_lines(before)), name
            count += len(list(definitions(before)))
    assert count > PACKAGES[package]


def _copy(source: Path, target: Path) -> None:
    for path in source.rglob("*.py"):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())


def _first_lines(source: bytes) -> Iterator[tuple[str, int]]:
    """Name and first line of each code object, which tracebacks and `inspect` go by."""
    pending = [compile(ast.parse(source), "module", "exec", dont_inherit=True)]
    for code in pending:
        yield code.co_qualname if sys.version_info >= (3, 11) else code.co_name, code.co_firstlineno
        pending += [const for const in code.co_consts if isinstance(const, CodeType)]
