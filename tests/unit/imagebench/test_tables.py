"""What is printed of two images: sums and ratios of what was measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from imagebench.service import Counts, Start, parse_junit, parse_start, spread
from imagebench.tables import Comparison, from_json, layer_table, size_table, sizes, to_json, work_table
from spokeshave.errors import VerifyError


def text(table: Table) -> str:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def test_sizes_are_compared_with_the_base_and_without(found: Comparison) -> None:
    assert sizes(found) == {
        "image": (400_000_000, 700_000_000),
        "image without pandoc's executable": (200_000_000, 500_000_000),
        "above the base": (100_000_000, 400_000_000),
        "packages without a recipe, unpacked": (60, 80),
    }
    assert "0.571" in text(size_table(found))


def test_layers_are_side_by_side(found: Comparison) -> None:
    rows = [line.split("│")[1:4] for line in text(layer_table(found)).splitlines() if "│" in line]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["Imported from -", "300.0", "300.0"],
        ["COPY … in /srv/venv", "100.0", "400.0"],
    ]


def test_medians_are_compared(found: Comparison) -> None:
    shown = text(work_table(found))
    assert "1.50 (1.00-3.00)" in shown
    assert "0.750" in shown
    assert to_json(found)["ratios"]["resident at the first answer, MB"] == pytest.approx(110 / 200)
    json.dumps(to_json(found))


def test_the_median_of_an_even_number_is_between() -> None:
    assert (spread([4.0, 1.0]).mid, spread([4.0, 1.0]).low, spread([4.0, 1.0]).high) == (2.5, 1.0, 4.0)


def test_counts_are_read_from_junit() -> None:
    xml = '<testsuites><testsuite tests="9" failures="1" errors="1" skipped="2"/></testsuites>'
    assert parse_junit(xml) == Counts(passed=5, failed=2, skipped=2)


@pytest.mark.parametrize(("passed", "failed", "skipped"), [(0, 0, 0), (5, 1, 0), (5, 0, 1)])
def test_a_test_that_did_not_pass_is_not_good(passed: int, failed: int, skipped: int) -> None:
    assert not Counts(passed=passed, failed=failed, skipped=skipped).good
    assert Counts(passed=5, failed=0, skipped=0).good


def test_a_start_is_read_from_the_line_of_the_probe() -> None:
    line = '{"seconds": 1.5, "idle": {"rss": 4096, "pss": 2048}, "worked": {"rss": 8192, "pss": 8000}}'
    assert parse_start(line) == Start(
        seconds=1.5, idle_rss=4096, idle_pss=2048, worked_rss=8192, worked_pss=8000
    )


def test_an_earlier_run_is_shown_again(found: Comparison, tmp_path: Path) -> None:
    file = tmp_path / "image.json"
    file.write_text(json.dumps(to_json(found)), "utf-8")
    assert from_json(file) == found


@pytest.mark.parametrize("text", ["", "{}", '{"ratios": {}}', "[1]"])
def test_from_json_other_file_is_an_error(tmp_path: Path, text: str) -> None:
    file = tmp_path / "image.json"
    file.write_text(text, "utf-8")
    with pytest.raises(VerifyError, match="is not a file of"):
        from_json(file)
