"""Which files are modules, and what meson.build and pyproject.toml add to them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spokeshave.errors import RecipeError
from spokeshave.removal.graph import build_graph, needed_by
from spokeshave.removal.readers.package import package_from_json, read_package
from trees import Grow, grower, uses


@pytest.fixture
def grow(tmp_path: Path) -> Grow:
    return grower(tmp_path)


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


def test_what_was_read_survives_json(grow: Grow, tmp_path: Path) -> None:
    project = '[project]\nname = "app"\n[project.scripts]\nrun = "lib.signal:main"\n'
    grow({"pyproject.toml": project, "app/meson.build": MESON, "app/quick.pyx": "cimport lib.signal"})
    app = read_package(tmp_path, "app")
    assert app.files
    assert app.entry_points
    assert package_from_json(json.loads(json.dumps(app.to_json()))) == app


def test_extra_modules(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/__init__.py").write_text("from ._made import x")
    app = read_package(tmp_path, "app")
    assert build_graph([app]).edges == ()
    graph = build_graph([app], extra_modules=["app._made"])
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
        read_package(tmp_path, "app")
