"""The generated parts of the documentation, and that they are up to date."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from docgen import __main__ as tables
from docgen import benched, catalogue, regions, reported
from docgen import errors as error_pages
from docgen.markdown import table
from docgen.records import Book, outcomes, support
from spokeshave.cli import main
from spokeshave.errors import SpokeshaveError
from support import ROOT

MAKERS = catalogue.makers(ROOT)


def test_tables_are_up_to_date() -> None:
    stale = [str(page.relative_to(ROOT)) for page in regions.outdated(ROOT, MAKERS)]
    assert stale == [], "next: ci/tables"


def test_tables_each_maker_has_a_page() -> None:
    used = {name for page in regions.pages(ROOT) for name in regions.names(page.read_text("utf-8"))}
    assert used == MAKERS.keys()


def test_filled_region_is_rewritten_and_the_rest_kept() -> None:
    text = "before\n<!-- generated: x -->\nold\n<!-- end -->\nafter\n"
    made = regions.filled(text, {"x": lambda: "new\n"})
    assert made == "before\n<!-- generated: x -->\n\nnew\n\n<!-- end -->\nafter\n"
    assert regions.filled(made, {"x": lambda: "new\n"}) == made
    with pytest.raises(KeyError):
        regions.filled(text, {})


def test_tables_check_of_a_changed_page_fails_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("<!-- generated: x -->\nold\n<!-- end -->\n")
    monkeypatch.setattr(tables, "ROOT", tmp_path)
    monkeypatch.setattr(catalogue, "makers", lambda root: {"x": lambda: "new"})
    assert tables.main(["--check"]) == 1
    assert "outdated: README.md" in capsys.readouterr().err
    assert "old" in (tmp_path / "README.md").read_text()
    assert tables.main([]) == 0
    assert tables.main(["--check"]) == 0


def test_table_cell_with_a_bar_is_escaped() -> None:
    assert table(["a", "n"], [["x|y", 1]], numbers=1) == "| a | n |\n|---|---:|\n| x\\|y | 1 |"


def test_support_names_each_recipe_with_its_verified_profiles() -> None:
    text = support(Book(root=ROOT / "recipes"))
    assert "| `numpy` | 2.4.6 | cp311-manylinux_x86_64 | `lean`, `full`, `sklearn` |" in text
    assert all(f"| `{path.parent.name}` |" in text for path in (ROOT / "recipes").glob("*/recipe.toml"))
    assert "| `netlib` |" in text and text.split("| `netlib` |")[1].splitlines()[0].endswith("| draft |")


def test_outcomes_of_each_record_explain_every_test_that_pypi_passes_more() -> None:
    for one in Book(root=ROOT / "recipes").records():
        sides = one["outcomes"]
        if sides["stock"]:
            explained = sum(one["left out"].values()) + sum(one["removed"].values())
            assert sides["stock"]["passed"] - sides["ours"]["passed"] <= explained
    assert outcomes(Book(root=ROOT / "recipes")).count("\n") > 10


def test_errors_each_class_has_an_anchor_a_code_and_a_remedy() -> None:
    page = (ROOT / "docs" / "reference" / "exit-codes.md").read_text("utf-8")
    known = error_pages.remedies(ROOT / "docs" / "data" / "errors.toml")
    assert SpokeshaveError in error_pages.classes() and len(error_pages.classes()) > 20
    for one in error_pages.classes():
        assert one.__name__ in known
        assert f"\n## {one.__name__}\n\nExit code {one.exit_code}. " in page


def test_errors_each_remedy_is_of_a_class_and_each_code_of_the_help_is_in_the_table() -> None:
    known = error_pages.remedies(ROOT / "docs" / "data" / "errors.toml")
    assert known.keys() == {one.__name__ for one in error_pages.classes()}
    listed = re.findall(r"\b(\d+)\s[a-zA-Z]", str(main.help).partition("Exit codes: ")[2])
    assert {int(code) for code in listed} == {one.exit_code for one in error_pages.classes()} - {1}


def test_sizes_from_a_report_are_written_in_mb() -> None:
    side = {"unpacked": 12_345_678, "bytecode": 1_000_000, "wheel": 4_000_000}
    other = {"unpacked": 20_000_000, "bytecode": 2_000_000, "wheel": 8_000_000}
    rows = [{"name": name, "ours": side, "stock": other} for name in ("numpy", "BLAS, Fortran")]
    report = {"parts": rows, "total": {"name": "total", "ours": side, "stock": other}}
    full = {"total": {"name": "total", "ours": other, "stock": other}}
    reports: dict[str, dict[str, Any]] = {"lean": report, "full": full}
    old = (ROOT / "docs" / "data" / "sizes.toml").read_text("utf-8")
    data = tomllib.loads(reported.updated(old, reports, "2027-01-02"))
    assert [part["name"] for part in data["part"]] == ["numpy", "BLAS, LAPACK and Fortran runtime"]
    assert data["part"][0]["ours"] == 12.35
    assert data["total"]["installed"] == {"ours": 13.35, "pypi": 22.0}
    assert data["date"] == "2027-01-02"
    assert data["other"] == [{"profile": "full", "unpacked": 20.0}]


def _comparison(**changes: Any) -> dict[str, Any]:
    slow = {"name": "Sort.time_sort (heap, (1, 2))", "ratio": 1.354}
    return {
        "file": "bench.json",
        "suite": "upstream's suite of numpy 2.4.6",
        "filter": "",
        "interrupted": False,
        "environment": {},
        "processor": "AMD EPYC",
        "started": "2026-12-01T00:00:00+00:00",
        "summary": {
            "count": 200,
            "functions": 20,
            "mean": 0.9512,
            "mean_by_function": 0.9311,
            "quartiles": [0.91, 0.95, 0.99],
        },
        "exhaustive": {
            "repeating_above": {"1.15": 2, "1.30": 1},
            "repeating": [{"name": "Where.time_2", "ratio": 1.2}, slow, {**slow, "ratio": 1.31}],
        },
        **changes,
    }


def test_speed_of_exhaustive_comparisons_is_taken_by_command() -> None:
    text = benched.updated("[imports]\ncommand = 'x'\n", [_comparison()])
    other = _comparison(environment={"A": "b c"}, summary={**_comparison()["summary"], "count": 7})
    data = tomllib.loads(benched.updated(text, [other, _comparison()]))
    assert data["imports"] == {"command": "x"}
    assert [(one["command"], one["cases"]) for one in data["suite"]] == [
        ("spokeshave bench numpy --exhaustive", 200),
        ("spokeshave bench numpy --exhaustive --env 'A=b c'", 7),
    ]
    assert data["suite"][0]["slow"] == [
        {"function": "Sort.time_sort", "cases": 2, "ratio": 1.35, "case": "heap, (1, 2)"},
        {"function": "Where.time_2", "cases": 1, "ratio": 1.2, "case": ""},
    ]


@pytest.mark.parametrize("changes", [{"filter": "Sort"}, {"interrupted": True}, {"suite": "BLAS calls"}])
def test_speed_of_a_part_of_a_suite_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"bench\.json: no whole exhaustive comparison"):
        benched.updated("", [_comparison(**changes)])
