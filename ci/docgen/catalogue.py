"""All generated regions by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from docgen import errors, figures, records, summary
from docgen.markdown import table
from docgen.rules import rules
from spokeshave.inside.levers import LEVERS
from spokeshave.recipes.reference import files, reference


def makers(root: Path) -> dict[str, Callable[[], str]]:
    """What writes each region of the pages below `root`."""
    book = records.Book(root=root / "recipes")
    example = root / "docs" / "examples" / "pywavelets" / "recipe.toml"
    return {
        **figures.makers(root / "docs" / "data"),
        "results": lambda: summary.results(book, root / "docs" / "data"),
        "support": lambda: records.support(book),
        "outcomes": lambda: records.outcomes(book),
        "reasons": lambda: records.reasons(book),
        "wheels": lambda: records.wheels(book),
        "profiles": lambda: records.profiles(book),
        "levers": lambda: table(
            ["lever", "removes or changes"], [[f"`{one.name}`", one.summary] for one in LEVERS]
        ),
        "exit-codes": lambda: errors.sections(root / "docs" / "data" / "errors.toml"),
        "package-rules": lambda: rules(root / "recipes"),
        "recipe-files": files,
        "recipe-format": reference,
        "example-pywavelets": lambda: f"```toml\n{example.read_text('utf-8')}```",
    }
