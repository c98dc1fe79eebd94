"""Slim wheels are made once by key, in other processes; one that gets no smaller is PyPI's own."""

from __future__ import annotations

import io
from pathlib import Path

from spokeshave.inside.model import file_sha256
from spokeshave.recipes.rule_schema import RuleTable
from spokeshave.shrink.model import Chosen, Pick
from spokeshave.shrink.tiers import slim_all_wheels
from spokeshave.slim.make_wheel import Known
from spokeshave.slim.model import Settings, Stock
from spokeshave.slim.rules import Chosen as Rules
from support import demo_files, make_context, write_wheel


def pick_of(path: Path) -> Pick:
    from packaging.utils import parse_wheel_filename

    project, version, _, _ = parse_wheel_filename(path.name)
    return Pick(project=project, version=version, filename=path.name, sha256=file_sha256(path), path=path)


def run(
    tmp_path: Path, *wheels: Path, settings: Settings | None = None, **more: object
) -> tuple[tuple[Chosen, ...], str]:
    said = io.StringIO()
    found = slim_all_wheels(
        make_context(tmp_path, said=said),
        {pick_of(path): path for path in wheels},
        settings=settings or Settings(),
        **more,  # type: ignore[arg-type]
    )
    return found, said.getvalue()


def test_slim_all_wheels_smaller_and_equal_ones_are_told_apart_and_kept(tmp_path: Path) -> None:
    large = write_wheel(
        tmp_path / "large-1.0-py3-none-any.whl", {**demo_files("large"), "large/core.pyx": b"x" * 9_000}
    )
    small = write_wheel(tmp_path / "small-1.0-py3-none-any.whl", demo_files("small"))
    (first, second), said = run(tmp_path, large, small)
    assert "slimming 2 wheels on 2 CPUs" in said
    assert (first.tier, first.changed, first.why) == ("slim", True, "sources 0.01")
    assert first.after < first.before
    assert (second.tier, second.changed, second.wheel) == ("as it is", False, small)
    again, said = run(tmp_path, large, small)
    assert (again, said) == ((first, second), ""), "nothing is slimmed twice"
    _, said = run(tmp_path, large, settings=Settings(keep=("*.pyx",)))
    assert "slimming 1 wheels" in said, "other settings make another wheel"


def test_slim_all_wheels_refused_wheel_is_used_as_it_is_with_the_reason(tmp_path: Path) -> None:
    files = {**demo_files(), "demo-1.0.dist-info/RECORD.jws": b"{}", "demo/core.pyx": b"x" * 99}
    ((one,), _) = run(tmp_path, write_wheel(tmp_path / "demo-1.0-py3-none-any.whl", files))
    assert (one.tier, one.changed) == ("as it is", False)
    assert one.why.startswith("RECORD is signed")


def rules_of_demo(stock: Stock) -> Known:
    row = {"name": "c", "remove": ["*.c"], "reason": "nobody reads it", "test": "check", "saved": 0}
    rows = (RuleTable.model_validate(row),) if stock.project == "demo" else ()
    return Known(rules=Rules(stock=stock, rows=rows))


def test_slim_all_wheels_tier_says_what_was_known_of_a_wheel(tmp_path: Path) -> None:
    wheels = [
        write_wheel(
            tmp_path / f"{name}-1.0-py3-none-any.whl",
            {**demo_files(name), f"{name}/c.pyx": b"x" * 9_000, f"{name}/d.c": b"x"},
        )
        for name in ("demo", "other")
    ]
    found, _ = run(tmp_path, *wheels, know=rules_of_demo)
    assert [one.tier for one in found] == ["rules", "slim"]
    _, said = run(tmp_path, *wheels, know=rules_of_demo)
    assert said == ""
    _, said = run(tmp_path, *wheels)
    assert "slimming 2 wheels" in said, "with other rules it is another wheel"
    _, said = run(tmp_path, *wheels, know=rules_of_demo, library="1")
    assert "slimming 2 wheels" in said, "with another library too"
