"""From runs to the largest set of components that may go, and to the profile that says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallstack import small_stack
from spokeshave.context import Context
from spokeshave.errors import TraceError
from spokeshave.removal.check import check_removals
from spokeshave.trace.profile_writer import profile_text
from spokeshave.trace.record import Mention, Recheck, Run, Use
from spokeshave.trace.resolve import Resolution, resolve
from spokeshave.trace.session import size_installed, warnings
from support import TARGET
from tracing_runs import load, run_of

ALPHA = {
    "alpha/__init__.py": "",
    "alpha/core.py": "def f():\n    import alpha.lazy\n",
    "alpha/lazy.py": "",
    "alpha/one.py": "import alpha.two\n",
    "alpha/two.py": "import alpha.one\n",
    "alpha/pack/__init__.py": "",
    "alpha/pack/part.py": "",
    "alpha/eager.py": "",
    "alpha/front.py": "def g():\n    import alpha.eager\n",
    "alpha/hidden.py": "",
    "alpha/needy.py": "import alpha.whole\n",
    "alpha/whole/__init__.py": "import alpha.whole.inner\n",
    "alpha/whole/inner.py": "",
}
COMPONENTS = "".join(
    f'[[components]]\nname = "{name}"\nsummary = "x"\nmodules = ["{module}"]\n'
    for name, module in {
        "lazy": "alpha.lazy",
        "one": "alpha.one",
        "two": "alpha.two",
        "pack": "alpha.pack",
        "part": "alpha.pack.part",
        "hidden": "alpha.hidden",
        "eager": "alpha.eager",
    }.items()
)
PATCH = """Why: alpha.whole loads its inner part.

--- a/alpha/whole/__init__.py
+++ b/alpha/whole/__init__.py
@@ -1 +1 @@
-import alpha.whole.inner
+# left out
"""
NESTED = (
    '[[components]]\nname = "whole"\nsummary = "x"\nmodules = ["alpha.whole"]\n'
    '[[components]]\nname = "inner"\nsummary = "x"\nmodules = ["alpha.whole.inner"]\n'
    'patches = ["inner.patch"]\n'
)
EAGER = '[[components.allow]]\nimporter = "alpha.front"\ntarget = "alpha.eager"\nreason = "g() tells it"\n'
TABLE = '[[components]]\nname = "table"\nsummary = "x"\nfiles = ["alpha/data/*.csv"]\n'
HEADERS = '[[components]]\nname = "headers"\nsummary = "x"\nfiles = ["alpha/include/*"]\n'
BY_HAND = (
    '[[components]]\nname = "patched"\nsummary = "x"\npatches = ["inner.patch"]\n'
    '[[components]]\nname = "split"\nsummary = "x"\nmodules = ["alpha.only_ours"]\n'
)
HARNESS = "alpha.conftest imports it, without which no test of that package runs"
LEAN = 'schema = 1\nname = "lean"\nsummary = "small"\n[levers]\n'


@pytest.fixture
def context(tmp_path: Path) -> Context:
    (tmp_path / "recipes" / "alpha").mkdir(parents=True)
    (tmp_path / "recipes" / "alpha" / "inner.patch").write_text(PATCH)
    made = small_stack(tmp_path, {"alpha": (ALPHA, COMPONENTS + EAGER + NESTED + TABLE + HEADERS + BY_HAND)})
    (tmp_path / "recipes" / "profiles" / "lean.toml").write_text(LEAN)
    return made


def resolved(context: Context, *runs: Run) -> Resolution:
    return resolve(context, context.book.profile("lean"), TARGET, runs)


def verdicts(context: Context, *runs: Run) -> tuple[set[str], dict[str, str]]:
    """What goes, and why the rest stays; without the name of the recipe."""
    found = resolved(context, *runs).verdicts
    kept = {one.component.removeprefix("alpha/"): one.why for one in found if not one.removed}
    return {one.component.removeprefix("alpha/") for one in found if one.removed}, kept


def test_what_kept_modules_need_stays_and_all_else_goes(context: Context) -> None:
    gone, kept = verdicts(context, run_of("alpha"))
    assert gone == {"one", "two", "pack", "hidden", "eager", "table", "inner"}
    assert kept["lazy"] == "needed: alpha.core:2 → alpha.lazy"
    assert set(kept) == {"lazy", "whole", "headers", "patched", "split"}


def test_components_that_only_each_other_need_stay_together(context: Context) -> None:
    gone, kept = verdicts(context, run_of("alpha", "alpha.one"))
    assert not {"one", "two"} & gone
    assert kept["one"] == "imported by main"
    assert kept["two"] == "needed: alpha.one:1 → alpha.two"


def test_a_part_of_what_goes_has_no_row_of_its_own(context: Context) -> None:
    rows = {one.component: one.removed for one in resolved(context, run_of("alpha")).verdicts}
    assert rows["alpha/pack"] and "alpha/part" not in rows
    gone, kept = verdicts(context, run_of("alpha.pack"))
    assert "part" in gone and kept["pack"] == "imported by main"


def test_a_part_goes_by_its_own_patch_where_the_whole_has_to_stay(context: Context) -> None:
    gone, kept = verdicts(context, run_of("alpha"))
    assert kept["whole"] == "needed: alpha.needy:1 → alpha.whole"
    assert "inner" in gone


def test_the_runs_of_several_services_are_one(context: Context) -> None:
    gone, kept = verdicts(context, run_of("alpha.pack"), run_of("alpha.hidden"))
    assert {"pack", "hidden"} <= set(kept) and "eager" in gone


@pytest.mark.parametrize(
    ("run", "why"),
    [
        (run_of("alpha.eager"), "imported by main"),
        (run_of(load("alpha.eager", importer="", moment="program")), "imported by the program"),
        (
            run_of("alpha", load("alpha.eager", importer="alpha.front", line=2, moment="call")),
            "loaded by alpha.front:2",
        ),
        (
            run_of(
                load("alpha.eager", importer="alpha.front", moment="loading"),
                mentions=(Mention(name="alpha.eager.x", user="app"),),
            ),
            "imported by app",
        ),
        (
            run_of("alpha", uses=(Use(module="alpha.eager", user="alpha.eager", function="f.<locals>.g"),)),
            "alpha.eager.f ran",
        ),
        (
            run_of("alpha", uses=(Use(module="alpha.eager", user="app", function="f"),)),
            "app.f ran, which has names from alpha.eager",
        ),
        (
            run_of("alpha", recheck=Recheck(needed={"alpha/eager": "asked for in the recheck"})),
            "asked for in the recheck",
        ),
        (run_of("alpha", harness=(Mention(name="alpha.eager.f", user="alpha.conftest"),)), HARNESS),
        (run_of("alpha", load("alpha.eager", kind="stub")), "imported by main"),
    ],
)
def test_each_sign_of_use_keeps_a_component(context: Context, run: Run, why: str) -> None:
    _, kept = verdicts(context, run)
    assert kept["eager"] == why


COMPILED = load("alpha.eager", importer="alpha.front", moment="loading", kind="ext")
PLAIN = load("alpha.eager", importer="alpha.front", moment="loading")
UNSEEN = "loaded; use not visible"


@pytest.mark.parametrize(
    "run",
    [
        run_of("alpha", COMPILED),
        run_of("alpha", PLAIN, lost=("another profiler",)),
        run_of("alpha", COMPILED, recheck=Recheck(without=("alpha/one",))),
        run_of("alpha", COMPILED, recheck=Recheck(fault="SIGINT ended the command")),
    ],
)
def test_what_a_run_cannot_show_is_kept(context: Context, run: Run) -> None:
    assert verdicts(context, run)[1]["eager"] == UNSEEN
    proved = run_of("alpha", COMPILED, recheck=Recheck(without=("alpha/eager",)))
    assert verdicts(context, proved, run)[1]["eager"] == UNSEEN, "one run's proof is not another's"


def test_what_the_recheck_cannot_try_says_so(context: Context) -> None:
    run = run_of("alpha", COMPILED, recheck=Recheck(untried={"alpha/eager": "its patch is of C"}))
    assert verdicts(context, run)[1]["eager"] == f"{UNSEEN}; its patch is of C"


def test_a_run_that_shows_no_call_or_passed_without_it_removes_it(context: Context) -> None:
    for run, why in (
        (run_of("alpha", PLAIN), "loaded with its package, but not used"),
        (
            run_of("alpha", COMPILED, recheck=Recheck(without=("alpha/eager",))),
            "loaded; its use is not visible; the command passed without it",
        ),
    ):
        found = {one.component: one for one in resolved(context, run).verdicts}
        assert found["alpha/eager"].removed and found["alpha/eager"].why == why


def test_headers_are_read_by_compilers_which_no_run_shows(context: Context) -> None:
    assert verdicts(context, run_of("alpha"))[1]["headers"] == UNSEEN
    assert "headers" in verdicts(context, run_of("other"))[0], "its package was not loaded"


def test_a_component_of_patches_alone_is_removed_by_hand_only(context: Context) -> None:
    kept = verdicts(context, run_of("alpha"))[1]
    for name in ("patched", "split"):
        assert kept[name].startswith("removed by hand only")


def test_a_lazy_loader_hands_modules_on_and_uses_none(context: Context) -> None:
    handed = load("alpha.eager", importer="alpha.front", moment="loading")
    loader = Use(module="alpha.eager", user="app", function="__getattr__")
    gone, _ = verdicts(context, run_of(handed, uses=(loader,)))
    assert "eager" in gone


def test_what_is_loaded_along_with_its_package_and_not_used_goes(context: Context) -> None:
    run = run_of("alpha", load("alpha.eager", importer="alpha.front", moment="loading"))
    found = {one.component: one for one in resolved(context, run).verdicts}
    assert found["alpha/eager"].removed
    assert found["alpha/eager"].why == "loaded with its package, but not used"


def test_a_mention_of_what_was_never_loaded_is_no_sign(context: Context) -> None:
    run = run_of("alpha", mentions=(Mention(name="alpha.hidden", user="app"),))
    assert "hidden" in verdicts(context, run)[0]


def test_an_import_that_no_source_shows_is_respected(context: Context) -> None:
    run = run_of("alpha", load("alpha.hidden", importer="alpha.front", line=7, moment="loading"))
    assert verdicts(context, run)[1]["hidden"] == "needed: alpha.front:7 → alpha.hidden"


def test_a_data_file_that_was_read_stays(context: Context) -> None:
    assert (
        verdicts(context, run_of("alpha", data=("alpha/data/a.csv",)))[1]["table"] == "read alpha/data/a.csv"
    )


def test_a_base_that_leaves_out_what_is_used_is_refused(context: Context) -> None:
    small = LEAN.replace("lean", "less") + '[[remove]]\ncomponent = "alpha/one"\nreason = "not needed"\n'
    (context.book.folders[0] / "profiles" / "less.toml").write_text(small)
    base = context.book.profile("less")
    with pytest.raises(TraceError, match="alpha/one: imported by main"):
        resolve(context, base, TARGET, [run_of("alpha.one")])
    assert "alpha/one" not in {
        one.component for one in resolve(context, base, TARGET, [run_of("alpha")]).verdicts
    }


def test_a_program_that_loads_nothing_of_the_stack_is_refused(context: Context) -> None:
    with pytest.raises(TraceError, match="nothing of the stack"):
        resolved(context, run_of())


def test_the_profile_loads_passes_the_check_and_says_why(context: Context, tmp_path: Path) -> None:
    runs = [run_of("alpha", weights={"alpha/pack": 1_230_000}), run_of("alpha.one", exit_code=1)]
    runs[1] = runs[1].model_copy(update={"command": ("/opt/bin/tool", 'say "hi"', "a\x7fb")})
    found = resolved(context, *runs)
    path = tmp_path / "app.toml"
    path.write_text(profile_text("app", found, runs, ["look out"]))
    profile = context.book.profile(str(path))
    check_removals(context, profile, TARGET)
    assert profile.draft and profile.extends == "lean"
    assert [row.component for row in profile.remove] == [one.component for one in found.removed]
    assert profile.remove[0].reason == "traced runs: not loaded"
    assert profile.trace
    assert [run.command for run in profile.trace.runs] == ["python -m app", 'tool say "hi" a b']
    assert profile.trace.kept["alpha/two"] == "needed: alpha.one:1 → alpha.two"
    text = path.read_text()
    assert text.count("python -m app") == 1, "a command stands once, not in each reason"
    assert '"alpha/two" = "needed: alpha.one:1 → alpha.two"  # size not known' in text
    assert "[[remove]]  # 1.23 MB" in text and "# Note: look out" in text
    assert str(tmp_path) not in text and "/opt" not in text


def test_profile_text_other_command_and_date_gives_the_same_wheels(context: Context, tmp_path: Path) -> None:
    """Reasons land in stubs: the same result is the same wheel, whatever was run and when."""
    first = run_of("alpha")
    later = first.model_copy(update={"command": ("tool", "other"), "date": "2031-01-01T00:00:00+00:00"})
    removed = []
    for run in (first, later):
        path = tmp_path / "app.toml"
        path.write_text(profile_text("app", resolved(context, run), [run]))
        removed.append(context.book.profile(str(path)).remove)
    assert removed[0] == removed[1] != ()


def test_profile_without_trace_table_loads_with_its_long_reasons(context: Context, tmp_path: Path) -> None:
    """As earlier versions wrote it."""
    path = tmp_path / "app.toml"
    head = 'schema = 1\nname = "app"\nextends = "lean"\ndraft = true\nsummary = "x"\n'
    row = '[[remove]]\ncomponent = "alpha/pack"\nreason = "not loaded in 1 run (python -m app)"\n'
    path.write_text(f"{head}\n# kept: alpha/two (0.1 MB): imported by main\n\n{row}")
    profile = context.book.profile(str(path))
    assert profile.trace is None
    assert profile.remove[0].reason == "not loaded in 1 run (python -m app)"


def test_versions_lost_calls_and_stubs_are_warned_of(context: Context) -> None:
    run = run_of(
        load("alpha.one", kind="stub"),
        versions={"alpha": ("0.9",)},
        lost=("why",),
        hidden=("python -I",),
        exit_code=2,
    )
    told = "\n".join(warnings(context, [run], TARGET))
    for part in (
        "alpha 0.9 was traced, the recipe builds 1.0",
        "(why)",
        "python -I",
        "alpha.one",
        "exit code 2",
    ):
        assert part in told
    assert warnings(context, [run_of("alpha", versions={"alpha": ("1.0+lean.1",)})], TARGET) == []


def test_components_are_weighed_without_tests_and_bytecode(context: Context, tmp_path: Path) -> None:
    sizes = {
        "pack/a.py": 3,
        "pack/b.so": 5,
        "pack/tests/t.py": 90,
        "pack/a.pyi": 90,
        "pack/__pycache__/a.pyc": 90,
    }
    for name, size in {
        **sizes,
        "one.py": 7,
        "one.cpython-311.so": 11,
        "oneself.py": 90,
        "data/x.csv": 13,
    }.items():
        path = tmp_path / "site" / "alpha" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
    parts = {part.name: part for part in context.book.load("alpha").recipe.components}
    roots = {"alpha": tmp_path / "site" / "alpha"}
    assert [size_installed(roots, parts[name]) for name in ("pack", "one", "table")] == [8, 18, 13]
