"""Symbol versions in real ELF files that the pins should have kept old, and what `build` says of them."""

from __future__ import annotations

import io
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from spokeshave.build import libc_reach, pipeline
from spokeshave.build.libc_reach import (
    NewSymbol,
    new_symbols,
    pinned_versions,
    reach_warning,
    reaches_promise,
)
from spokeshave.inside.levers import lever_named
from spokeshave.inside.model import BuildPlan, LeverSetting
from spokeshave.own_code import package_root
from support import demo_files, make_context, needs_compiler, shipped_plan, write_wheel

PINS = package_root() / "inside" / "templates" / "glibc_pins.h"
SOURCE = "#include <math.h>\ndouble f(double x) { return exp(x) + pow(x, 3.1); }\n"
NEW = "demo-1.0-cp311-cp311-manylinux_2_31_x86_64.whl"
FILE = "demo/_core.so"
needs_gold = pytest.mark.skipif(shutil.which("ld.gold") is None, reason="there is no GNU gold")


def compiled(folder: Path, *, link_time: bool, folding: bool, pins: bool = True) -> bytes:
    """A library that calls libm, by the flags of the levers; libm comes before the object that calls it."""
    flags = {"link-time": link_time, "folding": folding}
    made = [lever_named(name).flags for name, on in flags.items() if on]
    options = [make({}) for make in made if make]
    (folder / "a.c").write_text(SOURCE)
    include = ("-include", str(PINS)) if pins else ()
    c_flags = [flag for one in options for flag in one.c]
    link = [flag for one in options for flag in one.link]
    for argv in (
        ["gcc", "-O2", "-fPIC", *include, *c_flags, "-c", "a.c", "-o", "a.o"],
        ["gcc", "-O2", "-shared", *link, "-Wl,--as-needed", "-lm", "a.o", "-lm", "-o", "a.so"],
    ):
        subprocess.run(argv, cwd=folder, check=True, capture_output=True)
    return (folder / "a.so").read_bytes()


def packed(folder: Path, library: bytes, name: str = NEW) -> Path:
    return write_wheel(folder / name, {**demo_files(), FILE: library})


def planned(*levers: str) -> BuildPlan:
    return replace(shipped_plan("scipy"), levers=tuple(LeverSetting(name=name) for name in levers))


@needs_compiler
@needs_gold
def test_reach_warning_link_time_with_folding_names_symbol_file_and_cure(tmp_path: Path) -> None:
    wheel = packed(tmp_path, compiled(tmp_path, link_time=True, folding=True))
    assert new_symbols(wheel) == [
        NewSymbol(file=FILE, symbol="exp", version="GLIBC_2.29"),
        NewSymbol(file=FILE, symbol="pow", version="GLIBC_2.29"),
    ]
    told = reach_warning(planned("link-time", "folding"), wheel)
    assert (
        told.startswith("warning: scipy ")
        and "is tagged manylinux_2_31_x86_64, newer than manylinux_2_28" in told
    )
    assert f"{FILE}: exp@GLIBC_2.29, pow@GLIBC_2.29" in told
    assert "levers link-time and folding together undo the pins of exp, pow" in told
    assert "in the recipe of scipy write `[levers.link-time] off = [" in told


@needs_compiler
@needs_gold
@pytest.mark.parametrize(("link_time", "folding"), [(True, False), (False, True), (False, False)])
def test_new_symbols_one_lever_off_keeps_the_pins(tmp_path: Path, link_time: bool, folding: bool) -> None:
    """The cure works."""
    wheel = packed(tmp_path, compiled(tmp_path, link_time=link_time, folding=folding))
    assert new_symbols(wheel) == []
    assert reach_warning(planned("link-time", "folding"), wheel) == ""


@needs_compiler
def test_reach_warning_object_without_the_launcher_is_told(tmp_path: Path) -> None:
    wheel = packed(tmp_path, compiled(tmp_path, link_time=False, folding=False, pins=False))
    told = reach_warning(planned("link-time"), wheel)
    assert "exp@GLIBC_2.29" in told and "were not compiled by the launchers" in told
    assert "off = [" not in told


def test_reach_warning_old_tag_reads_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libc_reach, "new_symbols", lambda wheel: pytest.fail("read"))
    wheel = packed(tmp_path, b"", NEW.replace("2_31", "2_27"))
    assert reach_warning(planned("link-time", "folding"), wheel) == ""


def test_reach_warning_host_engine_minds_pinned_functions_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine's libc decides on the others."""
    found = [NewSymbol(file=FILE, symbol=name, version="GLIBC_2.34") for name in ("dlopen", "log")]
    monkeypatch.setattr(libc_reach, "new_symbols", lambda wheel: found)
    docker = planned("link-time", "folding")
    host = replace(docker, environment=replace(docker.environment, engine="host"))
    wheel = packed(tmp_path, b"", NEW.replace("2_31", "2_34"))
    assert "dlopen" in reach_warning(docker, wheel) and "patch the calls of dlopen out" in reach_warning(
        docker, wheel
    )
    assert "dlopen" not in reach_warning(host, wheel) and "log@GLIBC_2.34" in reach_warning(host, wheel)


@pytest.mark.parametrize(
    ("platform", "reaches"),
    [
        ("manylinux_2_27_x86_64.manylinux_2_31_x86_64", True),
        ("manylinux_2_28_x86_64", True),
        ("manylinux2014_x86_64", True),
        ("manylinux_2_31_x86_64", False),
        ("linux_x86_64", False),
    ],
)
def test_reaches_promise_platform_tags(platform: str, reaches: bool) -> None:
    assert reaches_promise(platform) is reaches


def test_pinned_versions_both_files_pin_the_same() -> None:
    header, assembler = (path.read_text() for path in (PINS, PINS.with_suffix(".s")))
    assert pinned_versions(header) == pinned_versions(assembler)
    assert set(pinned_versions(header)) >= {"exp", "log", "pow"}


@needs_compiler
@needs_gold
def test_build_says_it_of_a_wheel_in_the_store(tmp_path: Path) -> None:
    said = io.StringIO()
    context = make_context(tmp_path, said=said)
    wheel = packed(tmp_path, compiled(tmp_path, link_time=True, folding=True))
    plan = planned("link-time", "folding")
    context.store.put("built", plan.digest, lambda new: shutil.copyfile(wheel, new / wheel.name))
    pipeline.build(context, (plan,))
    assert "exp@GLIBC_2.29" in said.getvalue()


def test_pins_file_is_where_the_check_reads_it() -> None:
    assert PINS.is_file()
