"""The tests of a PyPI wheel, as its recipe runs them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from spokeshave.slim.intake import read_stock
from spokeshave.slim.knowledge import Knowledge, known_of
from spokeshave.slim.make_wheel import slim
from spokeshave.slim.model import Saving, Settings, Slimmed
from spokeshave.slim.recipe_use import RecipeUse, Wish
from spokeshave.slim.wheel_tests import suite_of_wheel
from support import demo_files, make_context, write_wheel

FILES = {
    "numpy/tests/test_it.py": b"def test_it(): ...\n",
    "numpy/f2py/__init__.py": b"",
    "numpy/core.py": b'"""Text."""\n',
}
LEVERS = ("tests", "docstrings")


def numpy_of(tmp_path: Path) -> tuple[RecipeUse, Slimmed]:
    name = "numpy-2.4.6-cp311-cp311-manylinux_2_28_x86_64.whl"
    stock = read_stock(write_wheel(tmp_path / name, {**demo_files("numpy", "2.4.6"), **FILES}))
    settings, source = Settings(levers=LEVERS), Knowledge(wish=Wish(remove=("numpy/f2py",)))
    known = known_of(make_context(tmp_path), source, stock, settings, tmp_path)
    assert known.recipe
    (tmp_path / "work").mkdir()
    slimmed = slim(stock, settings, output=tmp_path / "out", scratch=tmp_path / "work", known=known)
    return known.recipe, slimmed


def test_suite_has_the_moved_tests_and_the_recipe_s_words(tmp_path: Path) -> None:
    use, slimmed = numpy_of(tmp_path)
    suite = suite_of_wheel(make_context(tmp_path), use, slimmed, (), tmp_path / "suite")
    assert suite.found
    assert suite.over == tmp_path / "suite"
    assert (tmp_path / "suite" / "numpy" / "tests" / "test_it.py").is_file()
    assert suite.selection == use.loaded.recipe.verify.core
    assert suite.marker == "not slow"
    assert "--ignore-glob=*/numpy/random/tests/test_extending.py" in suite.options
    assert [one for one in suite.options if "TestAddDocstring" in one]  # skipped where docstrings are removed
    assert [one for one in suite.requires if one.startswith("pytest==")]
    assert not [one for one in suite.requires if one.startswith("numpy==")]


def test_suite_selects_what_was_named(tmp_path: Path) -> None:
    use, slimmed = numpy_of(tmp_path)
    suite = suite_of_wheel(make_context(tmp_path), use, slimmed, ("numpy/fft",), tmp_path / "suite")
    assert suite.selection == ("numpy/fft",)


def test_suite_tests_of_removed_components_are_no_loss(tmp_path: Path) -> None:
    """This wheel has not all that the component names, so that the component was kept; then it is removed."""
    use, kept = numpy_of(tmp_path)
    context, chosen = make_context(tmp_path), ("numpy/f2py", "numpy/fft")
    assert suite_of_wheel(context, use, kept, chosen, tmp_path / "a").removed == {}
    slimmed = replace(kept, savings=(Saving(lever="component f2py", saved=1, files=1),))
    assert suite_of_wheel(context, use, slimmed, chosen, tmp_path / "b").removed == {"numpy/f2py/": "f2py"}


def test_suite_skips_what_verify_skips_for_the_width_of_integers(tmp_path: Path) -> None:
    """No module of this wheel calls a name with `64_`."""
    use, slimmed = numpy_of(tmp_path)
    suite = suite_of_wheel(make_context(tmp_path), use, slimmed, (), tmp_path / "suite")
    assert [one for one in suite.options if "test_blas64_geqrf_lwork_smoketest" in one]
