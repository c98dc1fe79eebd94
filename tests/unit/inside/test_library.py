"""A library with two widths of integers, made from a source of a few lines."""

from __future__ import annotations

import ctypes
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from spokeshave.inside import make_tree
from spokeshave.inside.library import ARCHIVES, build_library, settle
from spokeshave.inside.model import BuildPlan
from spokeshave.inside.objects import object_names, reached, read_symbols
from spokeshave.inside.run import Command, Finished, run
from support import shipped_plan

MAKEFILE = """
FOLDERS = api kernel
libs:
\t@for d in $(FOLDERS); do $(MAKE) -C $$d || exit 1; done
"""
FOLDER = """
OBJECTS = $(patsubst %.c,%.o,$(wildcard *.c))
all: $(OBJECTS)
\t$(AR) -rc ../libdemo-1.a $^
%.o: %.c
\tcc $(OPT) $(if $(WIDE),-DWIDE) -fPIC -c $< -o $@
"""
SOURCES = {
    "api/sum.c": """
#ifdef WIDE
typedef long integer;
#else
typedef int integer;
#endif
long add_kernel(long, long);
integer rest_(integer *);
integer sum_(integer *a, integer *b) { return (integer)add_kernel(*a, *b) + rest_(a); }
""",
    "api/rest.c": """
#ifdef WIDE
typedef long integer;
#else
typedef int integer;
#endif
integer rest_(integer *a) { return *a - *a; }
""",
    "api/unused.c": "#error nothing reaches this one\n",
    "kernel/add.c": "int calls;\nlong add_kernel(long a, long b) { calls++; return a + b; }\n",
    "kernel/count.c": "extern int calls;\nint count_(void) { return calls; }\n",
}
TABLE = {
    "archive": "lib*.a",
    "soname": "libdemo.so.0",
    "exports": ["narrow.txt", "count.txt"],
    "aliases": [{"symbol": "demo_{}", "exports": "narrow.txt"}],
    "unreached": ["unreached.txt"],
    "link": [],
    "pkg_config": "demo",
    "ilp64": {
        "folders": ["api"],
        "variables": {"WIDE": "1", "FOLDERS": "api"},
        "targets": ["libs"],
        "exports": "wide.txt",
        "symbol": "demo_{}64_",
        "pkg_config": "demo64",
    },
}
FILES = {
    "narrow.txt": "# comment\nsum_\n",
    "count.txt": "count_\n",
    "wide.txt": "sum_\n",
    "unreached.txt": "api/unused.o\n",
}


def built(
    folder: Path,
    *,
    sources: Mapping[str, str] = SOURCES,
    files: Mapping[str, str] = FILES,
    jobs: int = 2,
    unlinked: tuple[str, ...] = (),
    **table: Any,
) -> Path:
    """The library's folder, made of these sources."""
    tree = folder / "tree"
    for name, text in {
        "Makefile": MAKEFILE,
        "api/Makefile": FOLDER,
        "kernel/Makefile": FOLDER,
        **sources,
    }.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    made = replace(plan(files, {**TABLE, **table}), unlinked=unlinked)
    build_library(made, tree, folder / "package", jobs=jobs)
    return folder / "package" / "lib"


def plan(files: Mapping[str, str], table: Mapping[str, Any]) -> BuildPlan:
    """The shipped plan of a library, with the settings of this one."""
    whole = shipped_plan("openblas")
    settings = {
        **whole.compile.settings,
        "targets": ["libs"],
        "variables": {},
        "flags-variable": "OPT",
        "library": table,
    }
    compiled = replace(whole.compile, directory=".", settings=settings, files=files)
    return replace(whole, compile=compiled)


def answer(library: ctypes.CDLL, name: str, kind: Any, a: int, b: int) -> int:
    """What a function that takes two integers by address returns."""
    function = getattr(library, name)
    function.restype = kind
    return int(function(ctypes.byref(kind(a)), ctypes.byref(kind(b))))


def test_library_both_widths_share_their_kernel(tmp_path: Path) -> None:
    library = ctypes.CDLL(str(built(tmp_path) / "libdemo.so.0"))
    assert answer(library, "sum_", ctypes.c_int32, 2**31 - 1, 1) == -(2**31)
    assert answer(library, "demo_sum_64_", ctypes.c_int64, 2**31 - 1, 1) == 2**31
    assert library.count_() == 2


def test_library_both_widths_are_made_in_the_given_number_of_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[tuple[str, ...]] = []

    def recording(command: Command) -> Finished:
        commands.append(command.argv)
        return run(command)

    monkeypatch.setattr(make_tree, "run", recording)
    built(tmp_path, jobs=7)
    assert [argv[1] for argv in commands if argv[0] == "make"] == ["-j7", "-j7"]


def test_library_an_alias_is_the_same_address(tmp_path: Path) -> None:
    library = ctypes.CDLL(str(built(tmp_path) / "libdemo.so.0"))
    one, other = (ctypes.cast(library[name], ctypes.c_void_p).value for name in ("sum_", "demo_sum_"))
    assert one == other


def test_library_inner_names_of_the_second_width_are_hidden(tmp_path: Path) -> None:
    library = ctypes.CDLL(str(built(tmp_path) / "libdemo.so.0"))
    for name in ("rest_", "rest__ilp64", "demo_rest_64_", "demo_count_"):
        assert not hasattr(library, name), name


def test_library_pkg_config_names_prefix_and_suffix(tmp_path: Path) -> None:
    text = (built(tmp_path) / "pkgconfig" / "demo64.pc").read_text()
    assert "symbol_suffix=64_\n" in text
    assert "Cflags: -DBLAS_SYMBOL_PREFIX=demo_\n" in text


def test_library_with_one_width_has_the_plain_names_alone(tmp_path: Path) -> None:
    lib = built(tmp_path, ilp64=None)
    assert not hasattr(ctypes.CDLL(str(lib / "libdemo.so.0")), "demo_sum_64_")
    assert [path.name for path in (lib / "pkgconfig").iterdir()] == ["demo.pc"]


def test_library_a_call_from_the_second_width_to_the_first_is_an_error(tmp_path: Path) -> None:
    sources = {
        **SOURCES,
        "api/other.c": "int other_(int *a) { return *a; }\n",
        "api/rest.c": "#ifdef WIDE\nlong other_(long *);\nlong rest_(long *a) { return other_(a); }\n"
        "#else\nint rest_(int *a) { return *a - *a; }\n#endif\n",
    }
    with pytest.raises(RuntimeError, match=r"api/rest\.o with 64-bit integers calls other_"):
        built(tmp_path, sources=sources)


def test_library_a_reached_object_that_is_listed_as_unreached_is_an_error(tmp_path: Path) -> None:
    listed = {**FILES, "unreached.txt": "api/unused.o\napi/rest.o\n"}
    with pytest.raises(RuntimeError, match=r"calls rest_|linking libdemo"):
        built(tmp_path, files=listed)


@pytest.mark.parametrize("name", ["api/misspelt.o", "nowhere/unused.o"])
def test_library_an_unreached_object_that_make_does_not_know_is_an_error(tmp_path: Path, name: str) -> None:
    listed = {**FILES, "unreached.txt": f"api/unused.o\n{name}\n"}
    with pytest.raises(RuntimeError, match="unreached"):
        built(tmp_path, files=listed)


def test_library_a_name_that_the_second_width_lacks_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="lacks 1 listed symbols: demo_product_64_"):
        built(tmp_path, files={**FILES, "wide.txt": "sum_\nproduct_\n"})


def settled(folder: Path, *unlinked: str) -> Path:
    """The library's file after the finish step of a profile that needs all symbols but these."""
    lib = built(folder)
    finishing = replace(plan(FILES, TABLE), unlinked=unlinked)
    settle(finishing, lib.parent, compiler=Path(shutil.which("cc") or "cc"))
    return lib / "libdemo.so.0"


def test_settle_unlinked_symbol_and_its_alias_are_not_exported(tmp_path: Path) -> None:
    library = ctypes.CDLL(str(settled(tmp_path, "sum_")))
    assert not hasattr(library, "sum_") and not hasattr(library, "demo_sum_")
    assert library.count_() == 0
    assert answer(library, "demo_sum_64_", ctypes.c_int64, 2**31 - 1, 1) == 2**31
    assert sorted(path.name for path in (tmp_path / "package").iterdir()) == ["lib"]


def test_settle_nothing_unlinked_keeps_the_compiled_library(tmp_path: Path) -> None:
    compiled = (built(tmp_path / "other") / "libdemo.so.0").read_bytes()
    path = settled(tmp_path)
    assert path.read_bytes() == compiled
    assert not (tmp_path / "package" / ARCHIVES).exists()


def test_library_archives_of_both_widths_are_kept_in_the_package(tmp_path: Path) -> None:
    package = built(tmp_path).parent
    assert sorted(path.name for path in (package / ARCHIVES).iterdir()) == ["0.a", "1.a"]


def test_library_compile_for_a_profile_with_fewer_symbols_exports_all(tmp_path: Path) -> None:
    """Other profiles share it."""
    lib = built(tmp_path, unlinked=("sum_",))
    assert hasattr(ctypes.CDLL(str(lib / "libdemo.so.0")), "sum_")


def test_objects_reached_follows_calls(tmp_path: Path) -> None:
    built(tmp_path)
    tree = tmp_path / "tree"
    symbols = read_symbols(tree, object_names(tree))
    assert reached(symbols, ["sum_"]) == {"api/sum.o", "api/rest.o", "kernel/add.o"}
    assert reached(symbols, ["count_"]) == {"kernel/count.o", "kernel/add.o"}
    assert reached(symbols.below(["api"]), ["sum_"]) == {"api/sum.o", "api/rest.o"}


def test_objects_a_file_that_is_no_object_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.o").write_text("no object")
    with pytest.raises(RuntimeError, match="nm"):
        read_symbols(tmp_path, ["x.o"])
    shutil.rmtree(tmp_path)
