"""The imports of Python files: what adds to the graph, and what must not."""

from __future__ import annotations

from pathlib import Path

import pytest

from trees import Grow, grower, uses


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
        ("x = clone_module('lib.signal', globals())", [(1, "lib.signal", "import")]),
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
