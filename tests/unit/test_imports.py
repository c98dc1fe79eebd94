"""What each kind of file adds to the import graph, and what it must not add."""

from __future__ import annotations

from pathlib import Path

import pytest
from trees import Grow, grower, uses

from spokeshave.closure import build_graph, needed_by
from spokeshave.errors import RecipeError


@pytest.fixture
def grow(tmp_path: Path) -> Grow:
    return grower(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import lib.signal", [(1, "lib.signal", "import")]),
        ("from lib import linalg, signal as s", [(1, "lib.linalg", "import"), (1, "lib.signal", "import")]),
        ("from lib.linalg import solve", [(1, "lib.linalg", "import")]),
        ("from lib.linalg import *", [(1, "lib.linalg", "import")]),
        ("import os, json", []),
        ("class A:\n    import lib.signal", [(2, "lib.signal", "import")]),
        ("def f():\n    from lib import signal", [(2, "lib.signal", "deferred")]),
        ("async def f():\n    import lib.signal", [(2, "lib.signal", "deferred")]),
        ("def __getattr__(name):\n    import lib.signal", [(2, "lib.signal", "deferred")]),
        ('"""import lib.signal"""\n# import lib.signal\nx = "import lib.signal"', []),
    ],
)
def test_import_statements(grow: Grow, text: str, expected: list[tuple[int, str, str]]) -> None:
    assert uses(grow({"app/use.py": text})) == expected


def test_relative_imports(grow: Grow) -> None:
    graph = grow(
        {
            "app/sub/__init__.py": "from . import leaf\nfrom .. import other",
            "app/sub/leaf.py": "from ..other import x\nfrom .....far import y",
            "app/other.py": "",
        }
    )
    assert uses(graph, "app.sub") == [(1, "app.sub.leaf", "import"), (2, "app.other", "import")]
    assert uses(graph, "app.sub.leaf") == [(1, "app.other", "import")]


@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        ("except ImportError:\n    lib = None", "guarded"),
        ("except (KeyError, ModuleNotFoundError):\n    pass", "guarded"),
        ("except Exception as e:\n    pass", "guarded"),
        ("except:\n    pass", "guarded"),
        ("except ValueError:\n    pass", "import"),
        ("except ImportError as e:\n    raise ImportError('no lib') from e", "import"),
        ("except ImportError as e:\n    raise_build_error(e)", "import"),
        ("except ImportError:\n    import replacement", "import"),
        ("finally:\n    pass", "import"),
    ],
)
@pytest.mark.parametrize("suffix", ["py", "pyx"])
def test_guards(grow: Grow, handler: str, kind: str, suffix: str) -> None:
    graph = grow({f"app/use.{suffix}": f"try:\n    import lib.signal\n{handler}\n"})
    assert uses(graph) == [(2, "lib.signal", kind)]


def test_a_guard_does_not_reach_into_functions_or_else(grow: Grow) -> None:
    text = "try:\n    def f():\n        import lib.signal\n"
    text += "except ImportError:\n    pass\nelse:\n    import lib._core"
    assert uses(grow({"app/use.py": text})) == [(3, "lib.signal", "deferred"), (7, "lib._core", "import")]


def test_suppressing_is_a_guard(grow: Grow) -> None:
    text = (
        "import contextlib\nwith contextlib.suppress(ImportError):\n    import lib.signal\nimport lib._core"
    )
    assert uses(grow({"app/use.py": text})) == [(3, "lib.signal", "guarded"), (4, "lib._core", "import")]


@pytest.mark.parametrize("suffix", ["py", "pyx"])
def test_type_checking_does_not_count(grow: Grow, suffix: str) -> None:
    text = "if TYPE_CHECKING:\n    import lib.signal\nelse:\n    import lib._core\nimport lib.linalg"
    assert [target for _, target, _ in uses(grow({f"app/use.{suffix}": text}))] == ["lib._core", "lib.linalg"]
    text = "import typing\nif not typing.TYPE_CHECKING:\n    import lib.signal"
    assert [target for _, target, _ in uses(grow({"app/use.py": text}))][:1] == ["lib.signal"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import importlib\nimportlib.import_module('lib.signal')", [(2, "lib.signal", "import")]),
        ("def f():\n    return import_module('lib.signal')", [(2, "lib.signal", "deferred")]),
        ("import_module('.other', package=__package__)", [(1, "app.other", "import")]),
        ("__import__('lib.' + 'signal')", [(1, "lib.signal", "import")]),
        ("__import__(__package__ + '.other')", [(1, "app.other", "import")]),
        ("__import__(f'{__spec__.parent}.other')", [(1, "app.other", "import")]),
        ("import_optional_dependency('lib.signal')", [(1, "lib.signal", "guarded")]),
        ("import_module(f'lib.{name}')", []),
        ("def __getattr__(name):\n    return import_module(f'lib.{name}')", []),
    ],
)
def test_dynamic_imports(grow: Grow, text: str, expected: list[tuple[int, str, str]]) -> None:
    assert uses(grow({"app/use.py": text, "app/other.py": ""})) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import lib\nlib.signal.go()", [(1, "lib", "import"), (2, "lib.signal", "import")]),
        (
            "import lib as l\ndef f():\n    l.linalg._fast.x",
            [(1, "lib", "import"), (3, "lib.linalg._fast", "deferred")],
        ),
        (
            "from lib import linalg\nf = lambda: linalg._fast.x",
            [(1, "lib.linalg", "import"), (2, "lib.linalg._fast", "deferred")],
        ),
        ("from lib import linalg\nlinalg.solve()", [(1, "lib.linalg", "import")]),
        ("import lib.linalg\nlib.signal", [(1, "lib.linalg", "import"), (2, "lib.signal", "import")]),
        ("import lib\ndef f(lib):\n    lib.signal", [(1, "lib", "import")]),
        ("import lib\ndef f():\n    lib = other()\n    lib.signal", [(1, "lib", "import")]),
        ("def f():\n    import lib\ndef g():\n    lib.signal", [(2, "lib", "deferred")]),
        (
            "def f(x=lib.signal.y):\n    pass\nimport lib",
            [(1, "lib.signal", "import"), (3, "lib", "import")],
        ),
        (
            "try:\n    import lib\nexcept ImportError:\n    lib = None\nlib.signal",
            [(2, "lib", "guarded"), (5, "lib.signal", "import")],
        ),
        (
            "import lib\ndef f(x: lib.signal.T): ...",
            [(1, "lib", "import"), (2, "lib.signal", "import")],
        ),
        (
            "from __future__ import annotations\nimport lib\ndef f(x: lib.signal.T): ...\ny: lib.signal.T",
            [(2, "lib", "import")],
        ),
    ],
)
def test_attributes_of_imported_packages(grow: Grow, text: str, expected: list[tuple[int, str, str]]) -> None:
    assert uses(grow({"app/use.py": text})) == expected


CYTHON = '''\
# cimport lib._core
"""
import lib._core
"""
from lib.signal cimport (wave,
                         other as o)
cimport lib.linalg._fast as fast, cython
from . cimport _near
from ._near{{suffix}} cimport x{{suffix}}
{{if deep}}
cdef int f(int a,
           int b) except -1:
    import lib
    x = lib.signal.wave("import lib._core")
    return 0
{{endif}}
cdef class C:
    from .. import app
s = "from lib import _core"
'''


@pytest.mark.parametrize("name", ["use.pyx", "use.pxd", "use.pyx.in", "use.pxd.in", "use.pyx.tp"])
def test_cython(grow: Grow, name: str) -> None:
    graph = grow({f"app/{name}": CYTHON, "app/_near.pxd": ""})
    assert uses(graph) == [
        (5, "lib.signal", "import"),
        (7, "lib.linalg._fast", "import"),
        (8, "app._near", "import"),
        (9, "app", "import"),
        (13, "lib", "deferred"),
        (14, "lib.signal", "deferred"),
    ]


def test_cython_imports_by_call(grow: Grow) -> None:
    text = 'x = import_optional_dependency("lib.signal")\ndef f():\n    import_module("lib._core")  # "lib"'
    assert uses(grow({"app/use.pyx": text})) == [(1, "lib.signal", "guarded"), (3, "lib._core", "deferred")]


def test_an_include_belongs_to_the_module_that_takes_it_in(grow: Grow) -> None:
    graph = grow({"app/use.pyx": 'include "part.pxi"\n', "app/part.pxi.in": "from lib cimport signal"})
    assert uses(graph) == [(1, "lib.signal", "import")]
    assert "app.part" not in graph.modules


def test_a_pxd_for_one_cython_only_is_no_module(grow: Grow) -> None:
    graph = grow({"app/__init__.cython-30.pxd": "cimport lib.signal"})
    assert uses(graph, "app") == [(1, "lib.signal", "import")]
    assert not any("cython-30" in module for module in graph.modules)


@pytest.mark.parametrize("name", ["src/a.c", "src/a.cpp", "src/a.h", "src/a.c.src"])
def test_native_sources(grow: Grow, name: str) -> None:
    text = """\
/* PyImport_ImportModule("lib") */
// py::module_::import("lib")
PyObject *m = PyImport_ImportModule("lib.signal");
npy_cache_import_runtime(
    "lib._core", "attr", &x);
IMPORT_GLOBAL("lib.linalg", "solve", x);
py::module_::import("lib.linalg._fast");
log("https://lib.signal");  import_array();
"""
    assert uses(grow({f"app/{name}": text}), "app") == [
        (3, "lib.signal", "deferred"),
        (4, "lib._core", "deferred"),
        (6, "lib.linalg", "deferred"),
        (7, "lib.linalg._fast", "deferred"),
    ]


MESON = """\
# py.extension_module('_commented')
py3.extension_module('_core2',
  [gen.process('a.cpp')],
  subdir: 'app/deep'
)
py3.extension_module('_testing', ['t.c'], install_tag: 'tests', subdir: 'app')
metadata = {'_one': {'sources': ['x.c']}, '_two': {'sources': []}}
foreach name, row : metadata
  py.extension_module(name, row.get('sources'), subdir: 'app')
endforeach
foreach row : [['_three', 't.pyx'], ['_four', 'f.pyx']]
  py.extension_module(row[0], row[1])
endforeach
args += ['--shared=app._cyutility']
py3.install_sources(['vendored/src/__init__.py', 'vendored/src/far.py'], subdir: 'app/vendored')
"""


def test_meson_names_modules_without_sources(grow: Grow) -> None:
    graph = grow(
        {
            "app/meson.build": MESON,
            "app/use.py": "from app.deep import _core2\nfrom ._commented import x\nfrom .vendored import far",
            "app/deep/__init__.py": "",
            "app/vendored/src/__init__.py": "",
            "app/vendored/src/far.py": "from . import x",
            "app/vendored/docs/conf.py": "import lib.signal",
            "app/quick.pyx": "",
        }
    )
    assert uses(graph) == [
        (1, "app.deep._core2", "import"),
        (2, "app", "import"),
        (3, "app.vendored.far", "import"),
    ]
    assert {"app._one", "app._two", "app._three", "app._four"} <= graph.modules
    assert not {"app._testing", "app._commented", "app.vendored.src"} & graph.modules
    assert uses(graph, "app.vendored.far") == [(1, "app.vendored", "import")]
    assert uses(graph, "app.quick") == [(1, "app._cyutility", "import")]


def test_extra_modules(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/__init__.py").write_text("from ._made import x")
    assert build_graph({"app": tmp_path}).edges == ()
    graph = build_graph({"app": tmp_path}, extra_modules=["app._made"])
    assert uses(graph, "app") == [(1, "app._made", "import")]


def test_entry_points(grow: Grow) -> None:
    text = """\
[project]
name = "app"
[project.scripts]
run = 'lib.signal:main'
[project.entry-points."backends"]
run = "app:deep.tool"
"""
    graph = grow({"pyproject.toml": text, "app/deep/__init__.py": "", "app/deep/tool.py": ""})
    assert uses(graph, "app") == [(4, "lib.signal", "entry point"), (6, "app.deep.tool", "entry point")]


@pytest.mark.parametrize(
    "name",
    [
        "tests/test_x.py",
        "test/x.py",
        "conftest.py",
        "setup.py",
        "benchmarks/b.py",
        "docs/conf.py",
        "bare/x.py",
    ],
)
def test_what_is_taken_out_imports_nothing(grow: Grow, name: str) -> None:
    graph = grow({f"app/{name}": "import lib.signal", "app/tests/__init__.py": ""})
    assert not needed_by(graph, "lib")
    assert graph.below("app") == {"app"}


def test_testing_and_tools_packages_stay(grow: Grow) -> None:
    for name in ("testing", "tools"):
        graph = grow({f"app/{name}/__init__.py": "import lib.signal"})
        assert uses(graph, f"app.{name}") == [(1, "lib.signal", "import")]


def test_python_that_is_none(grow: Grow) -> None:
    assert "app.config" in grow({"app/config.py.in": "x = @X@"}).modules
    with pytest.raises(RecipeError, match=r"app/bad\.py: not valid Python"):
        grow({"app/bad.py": "print 'x'"})


def test_a_root_without_the_package(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="holds no package app"):
        build_graph({"app": tmp_path})
