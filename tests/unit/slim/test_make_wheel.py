"""A slim wheel: what goes and what stays, its names, its RECORD, and the same bytes every time."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Mapping
from importlib.metadata import distributions
from pathlib import Path
from types import FrameType

import pytest
from packaging.metadata import parse_email

from spokeshave.errors import WheelError
from spokeshave.inside.levers.lever import Tree
from spokeshave.inside.wheel import record_faults, unpack
from spokeshave.slim.intake import read_stock
from spokeshave.slim.levers import Levers
from spokeshave.slim.make_wheel import slim
from spokeshave.slim.model import DEFAULT_LEVERS, ON_REQUEST, Settings, Slimmed
from support import demo_files, needs_compiler, write_wheel

NAME = "demo-1.0-py3-none-any.whl"
INFO = "demo-1.0.dist-info"
SLIM_INFO = "demo-1.0+slim.1.dist-info"
DOCUMENTED = b'"""Text."""\n\n\ndef f():\n    # why\n    return 1\n'


def made(
    tmp_path: Path, files: Mapping[str, bytes], settings: Settings | None = None, name: str = NAME
) -> Slimmed:
    """Slims a small wheel of these files, beside those of the demo."""
    number = len(list(tmp_path.iterdir()))
    place = tmp_path / str(number)
    stock = read_stock(write_wheel(place / name, {**demo_files(), **files}))
    (place / "work").mkdir()
    return slim(stock, settings or Settings(), output=place / "out", scratch=place / "work")


def content(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert record_faults(archive) == []
        return {name: archive.read(name) for name in archive.namelist()}


def saved(slimmed: Slimmed) -> dict[str, int]:
    return {row.lever: row.saved for row in slimmed.savings}


def test_the_label_is_in_every_place(tmp_path: Path) -> None:
    slimmed = made(tmp_path, {})
    assert slimmed.wheel.name == "demo-1.0+slim.1-py3-none-any.whl"
    files = content(slimmed.wheel)
    assert {name.partition("/")[0] for name in files} == {"demo", SLIM_INFO}
    assert b"\nVersion: 1.0+slim.1\n" in files[f"{SLIM_INFO}/METADATA"]
    sbom = json.loads(files[f"{SLIM_INFO}/sboms/spokeshave.cdx.json"])
    (ancestor,) = sbom["metadata"]["component"]["pedigree"]["ancestors"]
    assert ancestor["version"] == "1.0"
    assert ancestor["hashes"] == [{"alg": "SHA-256", "content": slimmed.stock.sha256}]


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = (made(tmp_path, {"demo/x.pyx": b"x"}) for _ in range(2))
    assert first.sha256 == second.sha256
    assert first.wheel.read_bytes() == second.wheel.read_bytes()


def test_a_wheel_with_nothing_to_take_keeps_its_content(tmp_path: Path) -> None:
    slimmed = made(tmp_path, {})
    assert set(saved(slimmed).values()) == {0}
    assert content(slimmed.wheel)["demo/__init__.py"] == b"value = 1\n"


def test_compressed_tags_and_a_build_number(tmp_path: Path) -> None:
    wheel = b"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: py2-none-any\nTag: py3-none-any\nBuild: 3\n"
    slimmed = made(tmp_path, {f"{INFO}/WHEEL": wheel}, name="demo-1.0-3-py2.py3-none-any.whl")
    assert slimmed.wheel.name == "demo-1.0+slim.1-py2.py3-none-any.whl"
    told = content(slimmed.wheel)[f"{SLIM_INFO}/WHEEL"].decode().splitlines()
    assert told[:2] == ["Wheel-Version: 1.0", "Root-Is-Purelib: false"]
    assert told[2:] == ["Tag: py2-none-any", "Tag: py3-none-any"]


@pytest.mark.parametrize(
    "tags",
    [
        "cp39-abi3-manylinux_2_28_x86_64",
        "cp311-cp311-musllinux_1_2_x86_64",
        "cp311-cp311-macosx_11_0_arm64",
        "cp311-cp311-win_amd64",
    ],
)
def test_wheels_of_every_platform_can_be_slimmed(tmp_path: Path, tags: str) -> None:
    files = {
        "demo/_core.pyd": b"MZ not an ELF file",
        "demo/_core.pyx": b"x = 1\n",
        "demo/_core.pyi": b"x: int",
    }
    slimmed = made(tmp_path, files, name=f"demo-1.0-{tags}.whl")
    assert f"Tag: {tags}".encode() in content(slimmed.wheel)[f"{SLIM_INFO}/WHEEL"]
    assert {lever: size for lever, size in saved(slimmed).items() if size} == {"typing": 6, "sources": 6}


def test_a_test_folder_goes_whole_and_testing_stays(tmp_path: Path) -> None:
    files = {
        "demo/tests/test_it.py": b"def test_it(): ...\n",
        "demo/tests/data.bin": b"\0" * 100,
        "demo/testing/__init__.py": b"",
    }
    slimmed = made(tmp_path, files)
    assert slimmed.gone == ("demo/tests/data.bin", "demo/tests/test_it.py")
    assert "demo/testing/__init__.py" in content(slimmed.wheel)
    assert saved(slimmed)["tests"] == 100 + len(b"def test_it(): ...\n")


def test_the_reason_why_tests_stay_is_told(tmp_path: Path) -> None:
    files = {"demo/tests/test_it.py": b"pass\n", "demo/main.py": b"import demo.tests\n"}
    (row,) = (row for row in made(tmp_path, files).savings if row.lever == "tests")
    reason = "1 test folders are kept that other modules import (5 bytes)"
    assert row.lines == (f"{reason}: demo/tests (demo/main.py:1 imports demo.tests)",)
    assert row.folders == ()


def test_folders_that_went_are_in_the_record(tmp_path: Path) -> None:
    files = {
        "demo/tests/test_it.py": b"",
        "demo/tests/data/deep/table.csv": b"1",
        "demo/sub/tests/test_sub.py": b"",
        "demo/sub/tests/kept.py": b"",
        "demo/sub/__init__.py": b"",
        "demo/include/demo.h": b"",
        "demo/core.c": b"",
    }
    record = made(tmp_path, files, Settings(keep=("*/kept.py",))).to_json()
    folders = {row["name"]: row["folders"] for row in json.loads(json.dumps(record))["levers"]}
    assert folders == {
        "tests": ["demo/tests"],
        "typing": [],
        "sources": [],
        "headers": ["demo/include"],
        "duplicates": [],
        "json": [],
        "symbols": [],
    }


INCLUDE = {
    "demo/include/demo/a.h": b"#include <demo/b.hh>",
    "demo/include/demo/b.hh": b"1",
    "demo/include/demo/_api.c": b"2",
    "demo/include/demo/Core": b"3",
    "demo/include/LICENSE": b"4",
    "demo/__init__.pxd": b"5",
    "demo/lib/libdemo.a": b"6",
    "demo/core.c": b"7",
    "other/core.pxd": b"8",
}


def test_an_include_folder_of_which_a_file_is_named_stays_whole(tmp_path: Path) -> None:
    files = {**INCLUDE, "demo/main.py": b"CODE = '#include <demo/a.h>'\n"}
    assert made(tmp_path, files).gone == ("demo/core.c", "other/core.pxd")


def test_an_include_folder_that_nothing_names_goes_whole(tmp_path: Path) -> None:
    files = {**INCLUDE, "demo/include/__init__.py": b"", "demo/include/data.json": b"{}"}
    left = {"demo/include/__init__.py", "demo/include/data.json", "demo/include/LICENSE"}
    assert made(tmp_path, files).gone == tuple(sorted(set(files) - left))


def test_an_include_folder_stays_whole_without_the_lever(tmp_path: Path) -> None:
    assert made(tmp_path, INCLUDE, Settings(levers=("sources",))).gone == ("demo/core.c",)


@pytest.mark.parametrize("levers", [("sources",), ("headers",)])
def test_a_lever_alone_keeps_an_include_folder_that_is_named(tmp_path: Path, levers: tuple[str, ...]) -> None:
    files = {**INCLUDE, "demo/main.py": b"CODE = '#include <demo/a.h>'\n"}
    gone = made(tmp_path, files, Settings(levers=levers)).gone
    assert not [name for name in gone if name.startswith("demo/include/")]


def test_sources_in_a_folder_that_a_module_makes_a_path_to_stay(tmp_path: Path) -> None:
    files = {
        "demo/checks/one.c": b"",
        "demo/more/two.c": b"",
        "demo/main.py": b"PLACE = os.path.join(os.path.dirname(__file__), 'checks')\n",
        "other/checks/three.c": b"",
    }
    assert made(tmp_path, files).gone == ("demo/more/two.c", "other/checks/three.c")


def test_what_a_source_that_stays_includes_stays_too(tmp_path: Path) -> None:
    files = {
        "demo/core.c": b'#include "inc/a.h"\n#  include <demo/b.h>\n#include <missing.h>\n',
        "demo/inc/a.h": b'#include "../more.inl"\n',
        "demo/more.inl": b'#include "c.h"\n#include "core.c"\n',
        "demo/b.h": b"",
        "demo/c.h": b"",
        "demo/d.h": b"",
        "demo/x.pyx": b"include 'x.pxi'\ninclude 'demo/y.pxi'\n",
        "demo/x.pxi": b"",
        "demo/y.pxi": b"",
        "demo/sub/x.pxi": b"",
        "other/b.h": b"",
        "demo/main.py": b"SOURCES = ['core.c', 'x.pyx']\n",
    }
    assert made(tmp_path, files).gone == ("demo/d.h", "other/b.h")


@pytest.mark.parametrize("line", [b"Version:1.0", b"version: 1.0", b"Version:\n 1.0", b"VERSION:\t1.0 "])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_every_spelling_of_the_version_is_replaced(tmp_path: Path, line: bytes, end: bytes) -> None:
    text = b"Metadata-Version: 2.1\nName: demo\n" + line + b"\nLicense: a\n  Version: 1.0\n\nVersion: 1.0\n"
    slimmed = made(tmp_path, {f"{INFO}/METADATA": text.replace(b"\n", end)})
    data = content(slimmed.wheel)[f"{SLIM_INFO}/METADATA"]
    raw, unparsed = parse_email(data)
    assert (raw["version"], raw["description"].strip(), unparsed) == ("1.0+slim.1", "Version: 1.0", {})
    assert raw["license"].split() == ["a", "Version:", "1.0"]
    assert read_stock_version(slimmed) == "1.0+slim.1"


def read_stock_version(slimmed: Slimmed) -> str:
    """The version as pip's own reader of wheels has it."""
    (found,) = distributions(path=[str(slimmed.wheel)])
    return found.version


def test_every_spelling_of_tags_and_build_is_replaced(tmp_path: Path) -> None:
    wheel = b"wheel-version: 1.0\ntag:py2-none-any\nTAG:\n py3-none-any\nbuild: 3\nGenerator: x\n"
    slimmed = made(tmp_path, {f"{INFO}/WHEEL": wheel}, name="demo-1.0-3-py2.py3-none-any.whl")
    told = content(slimmed.wheel)[f"{SLIM_INFO}/WHEEL"].decode()
    assert told == "wheel-version: 1.0\nGenerator: x\nTag: py2-none-any\nTag: py3-none-any\n"


def test_stubs_go_with_their_mark(tmp_path: Path) -> None:
    files = {
        "demo/__init__.pyi": b"value: int\n",
        "demo/py.typed": b"",
        "demo/_core.abi3.so": b"not ELF",
        "demo/_core/__init__.pyi": b"x: int\n",
        "demo/_core/sub.pyi": b"y: int\n",
    }
    slimmed = made(tmp_path, files)
    assert slimmed.gone == tuple(sorted(set(files) - {"demo/_core.abi3.so"}))


@pytest.mark.parametrize(
    "files",
    [
        {"demo/py.typed": b""},  # the modules themselves are annotated
        {"demo-stubs/__init__.pyi": b"value: int\n", "demo-stubs/py.typed": b""},
        {"demo/typeshed/os.pyi": b"name: str\n"},  # a type checker's own data
        {"demo/__init__.pyi": b"x: int\n", "demo/__init__.py": b"import lazy\nlazy.attach_stub(__name__)\n"},
    ],
)
def test_stubs_that_are_data_and_marks_that_stay_true_stay(tmp_path: Path, files: dict[str, bytes]) -> None:
    assert made(tmp_path, files).gone == ()


def test_sources_go_but_not_those_that_a_module_names(tmp_path: Path) -> None:
    files = {
        "demo/core.pyx": b"x",
        "demo/core.c": b"y",
        "demo/include/demo.h": b"z",
        "demo/template.h": b"read at run time",
        "demo/main.py": b"def get_include(): ...\ntext = read('template.h')\n",
        "demo-1.0.data/headers/demo.h": b"z",
        "demo-1.0.data/data/share/demo.h": b"z",
    }
    slimmed = made(tmp_path, files)
    gone = ("demo-1.0.data/headers/demo.h", "demo/core.c", "demo/core.pyx", "demo/include/demo.h")
    assert slimmed.gone == gone
    # The .data folder is named after the version, so that kept files in it have a new name.
    assert "demo-1.0+slim.1.data/data/share/demo.h" in content(slimmed.wheel)
    (row,) = (row for row in slimmed.savings if row.lever == "headers")
    assert (row.saved, row.files) == (2, 2)
    assert row.notes == ("demo.main.get_include() now names folders without headers",)


def test_kept_globs_and_levers_that_are_off(tmp_path: Path) -> None:
    files = {"demo/a.pyx": b"x", "demo/b.pyx": b"x", "demo/__init__.pyi": b"", "demo/tests/test_it.py": b""}
    assert made(tmp_path, files, Settings(keep=("demo/a.*", "demo/tests/*"))).gone == (
        "demo/__init__.pyi",
        "demo/b.pyx",
    )
    assert made(tmp_path, files, Settings(levers=("sources",))).gone == ("demo/a.pyx", "demo/b.pyx")


def test_what_is_left_is_noted_by_reason_and_listed_in_the_record(tmp_path: Path) -> None:
    numbers = range(1, 10)
    tests = {f"demo/p{n}/tests/test_it.py": b"x" * n for n in numbers}
    packages = {f"demo/p{n}/__init__.py": b"from . import tests\n" for n in numbers}
    (row,) = (row for row in made(tmp_path, {**tests, **packages}).savings if row.lever == "tests")
    (line,) = row.lines
    assert line.startswith("9 test folders are kept that other modules import (45 bytes): demo/p9/tests (")
    assert line.endswith("demo/p7/tests (demo/p7/__init__.py:1 imports demo.p7.tests) and 6 more")
    rows = json.loads(json.dumps(row.to_json()))["left"]
    assert {one["name"]: one["size"] for one in rows} == {f"demo/p{n}/tests": n for n in numbers}


def test_sources_of_more_languages_go(tmp_path: Path) -> None:
    files = {"demo/core.cc": b"1", "demo/core.hh": b"2", "demo/gpu.cu": b"3", "demo/read.cu": b"4"}
    slimmed = made(tmp_path, {**files, "demo/main.py": b"CODE = open('read.cu')\n"})
    assert slimmed.gone == ("demo/core.cc", "demo/core.hh", "demo/gpu.cu")


def test_json_loses_its_white_space(tmp_path: Path) -> None:
    files = {
        "demo/data.json": b'{ "a b" : [1.0, 1e5,\n\t"x \\" y"], "a": 1, "a": 2 }\n',
        "demo/lines.json": b'{"a": 1}\n{"b": 2}\n',
        "demo-1.0.data/data/share/demo/data.json": b"{ }",
        "demo/kept.json": b"{ }",
    }
    slimmed = made(tmp_path, files, Settings(keep=("json:demo/kept.json",)))
    found = content(slimmed.wheel)
    assert found["demo/data.json"] == b'{"a b":[1.0,1e5,"x \\" y"],"a":1,"a":2}'
    assert found["demo/lines.json"] == files["demo/lines.json"]
    assert found["demo-1.0+slim.1.data/data/share/demo/data.json"] == b"{ }"
    assert found["demo/kept.json"] == b"{ }"
    (row,) = (row for row in slimmed.savings if row.lever == "json")
    assert row.files == 1
    assert row.lines == ("left as they were, as they are no JSON: 1",)


def read_docs(settings: Settings, tmp_path: Path, files: dict[str, bytes]) -> set[str]:
    """The modules whose docstring is left, slimmed without docstrings."""
    slimmed = made(tmp_path, files, settings)
    return {name for name, data in content(slimmed.wheel).items() if name.endswith(".py") and b'"""' in data}


DOCSTRINGS = Settings(levers=("docstrings", "comments"))
DOC = b'"""Text."""  # why\n'


@pytest.mark.parametrize(
    "code",
    [
        b"print(__doc__)\n",
        b"__doc__ += 'more'\n",
        b"def f(x): return x.__doc__\n",
        b"usage = globals()['__doc__']\n",
        b"def f(x): return getattr(x, '__doc__', '')\n",
        b"import inspect\ndef f(x): return inspect.getdoc(x)\n",
        b"import click\n",
        b"from demo.ply import yacc\n",
    ],
)
def test_a_module_that_reads_docstrings_keeps_its_own(tmp_path: Path, code: bytes) -> None:
    files = {"demo/reader.py": DOC + code, "demo/other.py": DOC + b"f.__doc__ = '__doc__ of f'\n"}
    slimmed = made(tmp_path, files, DOCSTRINGS)
    found = content(slimmed.wheel)
    assert found["demo/reader.py"] == DOC.replace(b"  # why", b"") + code, "comments are another lever"
    assert not found["demo/other.py"].startswith(b'"')


def test_a_module_keeps_docstrings_that_another_one_reads(tmp_path: Path) -> None:
    defines = DOC + b'def take():\n    """Take."""\n'
    files = {
        "demo/impl.py": defines,
        "demo/more.py": DOC + b"def drop(): ...\n",
        "demo/__init__.py": DOC + b"from .impl import take\n",
        "demo/reader.py": DOC + b"import demo as d\ntext = d.take.__doc__\n",
        "demo/second.py": DOC + b"from .more import drop\ntext = drop.__doc__\n",
    }
    kept = {"demo/impl.py", "demo/more.py", "demo/reader.py", "demo/second.py"}
    assert read_docs(DOCSTRINGS, tmp_path, files) == kept


def test_a_lever_of_one_name_keeps_files_from_that_lever_alone(tmp_path: Path) -> None:
    settings = Settings(levers=("docstrings", "comments"), keep=("docstrings:demo/a.py",))
    found = content(made(tmp_path, {"demo/a.py": DOC, "demo/b.py": DOC}, settings).wheel)
    assert (found["demo/a.py"], found["demo/b.py"].strip()) == (b'"""Text."""\n', b"")


@needs_compiler
def test_copies_of_a_library_under_other_names_go(tmp_path: Path) -> None:
    (folder := tmp_path / "compiled").mkdir()
    (folder / "x.c").write_text("int x(void) { return 1; }\n")
    words = ["gcc", "-shared", "-fPIC", "-Wl,-soname,libx.so.1", "-o", "libx.so", "x.c"]
    subprocess.run(words, check=True, cwd=folder)
    data = (folder / "libx.so").read_bytes()
    names = ("libx.so", "libx.so.1", "libx.so.1.2", "named.so.1", "sub/libx.so")
    files = {**{f"demo/{name}": data for name in names}, "demo/main.py": b"CDLL('named.so.1')\n"}
    big = {"demo/a.bin": bytes(range(256)) * 300, "demo/b.bin": bytes(range(256)) * 300}
    slimmed = made(tmp_path, {**files, **big}, Settings(levers=("duplicates",)))
    assert slimmed.gone == ("demo/libx.so", "demo/libx.so.1.2")
    (row,) = slimmed.savings
    assert (row.saved, row.files) == (2 * len(data), 2)
    assert [(one.name, one.detail) for one in row.left] == [("demo/b.bin", "as demo/a.bin")]


@pytest.mark.parametrize("lever", ON_REQUEST)
def test_levers_of_text_take_twice_as_long_for_twice_as_much(tmp_path: Path, lever: str) -> None:
    """Each module is looked at as often, however many there are and however many keep their text."""
    counts = []
    for number in (50, 100):
        files = {f"demo/m{n}.py": DOC + b"print(__doc__)\n" * (n % 2) for n in range(number)}
        calls: Counter[str] = Counter()

        def watch(frame: FrameType, event: str, _: object, calls: Counter[str] = calls) -> None:
            calls[event] += 1

        stock = read_stock(write_wheel(tmp_path / str(number) / NAME, {**demo_files(), **files}))
        tree = Tree(root=unpack(stock.path, tmp_path / str(number) / "tree"), tests=tmp_path)
        levers = Levers(tree=tree, settings=Settings(levers=(lever,)))
        sys.setprofile(watch)
        try:
            levers.pull()
        finally:
            sys.setprofile(None)
        counts.append(calls["call"])
    assert counts[1] < 2.3 * counts[0]


def test_text_goes_only_on_request(tmp_path: Path) -> None:
    files = {
        "demo/main.py": DOCUMENTED,
        "demo-1.0.data/purelib/more.py": DOCUMENTED,
        "demo-1.0.data/scripts/tool.py": DOCUMENTED,
        "demo/__pycache__/main.cpython-311.pyc": b"stale",
        "demo/__pycache__/lone.cpython-311.pyc": b"no source",
    }
    assert content(made(tmp_path, files).wheel)["demo/main.py"] == DOCUMENTED
    slimmed = made(tmp_path, files, Settings(levers=(*DEFAULT_LEVERS, *ON_REQUEST)))
    found = content(slimmed.wheel)
    assert found["demo/main.py"].decode().split("\n") == ["", "", "", "def f():", "", " return 1", ""]
    assert found["demo-1.0+slim.1.data/purelib/more.py"] == found["demo/main.py"]
    assert found["demo-1.0+slim.1.data/scripts/tool.py"] == DOCUMENTED
    assert "demo/__pycache__/main.cpython-311.pyc" not in found
    assert "demo/__pycache__/lone.cpython-311.pyc" in found


def test_a_signed_record_is_refused_unless_the_signature_may_go(tmp_path: Path) -> None:
    path = write_wheel(tmp_path / NAME, demo_files())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"{INFO}/RECORD.jws", "{}")
    (tmp_path / "work").mkdir()
    stock = read_stock(path)
    with pytest.raises(WheelError, match="RECORD is signed") as caught:
        slim(stock, Settings(), output=tmp_path / "out", scratch=tmp_path / "work")
    assert "--drop-signature" in caught.value.next_step
    settings = Settings(drop_signature=True)
    slimmed = slim(stock, settings, output=tmp_path / "out", scratch=tmp_path / "work")
    assert not [name for name in content(slimmed.wheel) if name.endswith(".jws")]


def test_the_record_says_what_each_lever_took(tmp_path: Path) -> None:
    slimmed = made(tmp_path, {"demo/core.pyx": b"12345"})
    data = json.loads(json.dumps(slimmed.to_json()))
    assert {row["name"]: row["saved"] for row in data["levers"]} == saved(slimmed)
    assert saved(slimmed)["sources"] == 5
    assert data["stock"]["name"] == NAME
    assert data["wheel"] == {
        "name": slimmed.wheel.name,
        "sha256": slimmed.sha256,
        "bytes": slimmed.wheel.stat().st_size,
        "unpacked": sum(len(text) for text in content(slimmed.wheel).values()),
    }
