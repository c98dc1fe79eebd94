"""Notes of levers are grouped by reason over all packages; those of few bytes are not shown."""

from __future__ import annotations

from spokeshave.shrink.notes import notes_of
from spokeshave.slim.model import Left, Saving


def row(package: str, *savings: Saving) -> dict[str, object]:
    return {"package": package, "levers": [one.to_json() for one in savings]}


def test_notes_of_one_reason_is_one_line_with_packages_files_and_bytes() -> None:
    left = Left(name="libblas.so", reason="libraries of a bundled BLAS are kept", size=2_000_000)
    blas = Saving(lever="blas", saved=0, files=0, left=(left,))
    small = Saving(lever="json", saved=5, files=1, left=(Left(name="a", reason="tiny", size=9),))
    how = Saving(lever="blas", saved=5, files=1, notes=("3 modules call it",))
    step = Saving(lever="recipe", saved=0, files=0, notes=("update the recipe",))
    found = notes_of([row("numpy", blas, small), row("scipy", blas), row("pandas", how, step)])
    assert [one.line for one in found] == [
        "numpy, scipy: 2 libraries of a bundled BLAS are kept (4.00 MB)",
        "pandas: update the recipe",
    ]
