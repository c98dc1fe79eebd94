"""What follows from an import graph: what breaks, who needs what, what could go."""

from __future__ import annotations

from pathlib import Path

import pytest

from spokeshave.errors import RecipeError
from spokeshave.removal.graph import Breaks, Edge, broken, chain_to, needed_by, reachable
from trees import Grow, grower


@pytest.fixture
def grow(tmp_path: Path) -> Grow:
    return grower(tmp_path)


def edge(importer: str, target: str, line: int = 1, kind: str = "import") -> Edge:
    return Edge(importer=importer, line=line, file="x.py", target=target, kind=kind)  # type: ignore[arg-type]


CLUSTER = {
    "app/__init__.py": "",
    "app/cluster/__init__.py": "from ._tree import x",
    "app/cluster/_tree.py": "def f():\n    from lib.linalg import y",
    "app/_orphan.py": "import lib.linalg._fast",
    "app/extra.py": "try:\n    import lib.linalg\nexcept ImportError:\n    pass",
}


def test_broken_shows_how_a_user_gets_there(grow: Grow) -> None:
    found = broken(grow(CLUSTER), frozenset({"lib.linalg"}))
    assert [str(chain) for chain in found.chains] == [
        "app._orphan:1 → lib.linalg._fast",
        "app.cluster:1 → app.cluster._tree:2 → lib.linalg",
    ]
    assert found.stale == ()


def test_broken_spares_what_is_removed_too(grow: Grow) -> None:
    removed = frozenset({"lib.linalg", "app.cluster", "app._orphan"})
    assert broken(grow(CLUSTER), removed) == Breaks(chains=(), stale=())
    assert broken(grow(CLUSTER), frozenset({"lib.signal"})).chains == ()


def test_allowances(grow: Grow) -> None:
    allowed = [("app.cluster.*", "lib.linalg"), ("app._orph*", "lib"), ("app.x", "lib"), ("*", "lib.lin")]
    found = broken(grow(CLUSTER), frozenset({"lib.linalg"}), allowed=allowed)
    assert found.chains == ()
    assert found.stale == (("*", "lib.lin"), ("app.x", "lib"))
    guarded = [("app.extra", "lib.linalg")]
    assert broken(grow(CLUSTER), frozenset({"lib.signal"}), allowed=guarded).stale == tuple(guarded)


def test_extra_edges_break_too(grow: Grow) -> None:
    found = broken(grow(CLUSTER), frozenset({"lib.signal"}), extra=[edge("app.extra", "lib.signal", 7)])
    assert [str(chain) for chain in found.chains] == ["app.extra:7 → lib.signal"]


def test_removing_what_is_not_there(grow: Grow) -> None:
    with pytest.raises(RecipeError, match=r"no module lib\.linlag") as caught:
        broken(grow(CLUSTER), frozenset({"lib.linlag"}))
    assert "lib.linalg" in caught.value.next_step


def test_needed_by_leaves_out_the_module_itself(grow: Grow) -> None:
    graph = grow({**CLUSTER, "lib/linalg/__init__.py": "from . import _fast"})
    assert [e.importer for e in needed_by(graph, "lib.linalg")] == [
        "app._orphan",
        "app.cluster._tree",
        "app.extra",
    ]


def test_reachable_runs_the_packages_around(grow: Grow) -> None:
    graph = grow({"app/use.py": "import lib.linalg._fast", "lib/linalg/__init__.py": "import lib.signal"})
    reached = reachable(graph, ["app.use"])
    assert set(reached) == {"app", "app.use", "lib", "lib.linalg", "lib.linalg._fast", "lib.signal"}
    assert reached["app.use"] is None
    assert reached["lib.signal"] == Edge(
        importer="lib.linalg", line=1, file="lib/linalg/__init__.py", target="lib.signal", kind="import"
    )
    assert str(chain_to(graph, ["app.use"], "lib.signal")) == "app.use:1 → lib.linalg:1 → lib.signal"
    assert chain_to(graph, ["lib.signal"], "app.use") is None


def test_reachable_by_kind(grow: Grow) -> None:
    graph = grow(CLUSTER)
    assert "lib.linalg" in reachable(graph, ["app.cluster"])
    assert "lib.linalg" not in reachable(graph, ["app.cluster"], include_deferred=False)
    assert "lib.linalg" not in reachable(graph, ["app.cluster"], allowed=[("app.cluster.*", "lib")])
    assert "lib.linalg" not in reachable(graph, ["app.extra"])
    assert "lib.linalg" in reachable(graph, ["app.extra"], skip_guarded=False)


def test_a_name_behind_a_guarded_import_needs_the_module_behind_it(grow: Grow) -> None:
    files = {
        "lib/__init__.py": "",
        "lib/io/__init__.py": "try:\n    from .matlab import load\nexcept ImportError:\n    pass",
        "lib/io/matlab.py": "def load(): ...",
        "app/__init__.py": "from lib.io import load",
    }
    found = broken(grow(files), frozenset({"lib.io.matlab"}))
    assert [str(chain) for chain in found.chains] == ["app:1 → lib.io.matlab"]
