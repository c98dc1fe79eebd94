"""Small source trees of two packages, and the import graph over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from spokeshave.removal.graph import ImportGraph, build_graph
from spokeshave.removal.readers.package import read_package

Grow = Callable[[Mapping[str, str]], ImportGraph]


def grower(root: Path) -> Grow:
    """Writes files and builds the graph of `app` and `lib`, which has signal, _core, linalg, linalg._fast."""

    def grow(files: Mapping[str, str]) -> ImportGraph:
        tree = {f"{folder}/__init__.py": "" for folder in ("app", "lib", "lib/linalg")}
        tree |= {f"lib/{name}.py": "" for name in ("signal", "_core", "linalg/_fast")}
        for name, text in {**tree, **files}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        return build_graph([read_package(root, name) for name in ("app", "lib")])

    return grow


def uses(graph: ImportGraph, importer: str = "app.use") -> list[tuple[int, str, str]]:
    """Line, target and kind of what one module imports."""
    return sorted((e.line, e.target, e.kind) for e in graph.edges if e.importer == importer)
