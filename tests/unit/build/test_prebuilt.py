"""Libraries that upstream has built: taken as they are, in our layout, for the right platform."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from spokeshave.build import prebuilt
from spokeshave.errors import RecipeError
from spokeshave.inside.levers import lever_named
from spokeshave.inside.model import BuildPlan, Bundled, plan_from_json
from spokeshave.inside.wheel import record_faults
from support import needs_compiler, shipped_plan

UPSTREAM = "tinylib32/lib"
LICENSE = "tinylib32-2.0.dist-info/licenses/LICENSE.txt"
PC = """libdir=${pcfiledir}/../../lib
includedir=${pcfiledir}/../../include
extralib=-lgfortran
Name: tiny
Libs: ${libdir}/libtiny.so -Wl,-rpath,${libdir}
Libs.private: ${extralib}
Cflags: -I${includedir} -DPREFIX=tiny_

"""


def shared_object(path: Path, soname: str, source: str, *argv: str) -> Path:
    where = ("-o", str(path), f"-Wl,-soname,{soname}")
    command = ["gcc", "-shared", "-fPIC", "-x", "c", "-", *where, "-x", "none", *argv]
    subprocess.run(command, input=source.encode(), check=True)
    return path


@pytest.fixture
def plan() -> BuildPlan:
    """The plan of a library that needs another one, which its wheel has beside it."""
    made = shipped_plan("scipy-openblas", "upstreamblas")
    table = {"folder": UPSTREAM, "soname": "libtiny.so", "carries": ["libmore-1.so"], "pkg_config": "tiny"}
    part = Bundled(
        name="Tiny", version="2", license="MIT", license_file=LICENSE, license_source=None, source="wheel"
    )
    return replace(
        made,
        distribution="slim-tiny",
        import_name="slim_tiny",
        version="2.0",
        bundled=(part, replace(part, name="More")),
        compile=replace(made.compile, settings={**made.compile.settings, "library": table}),
    )


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    """Upstream's wheel, with headers, and with a RECORD that is wrong as that of the real one is."""
    more = shared_object(tmp_path / "libmore-1.so", "libmore-1.so", "int more(void) { return 41; }")
    source = "int more(void);\nint tiny(void) { return more() + 1; }"
    tiny = shared_object(tmp_path / "libtiny.so", "libtiny.so", source, str(more), "-Wl,-rpath,$ORIGIN")
    path = tmp_path / "tinylib32-2.0-py3-none-manylinux2014_x86_64.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file in (tiny, more):
            archive.writestr(f"{UPSTREAM}/{file.name}", file.read_bytes())
        archive.writestr(f"{UPSTREAM}/pkgconfig/tiny.pc", PC)
        archive.writestr("tinylib32/include/tiny.h", "int tiny(void);")
        archive.writestr(LICENSE, "Do what you like.\n")
        archive.writestr("tinylib32-2.0.dist-info/RECORD", "nothing,sha256=right,1\n")
    return path


def assembled(plan: BuildPlan, upstream: Path, folder: Path) -> Path:
    prebuilt.assemble(plan, upstream, folder)
    (made,) = folder.iterdir()
    return made


@needs_compiler
def test_what_the_recipe_names_is_taken_and_nothing_else(
    plan: BuildPlan, upstream: Path, tmp_path: Path
) -> None:
    made = assembled(plan, upstream, tmp_path / "out")
    assert made.name == "slim_tiny-2.0-py3-none-linux_x86_64.whl"
    with zipfile.ZipFile(made) as archive:
        assert record_faults(archive) == []
        names = {name for name in archive.namelist() if "dist-info" not in name}
        metadata = archive.read("slim_tiny-2.0.dist-info/METADATA").decode()
        assert archive.read(f"slim_tiny-2.0.dist-info/licenses/{LICENSE}") == b"Do what you like.\n"
        archive.extractall(tmp_path / "site")
    lib = "slim_tiny/lib"
    files = ("libtiny.so", "libmore-1.so", "pkgconfig/tiny.pc")
    assert names == {"slim_tiny/__init__.py", *(f"{lib}/{name}" for name in files)}
    assert metadata.count("License-File: ") == 1, "two bundled parts with one licence file"
    code = "import slim_tiny; print(slim_tiny.load().tiny())"
    env = {"PYTHONPATH": str(tmp_path / "site")}
    assert subprocess.check_output([sys.executable, "-c", code], env=env) == b"42\n"


@needs_compiler
def test_assembling_twice_gives_the_same_bytes(plan: BuildPlan, upstream: Path, tmp_path: Path) -> None:
    first, second = (assembled(plan, upstream, tmp_path / name) for name in "ab")
    assert first.read_bytes() == second.read_bytes()


def test_the_pkg_config_file_leads_to_nothing_of_upstreams() -> None:
    assert prebuilt.without_upstreams_paths(PC) == (
        "libdir=${pcfiledir}/../../lib\nName: tiny\nLibs: ${libdir}/libtiny.so\nCflags: -DPREFIX=tiny_\n"
    )


@needs_compiler
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"soname": "libgone.so"}, "libgone.so is not in the wheel of scipy-openblas32"),
        ({"pkg_config": "gone"}, "pkgconfig/gone.pc is not in the wheel"),
        ({"folder": "tinylib64"}, "tinylib64/libtiny.so is not in the wheel"),
    ],
)
def test_a_recipe_that_does_not_fit_is_told(
    plan: BuildPlan, upstream: Path, tmp_path: Path, wrong: dict[str, str], said: str
) -> None:
    settings = {**plan.compile.settings, "library": {**plan.compile.settings["library"], **wrong}}
    changed = replace(plan, compile=replace(plan.compile, settings=settings))
    with pytest.raises(RecipeError, match=said):
        prebuilt.assemble(changed, upstream, tmp_path / "out")


@needs_compiler
def test_a_soname_that_is_not_the_file_name_is_told(plan: BuildPlan, upstream: Path, tmp_path: Path) -> None:
    other = shared_object(tmp_path / "other.so", "libother.so", "int x;")
    with zipfile.ZipFile(tmp_path / "bad.whl", "w") as archive:
        archive.writestr(f"{UPSTREAM}/libtiny.so", other.read_bytes())
    with pytest.raises(RecipeError, match=r"soname of libtiny\.so is 'libother\.so'"):
        prebuilt.assemble(plan, tmp_path / "bad.whl", tmp_path / "out")


def test_the_plan_of_the_shipped_one() -> None:
    plan = shipped_plan("scipy-openblas", "upstreamblas")
    assert plan.compile.backend == "prebuilt"
    assert plan.compile.requirements == ""
    assert not any(plan.compile.flags.values())
    assert all(lever_named(setting.name).shave for setting in plan.levers), "nothing is compiled"
    assert plan_from_json(json.loads(json.dumps(plan.to_json()))) == plan
    numpy = shipped_plan("numpy", "upstreamblas")
    assert numpy.sonames == ("libscipy_openblas.so",)
    assert numpy.compile.settings["setup-args"]["blas"] == "openblas", "scipy/meson.build knows no other"
    assert numpy.libraries == {"slim-scipy-openblas": plan.local_version}
