"""The compiler launchers, run for real: level by part, pinned symbol versions, run paths."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from spokeshave.build.project import write_launchers
from spokeshave.inside.model import BuildPlan, Level
from support import needs_compiler, shipped_plan

pytestmark = needs_compiler
x86_only = pytest.mark.skipif(platform.machine() != "x86_64", reason="the pins are for x86-64")


@pytest.fixture
def plan(tmp_path: Path) -> BuildPlan:
    """A plan that links slim-openblas, with levels of its own."""
    levels = (
        Level(match="*/cold/hot_*.c", level="O3", reason="the hot part of a cold folder"),
        Level(match="*/cold/*", level="Os", reason="never called in a loop"),
        Level(match=f"{tmp_path}/src/near/*", level="O1", reason="by absolute path"),
    )
    fixes = (Level(match="*/cold/*", level="fno-strict-aliasing", reason="puns its structs"),)
    numpy = shipped_plan("numpy")
    flags = {**numpy.compile.flags, "cython": ("--no-docstrings",)}
    return replace(numpy, compile=replace(numpy.compile, levels=levels, fixes=fixes, flags=flags))


@pytest.fixture
def kit(plan: BuildPlan, tmp_path: Path) -> Path:
    (tmp_path / "kit").mkdir()
    write_launchers(plan, tmp_path / "kit")
    return tmp_path / "kit"


@pytest.fixture
def src(tmp_path: Path) -> Path:
    for name in ("cold/a.c", "cold/hot_b.c", "near/c.c", "other/d.c", "other/e.cpp", "other/f.f90"):
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("int x;\n")
    return tmp_path / "src"


def path_of(kit: Path) -> str:
    """The launchers, the tools beside this Python (Cython's), and the others."""
    return f"{kit / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"


def with_stub(kit: Path, folder: Path, name: str, told: str) -> dict[str, str]:
    """An environment where behind the launchers a stub stands in for a tool: it prints `told`."""
    stub = folder / "stub" / name
    stub.parent.mkdir()
    stub.write_text(f"#!/bin/sh\necho {told}\n")
    stub.chmod(0o755)
    return {**os.environ, "PATH": f"{kit / 'bin'}:{stub.parent}:{os.environ['PATH']}"}


def launch(kit: Path, cwd: Path, *argv: str) -> str:
    """Runs a launcher by its bare name, as meson and make do; returns both outputs."""
    env = {**os.environ, "PATH": path_of(kit), "LANG": "C"}
    done = subprocess.run(
        argv, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def last_level(kit: Path, cwd: Path, source: str) -> str:
    """The optimisation level that counts, as the compiler proper receives it."""
    out = launch(kit, cwd, "cc", "-###", "-O2", "-c", source, "-o", "x.o")
    line = next(line for line in out.splitlines() if "cc1" in line)
    return str(re.findall(r'"?-(O[0-3s]?)"?(?= |$)', line)[-1])


@pytest.mark.parametrize(
    ("name", "level"),
    [("cold/a.c", "Os"), ("cold/hot_b.c", "O3"), ("near/c.c", "O1"), ("other/d.c", "O2")],
)
def test_the_level_follows_the_source(kit: Path, src: Path, name: str, level: str) -> None:
    assert last_level(kit, src, str(src / name)) == level


def test_a_relative_source_is_matched_by_an_absolute_pattern(kit: Path, src: Path) -> None:
    assert last_level(kit, src, "near/c.c") == "O1"
    assert last_level(kit, src / "near", "c.c") == "O1"
    assert last_level(kit, src / "other", "../cold/a.c") == "Os"


def test_the_compiler_really_takes_the_level(kit: Path, src: Path) -> None:
    for name, small in (("cold/a.c", True), ("other/d.c", False)):
        macros = launch(kit, src, "cc", "-O2", "-dM", "-E", name)
        assert ("#define __OPTIMIZE_SIZE__ 1" in macros) == small
        assert "#define __OPTIMIZE__ 1" in macros


def test_the_pins_are_for_c_and_cxx_alone(kit: Path, src: Path) -> None:
    pins = str(kit / "glibc_pins.h")
    assert pins in launch(kit, src, "cc", "-###", "-c", "other/d.c")
    assert pins in launch(kit, src, "c++", "-###", "-c", "other/e.cpp")
    (src / "x.o").touch()
    assert pins not in launch(kit, src, "cc", "-###", "-shared", "x.o", "-o", "x.so")
    assert pins not in launch(kit, src, "cc", "-###", "-c", "-x", "assembler", "other/s.s")


def test_fortran_gets_its_level_and_the_pins_too(kit: Path, src: Path, tmp_path: Path) -> None:
    """Few machines have gfortran, so one stands in for it that tells its arguments."""
    env = with_stub(kit, tmp_path, "gfortran", '"$@"')
    for name, expected in (
        ("other/f.f90", "-c other/f.f90"),
        ("cold/g.f", "-c cold/g.f -Os -fno-strict-aliasing"),
    ):
        out = subprocess.check_output(["gfortran", "-c", name], cwd=src, env=env, text=True, timeout=60)
        assert out == f"{expected} -Wa,{kit}/glibc_pins.s\n"


def test_ccache_tells_objects_of_one_source_apart_where_counters_do(
    kit: Path, src: Path, tmp_path: Path
) -> None:
    env = with_stub(kit, tmp_path, "gcc", '"$CCACHE_NAMESPACE"')

    def space(*flags: str) -> str:
        argv = ["cc", *flags, "-c", "other/d.c"]
        return subprocess.check_output(argv, cwd=src, env=env, text=True, timeout=60).strip()

    told = {space("-fprofile-use=/counters", "-o", name) for name in ("a.o", "b.o")}
    assert len(told) == 2
    assert all(re.fullmatch("[0-9a-f]{64}", one) for one in told)
    assert space("-o", "a.o") == ""


@x86_only
def test_pinned_functions_keep_their_first_version(kit: Path, src: Path) -> None:
    (src / "m.c").write_text("#include <math.h>\ndouble f(double x) { return exp(x) + pow(x, x); }\n")
    launch(kit, src, "cc", "-O2", "-shared", "-fPIC", "m.c", "-lm", "-o", "m.so")
    table = subprocess.run(["nm", "-D", "m.so"], cwd=src, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"U (\w+)@+(GLIBC\S+)", table) == [("exp", "GLIBC_2.2.5"), ("pow", "GLIBC_2.2.5")]


def test_cython_gets_the_flags_of_the_levers(kit: Path, src: Path, tmp_path: Path) -> None:
    env = with_stub(kit, tmp_path, "cython", 'cython "$@"')
    out = subprocess.check_output(["cython", "-3", "a b.pyx"], cwd=src, env=env, text=True, timeout=60)
    assert out == "cython --no-docstrings -3 a b.pyx\n"


def test_a_shared_utility_module_has_the_same_bytes_each_time(kit: Path, tmp_path: Path) -> None:
    """Cython 3.2.5, which scikit-learn's lock names, would put its temporary folder into the module."""
    words = ("-m", "cython", "--generate-shared=one.c")
    subprocess.run([sys.executable, *words], cwd=tmp_path, check=True)
    assert re.search(r'"\S*/tmp\w{8}/one\.pyx"', (tmp_path / "one.c").read_text()), "else the launcher can go"
    made = []
    for folder in ("near", "rather/far"):
        place = tmp_path / folder
        place.mkdir(parents=True)
        launch(kit, place, "cython", "-3", "--generate-shared=one.c")
        made.append((place / "one.c").read_bytes())
    assert made[0] == made[1]
    assert b'"one.pyx"' in made[0]


def test_what_cython_refuses_stays_an_error(kit: Path, tmp_path: Path) -> None:
    env = {**os.environ, "PATH": path_of(kit)}
    done = subprocess.run(["cython", "none.pyx"], cwd=tmp_path, env=env, capture_output=True, check=False)
    assert done.returncode == 1
    assert b"none.pyx" in done.stderr


@pytest.mark.parametrize(
    ("tools", "words", "passed"),
    [
        (
            "gcc ld.gold",
            "-fuse-ld=gold -Wl,--icf=safe -Wl,-z,noseparate-code",
            "-fuse-ld=gold -Wl,--icf=safe",
        ),
        ("gcc", "-fuse-ld=gold -Wl,--icf=safe -Wl,-z,noseparate-code", "-Wl,-z,noseparate-code"),
        ("gcc ld.gold", "-Wl,-z,noseparate-code", "-Wl,-z,noseparate-code"),
    ],
)
def test_gold_is_asked_for_only_where_it_is(
    kit: Path, tmp_path: Path, tools: str, words: str, passed: str
) -> None:
    (tmp_path / "tools").mkdir()
    for name in tools.split():
        (tmp_path / "tools" / name).write_text('#!/bin/sh\necho "$@"\n')
        (tmp_path / "tools" / name).chmod(0o755)
    (tmp_path / "tools" / "grep").symlink_to(str(shutil.which("grep")))
    env = {"PATH": f"{kit / 'bin'}:{tmp_path / 'tools'}"}
    argv = ["cc", "a b.o", *words.split(), "-o", "x.so"]
    out = subprocess.check_output(argv, env=env, text=True, timeout=60)
    assert out == f"a b.o {passed} -o x.so\n"


@pytest.mark.parametrize(
    ("tools", "passed"),
    [
        ("gcc ld.gold", ["-Wl,--as-needed", "-fuse-ld=gold", "-Wl,--icf=safe", "-Wl,-O1"]),
        ("gcc", ["-Wl,--as-needed", "-Wl,-z,noseparate-code", "-Wl,-O1"]),
    ],
)
def test_a_response_file_is_read_too(kit: Path, tmp_path: Path, tools: str, passed: list[str]) -> None:
    """Meson puts the arguments of large links into one."""
    (tmp_path / "tools").mkdir()
    for name in tools.split():
        (tmp_path / "tools" / name).write_text('#!/bin/sh\ncat "${1#@}"\n')
        (tmp_path / "tools" / name).chmod(0o755)
    for name in ("grep", "sed", "cat"):
        (tmp_path / "tools" / name).symlink_to(str(shutil.which(name)))
    words = "-Wl,--as-needed -Wl,-z,noseparate-code -fuse-ld=gold -Wl,--icf=safe -Wl,-O1"
    (tmp_path / "m.rsp").write_text(words)
    env = {"PATH": f"{kit / 'bin'}:{tmp_path / 'tools'}"}
    out = subprocess.check_output(["cc", "@m.rsp"], cwd=tmp_path, env=env, text=True, timeout=60)
    assert out.split() == passed
    assert (tmp_path / "m.rsp").read_text() == words


def test_arguments_with_spaces_and_quotes_survive(kit: Path, src: Path) -> None:
    (src / "with space").mkdir()
    (src / "with space" / "a.c").write_text("const char *text = TEXT;\n")
    define = '-DTEXT="it\'s $HOME * here"'
    out = launch(kit, src, "cc", define, "-E", "with space/a.c")
    assert '"it\'s $HOME * here"' in out


@pytest.mark.parametrize(
    ("source", "fixed"), [("cold/a.c", True), ("cold/hot_b.c", True), ("near/c.c", False)]
)
def test_a_fix_holds_whatever_the_level(kit: Path, src: Path, source: str, fixed: bool) -> None:
    words = launch(kit, src, "cc", "-###", "-c", source)
    assert ("-fno-strict-aliasing" in words) is fixed
