"""Which test folders go: those that nothing else in the wheel names, and no other."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from spokeshave.slim.path_literals import Spelt, spelt_paths
from spokeshave.slim.testfolders import sort_test_folders

BASE = {
    "demo/__init__.py": "",
    "demo/core.py": '"""See demo.tests.test_core, or tests/data; demo.tests() runs them."""\n',
    "demo/tests/__init__.py": "",
    "demo/tests/test_core.py": "from demo.tests import data\n",
    "demo/tests/data/table.csv": "1\n",
    "demo/testing/__init__.py": "def assert_equal(a, b): ...\n",
}


def sorted_folders(root: Path, files: Mapping[str, str]) -> tuple[set[str], Mapping[str, str]]:
    for name, text in files.items():
        (path := root / name).parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    going, staying = sort_test_folders(root)
    return {path.relative_to(root).as_posix() for path in going}, {one.name: one.detail for one in staying}


def test_a_folder_that_nothing_names_goes(tmp_path: Path) -> None:
    assert sorted_folders(tmp_path, BASE) == ({"demo/tests"}, {})


@pytest.mark.parametrize(
    ("member", "text", "reason"),
    [
        ("demo/core.py", "\nfrom demo.tests import data\n", "demo/core.py:2 imports demo.tests"),
        ("demo/core.py", "from . import tests\n", "demo/core.py:1 imports demo.tests"),
        ("demo/core.py", "import demo.tests.test_core as t\n", "demo/core.py:1 imports demo.tests"),
        ("demo/core.py", "import importlib\nimportlib.import_module('demo.tests')\n", "core.py:2 imports"),
        ("demo/core.py", "def f():\n    from .tests.data import x\n", "demo/core.py:2 imports demo.tests"),
        (
            "demo/core.py",
            "D = join(dirname(__file__), 'tests', 'data')\n",
            "core.py makes a path to demo.tests",
        ),
        (
            "demo/core.py",
            "D = importlib.resources.files('demo') / 'tests/data'\n",
            "makes a path to demo.tests",
        ),
        ("demo/core.py", "D = f'{Path(__file__).parent}/tests/data'\n", "makes a path to demo.tests"),
        ("demo/core.py", "HERE = dirname(__file__)\nSKIP = {'tests'}\n", "makes a path to demo.tests"),
        ("demo/core.py", "print 'tests'\n", "core.py makes a path to demo.tests"),
        ("demo/sub/more.py", "D = join(dirname(dirname(__file__)), 'tests')\n", "makes a path to demo.tests"),
        ("demo/sub/more.py", "D = join(dirname(__file__), '..', 'tests')\n", "makes a path to demo.tests"),
        (
            "demo/sub/more.py",
            "UP = Path(__file__).parents[1]\nD = UP / 'tests'\n",
            "makes a path to demo.tests",
        ),
        ("other.py", "D = join(root(__file__), 'demo', 'tests', 'x.csv')\n", "makes a path to demo.tests"),
        ("other.py", "import demo.tests\n", "other.py:1 imports demo.tests"),
        (
            "demo/core.py",
            '"""Like this\n\n>>> from demo.tests.utils import x"""\n',
            "core.py:3 mentions demo.tests",
        ),
        ("demo/core.py", '""">>> from demo import a, tests"""\n', "core.py:1 mentions demo.tests"),
        ("demo/core.py", '""">>> from demo import (a,\n... tests)"""\n', "core.py:1 mentions demo.tests"),
        ("demo/core.py", '""">>> import demo.tests.test_core"""\n', "core.py:1 mentions demo.tests"),
        ("demo/core.py", "# data for users: demo.tests.data\n", "core.py:1 mentions demo.tests"),
        ("demo/core.py", "package = 'demo.tests'\n", "core.py:1 mentions demo.tests"),
        (
            "examples/first.rst",
            "Try::\n\n    import demo.tests\n",
            "examples/first.rst:3 mentions demo.tests",
        ),
        (
            "demo-1.0.dist-info/METADATA",
            "Name: demo\n\n    from demo.tests import data\n",
            "demo-1.0.dist-info/METADATA:3 mentions demo.tests",
        ),
        (
            "demo-1.0.dist-info/entry_points.txt",
            "[x]\ny = demo.tests:main\n",
            "entry_points.txt names demo.tests",
        ),
        ("demo/_core.so", "\0demo.tests.data\0", "demo/_core.so names demo.tests"),
    ],
)
def test_a_folder_that_something_names_stays(tmp_path: Path, member: str, text: str, reason: str) -> None:
    going, staying = sorted_folders(tmp_path, {**BASE, member: text})
    assert going == set()
    assert list(staying) == ["demo/tests"]
    assert reason in staying["demo/tests"]


@pytest.mark.parametrize(
    "text",
    [
        "see mydemo.tests",
        "see demo.testsuite",
        "demo.tests() runs all",
        "demo.tests.test_core shows how",
        "tests",
    ],
)
def test_a_mention_of_something_else_keeps_nothing(tmp_path: Path, text: str) -> None:
    assert sorted_folders(tmp_path, {**BASE, "demo/more.py": f"# {text}\n"}) == ({"demo/tests"}, {})


@pytest.mark.parametrize(
    ("member", "text"),
    [
        ("other.py", "SKIP = [__file__, 'tests']\n"),
        ("demo/sub/more.py", "SKIP = [__file__, 'tests']\n"),
        ("demo/sub/more.py", "D = join(dirname(__file__), 'tests', 'data')\n"),
        ("demo/sub/more.py", "D = join(dirname(__file__), 'other', 'tests')\n"),
        ("demo/core.py", "D = join(__file__ + x, 'other', 'tests', name)\n"),
        ("demo/core.py", "D = Path(__file__).parent.parent / 'tests'\n"),
        ("demo/core.py", "D = __file__ + glob('**/tests.json')\n"),
        ("demo/conftest.py", "D = join(dirname(__file__), 'tests', 'data')\n"),
        ("other/broken.py", "print 'tests'\n"),
    ],
)
def test_a_string_that_names_another_folder_keeps_nothing(tmp_path: Path, member: str, text: str) -> None:
    assert sorted_folders(tmp_path, {**BASE, member: text}) == ({"demo/tests"}, {})


def test_a_bare_string_keeps_one_folder_of_many(tmp_path: Path) -> None:
    """sympy, numpy and scikit-learn have a list of folders to skip somewhere, which kept all of them."""
    packages = {
        f"demo/p{number}/{name}": "" for number in range(5) for name in ("__init__.py", "tests/test_x.py")
    }
    files = {**BASE, **packages, "demo/p3/walk.py": "SKIP = {'tests'}\nHERE = __file__\n"}
    going, staying = sorted_folders(tmp_path, files)
    assert staying == {"demo/p3/tests": "demo/p3/walk.py makes a path to demo.p3.tests"}
    assert going == {"demo/tests", *(f"demo/p{number}/tests" for number in (0, 1, 2, 4))}


def test_paths_of_a_long_sum_are_found_in_linear_time() -> None:
    """Each term would be looked at again for every sum that it is in: 3 ** 150 times."""
    tree = ast.parse(" + ".join(f"a{number} + 'x/tests'" for number in range(150)))
    assert spelt_paths(tree) == {Spelt(parts=("x", "tests"))}


def test_paths_in_test_modules_of_a_kept_folder_keep_nothing(tmp_path: Path) -> None:
    files = {
        **BASE,
        "demo/core.py": "import demo.tests\n",
        "demo/tests/test_core.py": "D = Path(__file__).parent / '../sub/tests'\n",
        "demo/sub/__init__.py": "",
        "demo/sub/tests/test_sub.py": "",
    }
    assert sorted_folders(tmp_path, files)[0] == {"demo/sub/tests"}


def test_each_file_is_read_once_however_many_folders_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("__init__.py", "core.py", "_core.so", "tests/test_x.py")
    files = {f"demo/p{number}/{name}": "import demo.tests" for number in range(20) for name in names}
    reads: Counter[Path] = Counter()

    def counting(method: Callable[..., Any]) -> Callable[..., Any]:
        def read(path: Path, *args: Any, **words: Any) -> Any:
            reads[path] += 1
            return method(path, *args, **words)

        return read

    for name, text in files.items():
        (path := tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(Path, "read_text", counting(Path.read_text))
    monkeypatch.setattr(Path, "open", counting(Path.open))  # read_text and read_bytes use it too
    assert len(sort_test_folders(tmp_path)[0]) == 20
    assert len(reads) == 60
    assert max(reads.values()) <= 2, "read_text, and its open"


def test_documentation_among_the_tests_keeps_nothing(tmp_path: Path) -> None:
    files = {**BASE, "demo/tests/README.md": "demo.tests.data holds tables\n"}
    assert sorted_folders(tmp_path, files) == ({"demo/tests"}, {})


@pytest.mark.parametrize(
    "files",
    [
        {"demo/__init__.py": "", "demo/tests/__init__.py": "", "demo/tests/helper.py": ""},  # no test in it
        {"tests/test_demo.py": "", "demo/__init__.py": ""},  # a top-level package
        {"demo/data.txt": "", "demo/tests/test_data.py": ""},  # beside no module
        {"demo/__init__.py": "", "demo/testing/test_it.py": ""},
        {"demo.data/data/tests/test_it.py": "", "demo.data/data/x.py": ""},
    ],
)
def test_what_only_looks_like_tests_is_not_asked_about(tmp_path: Path, files: Mapping[str, str]) -> None:
    assert sorted_folders(tmp_path, files) == (set(), {})


def test_a_folder_used_by_one_that_stays_stays_too(tmp_path: Path) -> None:
    files = {
        **BASE,
        "demo/core.py": "import demo.tests\n",
        "demo/tests/__init__.py": "from demo.sub.tests import helper\n",
        "demo/sub/__init__.py": "",
        "demo/sub/tests/test_sub.py": "",
        "demo/free/__init__.py": "",
        "demo/free/test/conftest.py": "from demo.tests import data\n",
    }
    going, staying = sorted_folders(tmp_path, files)
    assert going == {"demo/free/test"}
    assert set(staying) == {"demo/tests", "demo/sub/tests"}


def test_folders_in_a_data_scheme_and_a_namespace_go(tmp_path: Path) -> None:
    files = {
        "demo-1.0.data/purelib/demo/__init__.py": "",
        "demo-1.0.data/purelib/demo/tests/test_it.py": "",
        "space/part/__init__.py": "",
        "space/part/tests/test_part.py": "",
    }
    going, _ = sorted_folders(tmp_path, files)
    assert going == {"demo-1.0.data/purelib/demo/tests", "space/part/tests"}
