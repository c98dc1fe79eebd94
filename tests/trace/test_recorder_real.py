"""The recorder on PyPI's wheels: the plainest uses of compiled code, on each Python at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from spokeshave.recipes.book import RecipeBook
from spokeshave.removal.readers.reader import covers
from spokeshave.trace.inject import Watch, run_recorded
from spokeshave.trace.record import Lines
from support import RECIPES
from traced import pythons
from venvs import kept_venv

STACK = ("numpy", "scipy", "pandas", "scikit-learn")
SPATIAL = "import numpy as np\nX = np.arange(18.0).reshape(9, 2) ** 1.5 % 7\n"
USES = {
    "KDTree": ("scipy/kdtree", "from scipy.spatial import KDTree\nKDTree(X).query(X[:2])"),
    "cKDTree": ("scipy/kdtree", "from scipy import spatial\nspatial.cKDTree(X).query(X[:2])"),
    "cdist": ("scipy/distances", "from scipy.spatial.distance import cdist\ncdist(X, X)"),
    "pdist": ("scipy/distances", "from scipy.spatial.distance import pdist\npdist(X)"),
    "ConvexHull": ("scipy/qhull", "from scipy import spatial\nspatial.ConvexHull(X)"),
    "getattr": ("scipy/qhull", "from scipy import spatial\ngetattr(spatial, 'ConvexHull')(X)"),
    "inside": ("scipy/qhull", "def f():\n    from scipy.spatial import Delaunay\n    Delaunay(X)\nf()"),
    "inside, as": ("scipy/qhull", "def f():\n    import scipy.spatial as s\n    s.Delaunay(X)\nf()"),
    "lazy": ("scipy/qhull", "import scipy\nscipy.spatial.Delaunay(X)"),
    "passed": ("scipy/qhull", "import scipy.spatial\ndef f(c):\n    c(X)\nf(scipy.spatial.Delaunay)"),
    "paths": ("scipy/graph-paths", "from scipy.sparse import csgraph\ncsgraph.shortest_path(np.eye(3))"),
    "trees": (
        "scipy/graph-trees",
        "from scipy.sparse.csgraph import minimum_spanning_tree as tree\ntree(np.eye(3))",
    ),
    "Interval": ("pandas/interval", "import pandas as pd\npd.Interval(0, 1).mid"),
    "DistanceMetric": (
        "scikit-learn/distance-metrics",
        "import sklearn.metrics\nsklearn.metrics.DistanceMetric.get_metric('euclidean').pairwise(X)",
    ),
    "pickle": (
        "pandas/interval",
        "import pickle, pandas\npickle.loads(b'cpandas._libs.interval\\nInterval\\n.')",
    ),
}
UNUSED = {
    "import pandas": "import pandas",
    "read_csv": "import io, pandas as pd\nprint(pd.read_csv(io.StringIO('a,b\\n1,2')).sum())",
    "groupby": "import pandas as pd\nprint(pd.DataFrame({'a': [1, 1], 'b': [1, 2]}).groupby('a').b.mean())",
    "import scipy": "import scipy.spatial, scipy.sparse.csgraph",
}
PRECISE = [f"pandas/{name}" for name in ("interval", "join", "reshape", "sparse", "window", "styler", "sql")]
PRECISE += [f"scipy/{name}" for name in ("kdtree", "qhull", "distances", "graph-paths", "graph-trees")]


@pytest.fixture(scope="session")
def components() -> dict[str, tuple[str, ...]]:
    """The modules of each component by its full name."""
    book = RecipeBook([RECIPES])
    found = {name: book.load(name).recipe.components for name in STACK}
    return {f"{name}/{part.name}": tuple(part.modules) for name, parts in found.items() for part in parts}


@pytest.fixture(scope="session", params=pythons(), ids=lambda path: Path(path).name)
def installed(request: pytest.FixtureRequest) -> Path:
    """A Python of a venv with PyPI's wheels of the versions that the recipes build."""
    recipes = [RecipeBook([RECIPES]).load(name).recipe for name in STACK]
    pins = [f"{recipe.distribution}=={recipe.versions[0].version}" for recipe in recipes]
    return kept_venv("recorder", request.param, pins) / "bin" / "python"


def traced(python: Path, components: dict[str, tuple[str, ...]], script: str, folder: Path) -> Lines:
    modules = {module for part in components.values() for module in part}
    watch = Watch(packages=("numpy", "scipy", "pandas", "sklearn"), modules=tuple(sorted(modules)))
    path = folder / "app.py"
    path.write_text(f"{script}\n", "utf-8")
    code, lines = run_recorded((str(python), str(path)), os.environ, watch, folder / "run")
    assert (code, lines.lost, lines.hidden) == (0, (), ())
    return lines


def uses_of(lines: Lines, modules: tuple[str, ...]) -> set[str]:
    return {use.user for use in lines.uses if any(covers(name, use.module) for name in modules)}


@pytest.mark.network
@pytest.mark.parametrize("way", USES)
def test_use_of_compiled_code_is_seen(
    installed: Path, components: dict[str, tuple[str, ...]], tmp_path: Path, way: str
) -> None:
    component, script = USES[way]
    lines = traced(installed, components, SPATIAL + script, tmp_path)
    assert uses_of(lines, components[component])


@pytest.mark.network
@pytest.mark.parametrize("way", UNUSED)
def test_what_is_only_loaded_is_no_use(
    installed: Path, components: dict[str, tuple[str, ...]], tmp_path: Path, way: str
) -> None:
    lines = traced(installed, components, UNUSED[way], tmp_path)
    assert {name for name in PRECISE if uses_of(lines, components[name])} == set()
