"""A profile's removals against the import graph of the stack, and what `explain` tells of a module."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallstack import small_stack
from spokeshave.context import Context
from spokeshave.errors import RecipeError, RemovalRefused
from spokeshave.inside.levers.lever import Tree
from spokeshave.inside.model import Removed
from spokeshave.inside.stubs import remove as take_out
from spokeshave.removal.check import check_removals, import_graph, stack_recipes
from spokeshave.removal.explain import explain, offers
from support import TARGET, demo_files, shipped_plan, write_wheel

ALPHA = {
    "alpha/__init__.py": "",
    "alpha/core.py": "",
    "alpha/odr.py": "from alpha import core\n",
    "alpha/lazy.py": "",
    "alpha/heavy/__init__.py": "",
}
BETA = {
    "beta/__init__.py": "",
    "beta/_use.py": "def fit():\n    from alpha.lazy import go\n    return go()\n",
    "beta/api.py": "from beta import _use\ntry:\n    import alpha.heavy\nexcept ImportError:\n    pass\n",
}
COMPONENTS = """
[[components]]
name = "odr"
summary = "regression"
modules = ["alpha.odr"]
[[components]]
name = "lazy"
summary = "loaded late"
modules = ["alpha.lazy"]
[[components]]
name = "heavy"
summary = "optional for beta"
modules = ["alpha.heavy"]
[[components]]
name = "tables"
summary = "no module, data alone"
files = ["alpha/*.csv"]
"""
PROFILE = 'schema = 1\nname = "app"\nsummary = "small"\n[levers]\n'


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return small_stack(tmp_path, {"alpha": (ALPHA, COMPONENTS), "beta": (BETA, "")})


def write_profile(context: Context, *rows: str) -> None:
    path = context.book.folders[0] / "profiles" / "app.toml"
    path.write_text(PROFILE + "".join(rows))


def remove(component: str) -> str:
    return f'[[remove]]\ncomponent = "alpha/{component}"\nreason = "not used in this app"\n'


def test_the_stack_comes_in_the_order_of_its_needs(context: Context) -> None:
    assert [loaded.recipe.name for loaded in stack_recipes(context)] == ["alpha", "beta"]


@pytest.mark.parametrize("component", ["odr", "heavy"])
def test_what_nothing_needs_may_go(context: Context, component: str) -> None:
    write_profile(context, remove(component))
    check_removals(context, context.book.profile("app"), TARGET)


def test_where_no_module_goes_no_source_is_read(context: Context) -> None:
    """Or `build numpy` in lean would fetch scipy first."""
    write_profile(context, remove("tables"))
    check_removals(context, context.book.profile("app"), TARGET)
    assert not (context.store.root / "entries" / "imports").exists()
    write_profile(context, remove("odr"))
    check_removals(context, context.book.profile("app"), TARGET)
    assert (context.store.root / "entries" / "imports").exists()


def test_each_package_is_read_once(context: Context) -> None:
    write_profile(context, remove("odr"))
    profile = context.book.profile("app")
    graph = import_graph(context, profile, TARGET)
    entries = sorted((context.store.root / "entries" / "imports").iterdir())
    assert len(entries) == 2
    before = [path.stat().st_mtime_ns for path in entries]
    assert import_graph(context, profile, TARGET) == graph
    assert [path.stat().st_mtime_ns for path in entries] == before


def test_what_kept_code_imports_is_refused_with_the_chain(context: Context) -> None:
    write_profile(context, remove("lazy"))
    with pytest.raises(RemovalRefused) as caught:
        check_removals(context, context.book.profile("app"), TARGET)
    assert "beta.api:1 → beta._use:2 → alpha.lazy   (component alpha/lazy)" in caught.value.what
    assert "[[allow]]" in caught.value.next_step


def test_the_profile_may_say_so_on_purpose(context: Context) -> None:
    allow = '[[allow]]\nimporter = "beta._use"\ntarget = "alpha.lazy"\nreason = "fit() is not called"\n'
    write_profile(context, remove("lazy"), allow)
    check_removals(context, context.book.profile("app"), TARGET)


def test_an_allowance_that_fits_nothing_is_an_error(context: Context) -> None:
    allow = '[[allow]]\nimporter = "beta.gone"\ntarget = "alpha.odr"\nreason = "was needed once"\n'
    write_profile(context, remove("odr"), allow)
    with pytest.raises(RemovalRefused, match=r"nothing in beta\.gone imports alpha\.odr"):
        check_removals(context, context.book.profile("app"), TARGET)


def test_an_unknown_component_has_a_hint(context: Context) -> None:
    write_profile(context, remove("ord"))
    with pytest.raises(RecipeError) as caught:
        check_removals(context, context.book.profile("app"), TARGET)
    assert caught.value.next_step == "did you mean 'odr'?"


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("alpha.hevy", "did you mean 'alpha.heavy'?"),
        ("lazy", "did you mean 'alpha.lazy'?"),
        (
            "tensorflow",
            "known: alpha, alpha.core, alpha.heavy, alpha.lazy, alpha.odr, beta, beta._use, beta.api",
        ),
    ],
)
def test_explain_unknown_module_hints_at_the_nearest(context: Context, word: str, hint: str) -> None:
    write_profile(context)
    with pytest.raises(RecipeError, match="there is no module") as caught:
        explain(context, word, context.book.profile("app"), TARGET, [])
    assert caught.value.next_step.startswith(hint)


TRACE = """
[[trace.runs]]
date = "2026-11-26"
command = "python -m pytest -q"
[trace.kept]
"alpha/lazy" = "imported by main"
[[remove]]
component = "alpha/odr"
reason = "traced runs: not loaded"
"""


def test_explain_traced_profile_says_what_the_runs_showed(context: Context) -> None:
    write_profile(context, TRACE)
    profile = context.book.profile("app")
    kept, removed, other = (
        explain(context, name, profile, TARGET, []) for name in ("alpha.lazy", "alpha.odr", "alpha.heavy")
    )
    assert (kept.component, kept.traced) == (None, "imported by main")
    assert (removed.component, removed.traced) == ("alpha/odr", "not loaded")
    assert kept.runs == removed.runs == ("2026-11-26: python -m pytest -q",)
    assert other.traced == ""


def test_explain_tells_in_and_out_users_and_weight(context: Context, tmp_path: Path) -> None:
    write_profile(context, remove("odr"))
    profile = context.book.profile("app")
    files = {**demo_files("alpha"), "alpha/lazy.py": b"12345", "alpha/lazy/more.py": b"67"}
    wheel = write_wheel(tmp_path / "w" / "alpha-1.0-py3-none-any.whl", files)
    lazy = explain(context, "alpha.lazy", profile, TARGET, [wheel])
    assert (lazy.component, lazy.offered) == (None, "alpha/lazy")
    assert lazy.needed == "beta.api:1 → beta._use:2 → alpha.lazy"
    assert lazy.users == ("beta._use:2 (deferred)",)
    assert lazy.weight == {wheel.name: 7}
    odr = explain(context, "alpha.odr", profile, TARGET, [wheel])
    assert (odr.component, odr.reason, odr.needed) == ("alpha/odr", "not used in this app", None)
    assert (odr.weight, odr.stubs) == ({}, ())


def test_explain_tells_who_asks_for_a_module_and_can_do_without(context: Context) -> None:
    write_profile(context)
    heavy = explain(context, "alpha.heavy", context.book.profile("app"), TARGET, [])
    assert heavy.needed == "beta.api:3 → alpha.heavy (guarded)"


def test_explain_tells_a_stub_from_a_module(context: Context, tmp_path: Path) -> None:
    write_profile(context, remove("odr"))
    tree = Tree(root=tmp_path / "root", tests=tmp_path / "tests")
    (tree.root / "alpha").mkdir(parents=True)
    (tree.root / "alpha" / "odr.py").write_text("")
    part = Removed(component="odr", reason="unused", modules=("alpha.odr",), late=(), files=())
    take_out(shipped_plan("numpy"), part, tree)
    stub = (tree.root / "alpha" / "odr.py").read_bytes()
    wheel = write_wheel(tmp_path / "w" / "alpha-1.0-py3-none-any.whl", {"alpha/odr.py": stub})
    odr = explain(context, "alpha.odr", context.book.profile("app"), TARGET, [wheel])
    assert (odr.weight, odr.stubs) == ({wheel.name: len(stub)}, (wheel.name,))


def test_explain_hints_at_a_mistyped_module(context: Context) -> None:
    write_profile(context)
    with pytest.raises(RecipeError, match=r"alpha\.lzy"):
        explain(context, "alpha.lzy", context.book.profile("app"), TARGET, [])


def test_what_a_profile_may_take_out_is_listed_by_what_it_weighs(context: Context, tmp_path: Path) -> None:
    write_profile(context, remove("odr"))
    files = {"alpha/odr.py": b"123", "alpha/heavy/__init__.py": b"12345", "alpha/a.csv": b"1,2"}
    whole = write_wheel(tmp_path / "w" / "alpha-1.0-py3-none-any.whl", files)
    other = write_wheel(tmp_path / "w" / "alphabet-1.0-py3-none-any.whl", {"alpha/odr.py": b""})
    found = offers(context.book.load("alpha"), context.book.profile("app"), [other, whole])
    assert [(one.component, one.removed, one.reason, one.weight) for one in found] == [
        ("alpha/odr", True, "not used in this app", 3),
        ("alpha/lazy", False, "", 0),
        ("alpha/heavy", False, "", 5),
        ("alpha/tables", False, "", 3),
    ]
    assert {one.wheel for one in found} == {whole.name}
    assert [one.weight for one in offers(context.book.load("alpha"), context.book.profile("app"), [])] == [
        None
    ] * 4


def test_a_component_is_not_weighed_where_its_stub_stands(context: Context, tmp_path: Path) -> None:
    write_profile(context)
    stub = (
        b'raise ModuleNotFoundError("alpha.odr is not in this wheel of alpha (1.0): profile ...", name="x")'
    )
    wheel = write_wheel(tmp_path / "w" / "alpha-1.0-py3-none-any.whl", {"alpha/odr.py": stub})
    odr, *others = offers(context.book.load("alpha"), context.book.profile("app"), [wheel])
    assert (odr.weight, odr.wheel) == (None, None)
    assert all(one.wheel for one in others)
