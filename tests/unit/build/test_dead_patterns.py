"""Patterns that match nothing: found after the compile and in the finish step, reported with their place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from spokeshave.build.dead_patterns import check_sources, check_wheel
from spokeshave.build.engines.docker import build_error, cibuildwheel_config
from spokeshave.build.project import write_launchers
from spokeshave.errors import RecipeError
from spokeshave.inside import unmatched
from spokeshave.inside.model import BuildPlan, Level
from spokeshave.own_code import copy_inside
from spokeshave.recipes.book import Loaded, RecipeBook
from spokeshave.recipes.patterns import source_rows, wheel_rows
from support import RECIPES, needs_compiler, shipped_plan

BOOK = RecipeBook([RECIPES])


def level(match: str) -> Level:
    return Level(match=match, level="O2", reason="a loop of the tests")


def plan_with(levels: tuple[str, ...], fixes: tuple[str, ...] = ()) -> BuildPlan:
    plan = shipped_plan("pandas")
    rows = tuple(map(level, levels)), tuple(map(level, fixes))
    return replace(plan, compile=replace(plan.compile, levels=rows[0], fixes=rows[1]))


def kit_of(plan: BuildPlan, folder: Path) -> Path:
    kit = folder / "kit"
    kit.mkdir()
    (kit / "plan.json").write_text(json.dumps(plan.to_json()))
    write_launchers(plan, kit)
    return kit


@needs_compiler
def test_unmatched_compiled_sources_are_seen_by_the_launchers(tmp_path: Path) -> None:
    plan = plan_with(("*/hot/a.c", "*/cold/*", "*/gone.c"), ("*/b.cpp", "*/lost/*", "*/x.c|*/y.c"))
    kit = kit_of(plan, tmp_path)
    for name in ("src/hot/a.c", "src/cold/b.cpp", "src/meson-private/lost/c.c"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("int x;\n")
    env = {**os.environ, "PATH": f"{kit / 'bin'}:{os.environ['PATH']}"}
    for compiler, cwd, name in (
        ("cc", "src/hot", "a.c"),
        ("c++", "src", "../src/cold/b.cpp"),
        ("cc", "src", "meson-private/lost/c.c"),
    ):
        argv = [compiler, "-c", name, "-o", str(tmp_path / "x.o")]
        subprocess.run(argv, cwd=tmp_path / cwd, env=env, check=True)
    subprocess.run(["cc", "-shared", str(tmp_path / "x.o"), "-o", "x.so"], cwd=tmp_path, env=env, check=True)
    assert (kit / unmatched.SOURCES).read_text().count("\n") == 3, "a link has no source"
    assert unmatched.of_kit(kit) == ["*/gone.c", "*/lost/*"], "meson's own checks are no sources"


def test_unmatched_runs_in_the_container_with_the_kits_code(tmp_path: Path) -> None:
    plan = plan_with(("*/a.c", "*/gone.c"))
    kit = kit_of(plan, tmp_path)
    (kit / unmatched.SOURCES).write_text("/project/source/a.c\n")
    copy_inside(kit / "code")
    text = cibuildwheel_config(plan, "image:1", compiler="x", objects="y", labels=(), cpus=3)
    assert (
        'repair-wheel-command = "python -m spokeshave.inside.unmatched /project/kit && cp {wheel} {dest_dir}"'
        in text
    )
    argv = [sys.executable, "-m", "spokeshave.inside.unmatched", str(kit)]
    env = {"PYTHONPATH": str(kit / "code")}
    done = subprocess.run(argv, env=env, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert unmatched.read(f"[1/2] cc a.c\n{done.stdout}Done\n") == ("*/gone.c",)


def test_unmatched_nothing_compiled_all_patterns(tmp_path: Path) -> None:
    assert unmatched.of_kit(kit_of(plan_with(("*",)), tmp_path)) == ["*"]


def test_unmatched_failed_step_keeps_its_patterns(tmp_path: Path) -> None:
    output = f"{unmatched.line(['a/*.so'])}\nno\n{unmatched.line(['lib*'])}\n"
    fault = build_error(shipped_plan("pandas"), output, tmp_path / "log")
    assert fault.unmatched == ("a/*.so", "lib*")


def test_unmatched_patterns_of_the_wheel_are_those_of_levers_and_components() -> None:
    found = unmatched.wheel_patterns(shipped_plan("scipy", "sklearn"))
    assert {"scipy/conftest.py", "*.pxd", "scipy/odr/_add_newdocs.py"} <= set(found)
    assert "scipy/stats/_sobol_direction_numbers.npz" in found, "component quasi-random is removed"
    assert "scipy/stats/_sobol_direction_numbers.npz" not in unmatched.wheel_patterns(shipped_plan("scipy"))


def test_dead_pattern_of_a_source_error_names_file_key_and_pattern() -> None:
    loaded, plan = BOOK.load("numpy"), shipped_plan("numpy")
    with pytest.raises(RecipeError) as caught:
        check_sources(loaded, plan, ("*/umathmodule.c", "*/npysort/*", "*/of-a-pgo-profile.c"))
    assert caught.value.exit_code == 3
    head, *lines = caught.value.what.splitlines()
    assert head == f"numpy {plan.version}, profile lean: patterns that match nothing:"
    folder = RECIPES / "numpy"
    assert lines == [
        f"  {folder / 'levels.toml'}: build.levels: '*/umathmodule.c' matches no compiled source",
        f"  {folder / 'recipe.toml'}: levers.link-time.apart: '*/npysort/*' matches no compiled source",
        f"  {folder / 'recipe.toml'}: training.untrained: '*/npysort/*' matches no compiled source",
    ]
    assert caught.value.next_step == "correct or delete these patterns"


def test_dead_pattern_of_the_wheel_error_names_file_key_and_pattern() -> None:
    loaded, plan = BOOK.load("scipy"), shipped_plan("scipy", "sklearn")
    files = ("scipy/_lib/_test_ccallback.*.so", "scipy/stats/_sobol_direction_numbers.npz")
    with pytest.raises(RecipeError) as caught:
        check_wheel(loaded, plan, files)
    folder, said = RECIPES / "scipy", "matches no file of the compiled wheel"
    assert caught.value.what.splitlines()[1:] == [
        f"  {folder / 'recipe.toml'}: levers.test-modules.match: {files[0]!r} {said}",
        f"  {folder / 'components.toml'}: components.quasi-random.files: {files[1]!r} {said}",
    ]


def test_dead_pattern_of_grafts_is_about_libraries() -> None:
    loaded, plan = BOOK.load("scikit-learn"), shipped_plan("scikit-learn")
    with pytest.raises(RecipeError, match=r"grafts: 'libgomp-.*' matches no library that auditwheel copies"):
        check_wheel(loaded, plan, plan.grafts)


def test_dead_pattern_for_the_stub_of_a_component_is_none() -> None:
    """It is for profiles that remove the component; no compiled wheel has the stub."""
    loaded, plan = BOOK.load("pandas"), shipped_plan("pandas")
    check_wheel(loaded, plan, ("pandas/tests/extension/base.py",))
    with pytest.raises(RecipeError, match=r"levers\.tests\.keep: 'pandas/tests/extension/base/"):
        check_wheel(loaded, plan, ("pandas/tests/extension/base/*",))


def loaded_recipes() -> list[Loaded]:
    return [BOOK.load(name) for name in BOOK.names()]


@pytest.mark.parametrize("loaded", loaded_recipes(), ids=lambda loaded: loaded.recipe.name)
def test_patterns_of_a_plan_are_rows_of_its_recipe(loaded: Loaded) -> None:
    """Else a dead pattern would have no row to be reported with."""
    for profile in BOOK.profile_names():
        plan = shipped_plan(loaded.recipe.name, profile)
        own = {row.match for row in plan.compile.levels}
        assert own <= {pattern for _, pattern in source_rows(loaded.recipe)}
        assert set(unmatched.wheel_patterns(plan)) <= {pattern for _, pattern in wheel_rows(loaded.recipe)}


def test_patterns_match_as_the_shell_does() -> None:
    """`case` in the launchers, fnmatch in the check."""
    for pattern, name in (("*/SRC/[sd]lae[dv2]*.c", "/x/SRC/dlaed1.c"), ("*/a?b.[cf]", "/x/y/a/b.c")):
        shell = f"case {name} in {pattern}) exit 0 ;; esac; exit 1"
        assert (subprocess.run(["sh", "-c", shell], check=False).returncode == 0) == fnmatchcase(
            name, pattern
        )
