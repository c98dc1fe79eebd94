"""The issue's scripts under the whole of `trace`: its first run, the recheck, and the profile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support import RECIPES

pytestmark = pytest.mark.network
SPATIAL = """
import numpy as np
import scipy.spatial
from scipy import spatial
from scipy.spatial.distance import cdist, pdist
from scipy.spatial import KDTree

X = np.random.rand(9, 3)
print(KDTree(X).query(X[:2]), spatial.cKDTree(X).n, cdist(X, X), pdist(X))

def hull():
    from scipy.spatial import ConvexHull
    return ConvexHull(X)

print(spatial.ConvexHull(X), getattr(scipy.spatial, "Convex" + "Hull")(X), hull(), spatial.Delaunay(X))
"""
GRAPHS = """
import numpy as np
from scipy.linalg.lapack import dgels
from scipy.sparse import csgraph

G = np.array([[0, 1], [0, 0]])
print(csgraph.shortest_path(G), csgraph.minimum_spanning_tree(G), dgels(np.eye(2), np.ones(2)))
"""
TABLES = """
import pandas as pd
from sklearn.metrics import DistanceMetric

print(pd.Interval(0, 1).mid, DistanceMetric.get_metric("euclidean").pairwise([[0.0], [1.0]]))
"""
GUARDED = """
import scipy.spatial
try:
    print(vars(scipy.spatial)["Convex" + "Hull"]([[0, 0], [0, 1], [1, 0]]).volume)
except ImportError:
    print("another way")
"""


def traced(python: Path, cache: Path, folder: Path, script: str) -> tuple[dict[str, str], set[str], str]:
    """Why components are kept, those removed, and the text of the profile."""
    (folder / "app.py").write_text(script, "utf-8")
    words = ["--cache", str(cache), "--recipes", str(RECIPES), "trace", "--json", "--output", "app.toml"]
    argv = [sys.executable, "-m", "spokeshave", *words, "--", str(python), "-W", "ignore", "app.py"]
    done = subprocess.run(argv, cwd=folder, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout[done.stdout.index('{\n "base"') :])["components"]
    kept = {row["component"]: row["why"] for row in rows if not row["removed"]}
    gone = {row["component"] for row in rows if row["removed"]}
    return kept, gone, (folder / "app.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("script", "names"),
    [
        (SPATIAL, {"scipy/kdtree", "scipy/distances", "scipy/qhull"}),
        (GRAPHS, {"scipy/graph-paths", "scipy/graph-trees", "scipy/lapack-interfaces"}),
        (TABLES, {"pandas/interval", "scikit-learn/distance-metrics"}),
        (GUARDED, {"scipy/qhull"}),
    ],
    ids=["spatial", "graphs", "tables", "guarded"],
)
def test_trace_with_the_recheck_keeps_what_a_script_uses(
    python: Path, cache: Path, tmp_path: Path, script: str, names: set[str]
) -> None:
    kept, gone, text = traced(python, cache, tmp_path, script)
    assert names <= set(kept)
    assert len(gone) > 40, "what is not used goes, though calls of compiled code are not visible on 3.11"
    assert "recheck: it ended with exit code 0 again without " in text
    assert "the command passed without it" in text
