"""Sphinx's settings; `ci/docs` builds the pages."""

import click
from sphinx.application import Sphinx

from spokeshave import __version__

project = "spokeshave"
author = "the spokeshave authors"
copyright = f"2026, {author}"
version = release = __version__

extensions = ["myst_parser", "sphinx_click"]
exclude_patterns = ["_build"]
nitpicky = True
highlight_language = "text"

html_theme = "furo"
html_title = "spokeshave"
html_copy_source = False
html_show_sphinx = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4
# The pages are also read in the repository, where links to recipes and scripts work as they are.
suppress_warnings = ["myst.xref_ambiguous"]


def examples_as_code(app: Sphinx, context: click.Context, lines: list[str]) -> None:
    """Shows the verbatim blocks of help texts (`\\b`) as code: their commands have stars."""
    made: list[str] = []
    for line in lines:
        if not line.startswith("| "):
            made.append(line)
            continue
        if not made or not made[-1].startswith("   "):
            made += ["", ".. code-block:: text", ""]
        made.append("   " + line.removeprefix("| "))
    lines[:] = made


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("sphinx-click-process-description", examples_as_code)
