"""The suites that ship, read and not run: what they time is not installed here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from spokeshave.bench.suite import copied, suite_package
from spokeshave.own_code import package_root
from spokeshave.recipes.book import RecipeBook
from support import RECIPES

SUITES = package_root() / "bench" / "suites"
OURS = ["pandas", "sklearn"]


def classes(name: str) -> Iterator[ast.ClassDef]:
    for path in sorted(suite_package(SUITES / name).glob("*.py")):
        yield from (n for n in ast.parse(path.read_text("utf-8")).body if isinstance(n, ast.ClassDef))


def methods(cls: ast.ClassDef) -> dict[str, list[str]]:
    """Each method's parameters without self."""
    functions = [node for node in cls.body if isinstance(node, ast.FunctionDef)]
    return {node.name: [arg.arg for arg in node.args.args[1:]] for node in functions}


def parameters(cls: ast.ClassDef) -> list[str]:
    """What `param_names` says."""
    assigned = {
        ast.unparse(node.target): node.value
        for node in cls.body
        if isinstance(node, ast.AnnAssign) and node.value
    }
    return list(ast.literal_eval(assigned["param_names"])) if "param_names" in assigned else []


@pytest.mark.parametrize("name", OURS)
def test_a_suite_of_ours_is_broad(name: str) -> None:
    timed = [method for cls in classes(name) for method in methods(cls) if method.startswith("time_")]
    assert len(timed) > 60


@pytest.mark.parametrize("name", [*OURS, "blas"])
def test_every_method_takes_the_parameters_of_its_class(name: str) -> None:
    for cls in classes(name):
        found = methods(cls)
        assert all(row == parameters(cls) for row in found.values()), f"{name}: {cls.name}"
        assert any(method.startswith("time_") for method in found), f"{name}: {cls.name}"
        assert "setup" in found, f"{name}: {cls.name} would time the making of its data"


def test_a_suite_of_ours_is_named_after_what_it_imports() -> None:
    book = RecipeBook([RECIPES])
    imported = {book.load(name).recipe.import_name for name in book.names()}
    folders = {path.name for path in SUITES.iterdir() if Path(path, "benchmarks").is_dir()}
    assert folders - imported == {"blas"}


@pytest.mark.parametrize("name", ["pandas", "sklearn"])
def test_a_copy_does_not_stand_before_the_package_that_it_measures(name: str, tmp_path: Path) -> None:
    """The folder above it is searched for modules: one called pandas hid pandas from its training."""
    package = copied(SUITES / name, tmp_path)
    assert (package / "__init__.py").is_file()
    assert not (package.parent / name).exists()
