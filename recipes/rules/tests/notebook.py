"""The style sheets inside the scripts, and the server's pages."""

from __future__ import annotations

import re
from pathlib import Path

OLD = (".eot", ".ttf", ".svg")


def _fonts_of(static: Path) -> object:
    """Each font family with the files that are there; a family with an old kind alone is an error."""
    names = {path.name for path in static.iterdir()}
    used: dict[str, list[str]] = {}
    for bundle in sorted(static.glob("*.js")):
        found = re.findall(r"\b[0-9a-f]{16}\.(?:eot|ttf|svg|woff2?)\b", bundle.read_text("utf-8"))
        if found:
            used[bundle.name] = sorted(set(found))
    kinds = {bundle: sorted({Path(one).suffix for one in files}) for bundle, files in used.items()}
    alone = [bundle for bundle, found in kinds.items() if set(found) <= set(OLD)]
    modern = sorted(one for files in used.values() for one in files if not one.endswith(OLD))
    if alone or not modern or (absent := [one for one in modern if one not in names]):
        raise ValueError(f"fonts without a modern kind: {alone}, absent: {absent if modern else 'all'}")
    return [modern, sorted(names - {one for one in names if one.endswith(OLD)})]


def fonts() -> object:
    """The fonts that a browser loads, and the class of the application."""
    import notebook
    from notebook.app import JupyterNotebookApp

    static = Path(notebook.__file__).parent / "static"
    return [_fonts_of(static), JupyterNotebookApp.name, sorted(JupyterNotebookApp.class_trait_names())]
