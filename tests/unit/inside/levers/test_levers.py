"""What each lever takes from a made wheel tree, and what it must leave."""

from __future__ import annotations

import ctypes
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import spokeshave
from spokeshave.build.elf import read_elf
from spokeshave.inside.levers import LEVERS, lever_named
from spokeshave.inside.levers.lever import Lever, Options, Shaved, Tree, fits
from support import needs_compiler

PINS = Path(spokeshave.__file__).parent / "inside" / "templates" / "glibc_pins.h"
CONTENT = {
    "demo/__init__.py": "import demo\n",
    "demo/__init__.pyi": "def f() -> int: ...\n",
    "demo/py.typed": "",
    "demo/core.pxd": "cdef int x\n",
    "demo/src/core.c": "int x;\n",
    "demo/include/demo/api.h": "#define API 1\n",
    "demo/lib/libextra.a": "!<arch>\n",
    "demo/conftest.py": "import pytest\n",
    "demo/tests/__init__.py": "",
    "demo/tests/test_core.py": "def test(): pass\n",
    "demo/tests/data/table.csv": "1,2\n",
    "demo/tests/stub.pyi": "x: int\n",
    "demo/testing/__init__.py": "def assert_equal(a, b): ...\n",
    "demo/page_trend_test.py": "def page_trend_test(): ...\n",
    "demo/_tests_only.cpython-311-x86_64-linux-gnu.so": "not really",
}


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    for name, text in CONTENT.items():
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "tests").mkdir()
    return Tree(root=tmp_path / "root", tests=tmp_path / "tests")


def shave(name: str, tree: Tree, options: Options | None = None) -> Shaved:
    act = lever_named(name).shave
    assert act is not None
    return act(tree, options or {})


def content(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def size_of(names: set[str]) -> int:
    return sum(len(CONTENT[name]) for name in names)


TESTS = {name for name in CONTENT if "/tests/" in name or name.endswith("conftest.py")}


def test_names_are_unique_and_each_lever_does_something() -> None:
    assert len({known.name for known in LEVERS}) == len(LEVERS)
    assert [k.name for k in LEVERS if not (k.flags or k.shave)] == ["optimisation"], "the plan acts on it"


class Asked(dict[str, Any]):
    """Options that keep which of them are asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.names.add(key)
        return default


@pytest.mark.parametrize("one", LEVERS, ids=lambda one: one.name)
def test_lever_options_are_those_that_it_reads(tree: Tree, one: Lever) -> None:
    asked = Asked()
    shutil.copy(sys.executable, tree.root / "demo" / "program")  # an ELF file, for the lever symbols
    if one.flags:
        one.flags(asked)
    if one.shave:
        one.shave(tree, asked)
    by_the_plan = {"apart"} if one.name == "link-time" else set()
    assert asked.names | by_the_plan == set(one.options)


def test_tests_move_into_the_archive(tree: Tree) -> None:
    shaved = shave("tests", tree)
    assert content(tree.tests) == TESTS
    assert content(tree.root) == set(CONTENT) - TESTS, "names that only look like tests stay"
    assert shaved == Shaved(saved=size_of(TESTS), files=len(TESTS))
    assert (tree.tests / "demo/tests/data/table.csv").read_text() == "1,2\n"


def test_tests_can_be_kept_or_added_by_the_recipe(tree: Tree) -> None:
    shave("tests", tree, {"keep": ("*/tests/data/*",), "match": ("demo/testing/*",)})
    assert "demo/tests/data/table.csv" in content(tree.root)
    assert "demo/testing/__init__.py" in content(tree.tests)


def test_test_only_modules_move_too(tree: Tree) -> None:
    shaved = shave("test-modules", tree, {"match": ("demo/_tests_only.*.so",)})
    assert content(tree.tests) == {"demo/_tests_only.cpython-311-x86_64-linux-gnu.so"}
    assert shaved == Shaved(saved=10, files=1)


def test_without_data_no_module_is_moved(tree: Tree) -> None:
    assert shave("test-modules", tree) == Shaved(saved=0, files=0)
    assert content(tree.root) == set(CONTENT)


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("typing", {"demo/__init__.pyi", "demo/py.typed", "demo/tests/stub.pyi"}),
        ("sources", {"demo/src/core.c"}),
        ("headers", {"demo/core.pxd", "demo/include/demo/api.h", "demo/lib/libextra.a"}),
    ],
)
def test_files_are_dropped(tree: Tree, name: str, gone: set[str]) -> None:
    shaved = shave(name, tree)
    assert content(tree.root) == set(CONTENT) - gone
    assert content(tree.tests) == set()
    assert shaved == Shaved(saved=size_of(gone), files=len(gone))


def test_headers_that_the_recipe_keeps_stay(tree: Tree) -> None:
    shave("headers", tree, {"keep": ("demo/include/*",)})
    assert "demo/include/demo/api.h" in content(tree.root)
    assert "demo/lib/libextra.a" not in content(tree.root)


def test_globs_cross_slashes_and_mind_case() -> None:
    assert fits("a/b/c.h", ("*.h",))
    assert fits("a/tests/b/c.py", ("*/tests/*",))
    assert not fits("tests/c.py", ("*/tests/*",))
    assert not fits("a/b.H", ("*.h",))
    assert not fits("a/b.h", ())


@pytest.mark.parametrize("name", ["unwind", "sections"])
def test_flags_are_pure_and_spare_cxx(name: str) -> None:
    give = lever_named(name).flags
    assert give is not None
    flags = give({})
    assert give({}) == flags
    assert flags.c == flags.fortran != ()
    assert not any("unwind" in flag for flag in flags.cxx), "C++ needs its tables to throw"


def test_unwind_tables_stay_in_languages_that_the_recipe_leaves_out() -> None:
    give = lever_named("unwind").flags
    assert give is not None
    assert give({"languages": ("fortran",)}).c == ()
    assert give({"languages": ("fortran",)}).fortran != ()


SOURCE = "static int hidden(int x) { return x * 3; }\nint triple(int x) { return hidden(x); }\n"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    (folder / "triple.c").write_text(SOURCE)
    argv = ["gcc", "-g", "-O0", "-shared", "-fPIC", "triple.c", "-o", "libtriple.so"]
    subprocess.run(argv, cwd=folder, check=True)
    return folder / "libtriple.so"


@needs_compiler
def test_link_time_optimisation_compiles_the_sources_as_one(tmp_path: Path) -> None:
    """A pinned symbol version holds in all of them."""
    give = lever_named("link-time").flags
    assert give is not None
    flags = give({})
    (tmp_path / "one.c").write_text("double two(double x);\ndouble one(double x) { return two(x) + 1; }\n")
    (tmp_path / "two.c").write_text(
        "double pow(double, double);\n"
        '__attribute__((visibility("hidden"))) double two(double x) { return pow(x, 1.5); }\n'
    )

    def build(*words: str) -> Path:
        made = tmp_path / "made.so"
        base = [
            "gcc",
            "-O2",
            "-fPIC",
            "-shared",
            "one.c",
            "two.c",
            "-include",
            str(PINS),
            "-o",
            str(made),
            "-lm",
        ]
        subprocess.run([*base, *words], cwd=tmp_path, check=True)
        return made

    def symbols(path: Path) -> str:
        argv = ["nm", str(path)]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout

    assert " t two" in symbols(build())
    whole = symbols(build(*flags.c, *flags.link))
    assert " t two" not in whole, "it is inlined"
    if platform.machine() == "x86_64":
        assert "pow@GLIBC_2.2.5" in whole


@needs_compiler
def test_alignment_packs_functions_that_are_compiled_for_speed(tmp_path: Path) -> None:
    give = lever_named("alignment").flags
    assert give is not None
    (tmp_path / "many.c").write_text("\n".join(f"int f{n}(int x) {{ return x + {n}; }}" for n in range(99)))

    def size(*flags: str) -> int:
        argv = ["gcc", "-O2", "-fno-asynchronous-unwind-tables", *flags, "-c", "many.c", "-o", "many.o"]
        subprocess.run(argv, cwd=tmp_path, check=True)
        return (tmp_path / "many.o").stat().st_size

    assert size(*give({}).c) < size()


def sections(path: Path) -> Mapping[str, bool]:
    found = read_elf(path.name, path.read_bytes()).sections
    return {name: name in found for name in (".symtab", ".debug_info", ".comment", ".dynsym")}


@needs_compiler
def test_symbols_go_and_the_library_still_loads(tree: Tree, library: Path) -> None:
    target = tree.root / "demo" / "_core.so"
    shutil.copy(library, target)
    assert all(sections(target).values())
    before = target.stat().st_size
    others = {p: p.read_bytes() for p in tree.files() if p != target}
    shaved = shave("symbols", tree)
    assert sections(target) == {".symtab": False, ".debug_info": False, ".comment": False, ".dynsym": True}
    assert shaved == Shaved(saved=before - target.stat().st_size, files=1)
    assert shaved.saved > 0
    assert ctypes.CDLL(str(target)).triple(14) == 42
    assert {p: p.read_bytes() for p in others} == others


@needs_compiler
def test_a_file_that_strip_cannot_read_is_an_error(tree: Tree) -> None:
    (tree.root / "demo" / "broken.so").write_bytes(b"\x7fELF and nothing more")
    with pytest.raises(RuntimeError, match=r"strip failed on demo/broken\.so"):
        shave("symbols", tree)
