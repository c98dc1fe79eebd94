"""`spokeshave train` on a small project: counted in a real build, and a build that is told the counters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from smallproject import Run, Small, ready_small
from spokeshave.inside.model import file_sha256

pytestmark = pytest.mark.docker
BENCHMARKS = {
    "benchmarks/__init__.py": "",
    "benchmarks/bench_core.py": (
        "from shaveling import grow\n\n\n"
        "class Grow:\n    params = [0.5, 1.5, 2.5]\n\n"
        "    def time_grow(self, x):\n        grow(x)\n"
    ),
}
TRAINING = """
[training]
variable = "SHAVELING_WITHOUT"
dispatch = ["", "FAST"]
tests = ["shaveling/tests/test_core.py"]
"""
REACHING = """
[training]
reach = ["shaveling/tests/test_core.py"]
unreached = "small"
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    made = ready_small(tmp_path_factory, "training", engine="docker", changes=BENCHMARKS)
    add(made, TRAINING)
    return made


def add(small: Small, text: str) -> None:
    recipe = small.folder / "recipes" / "shaveling" / "recipe.toml"
    recipe.write_text(recipe.read_text() + text)


@pytest.fixture(scope="module")
def untrained(small: Small) -> Run:
    return small.build()


@pytest.fixture(scope="module")
def bundle(small: Small, untrained: Run) -> dict[str, Any]:
    assert untrained.code == 0, untrained.stderr
    run = small.start("train", "shaveling", "--profile", "tiny", "--seconds", "2", "--json").end()
    assert run.code == 0, run.stderr
    return dict(json.loads(run.stdout))


@pytest.fixture(scope="module")
def trained(small: Small, bundle: dict[str, Any]) -> Run:
    add(small, f'\n[[training.bundles]]\nfile = "training/tiny.tar.xz"\nsha256 = "{bundle["sha256"]}"\n')
    return small.build()


def test_the_bundle_lies_beside_the_recipe(small: Small, bundle: dict[str, Any]) -> None:
    path = Path(bundle["file"])
    assert path == small.folder / "recipes" / "shaveling" / "training" / "tiny.tar.xz"
    assert file_sha256(path) == bundle["sha256"]


def test_every_dispatch_level_did_the_work(bundle: dict[str, Any]) -> None:
    assert [row["dispatch"] for row in bundle["work"]] == ["", "FAST"]
    assert all((row["cases"], row["failed"]) == (3, 0) for row in bundle["work"])


def test_what_ran_was_counted(bundle: dict[str, Any]) -> None:
    """Of core.c ran both functions, of cold.c its only one; helper.c was loaded by a test."""
    assert bundle["files"] == 3
    assert bundle["functions"] == bundle["ran"] == 4


def test_a_build_takes_the_bundle_and_says_so(untrained: Run, trained: Run) -> None:
    assert "with the PGO profile training/tiny.tar.xz (4 of 4 functions)" in trained.stderr
    assert trained.built["digest"] != untrained.built["digest"]


def test_the_same_bundle_gives_the_same_bytes(small: Small, trained: Run) -> None:
    before = file_sha256(Path(trained.built["wheel"]))
    assert small.start("clean", "--all").end().code == 0
    assert file_sha256(Path(small.build().built["wheel"])) == before


def test_a_bundle_that_does_not_fit_is_passed_over(small: Small, trained: Run) -> None:
    assert trained.code == 0
    small.write({**BENCHMARKS, "src/cold.c": "int cold_is_small(void) { return 2; }\n"})
    sha256 = file_sha256(small.folder / "recipes" / "shaveling" / "training" / "tiny.tar.xz")
    row = f'\n[[training.bundles]]\nfile = "training/tiny.tar.xz"\nsha256 = "{sha256}"\n'
    add(small, TRAINING + row)
    run = small.build()
    assert run.code == 0, run.stderr
    assert "without a PGO profile: none fits" in run.stderr


def test_a_bundle_that_is_not_the_pinned_one_is_refused(small: Small, trained: Run) -> None:
    assert trained.code == 0
    small.write(BENCHMARKS)
    add(small, f'{TRAINING}\n[[training.bundles]]\nfile = "training/tiny.tar.xz"\nsha256 = "{"0" * 64}"\n')
    run = small.build()
    assert run.code == 3
    made = small.folder / "recipes" / "shaveling" / "training" / "tiny.tar.xz"
    assert f"its sha256 is {file_sha256(made)}, not the pinned one" in run.stderr


def test_tests_may_tell_what_is_reached_alone(small: Small, trained: Run) -> None:
    """What the tests alone ran is told nothing: that is the function of helper.c."""
    assert trained.code == 0
    small.write(BENCHMARKS)
    add(small, REACHING)
    run = small.start("train", "shaveling", "--profile", "tiny", "--seconds", "2", "--json").end()
    assert run.code == 0, run.stderr
    made = json.loads(run.stdout)
    assert (made["files"], made["functions"], made["ran"], made["tested"]) == (2, 3, 3, 1)
    assert made["reach"] == ["shaveling/tests/test_core.py"]
    add(small, f'\n[[training.bundles]]\nfile = "training/tiny.tar.xz"\nsha256 = "{made["sha256"]}"\n')
    built = small.build()
    assert built.code == 0, built.stderr
    assert "with the PGO profile training/tiny.tar.xz (3 of 3 functions)" in built.stderr
    before, hits = file_sha256(Path(built.built["wheel"])), small.object_hits()
    small.forget_builds()
    again = small.build()
    assert "compiling shaveling" in again.stderr
    assert small.object_hits() - hits >= 3, "object files of core.c, cold.c and helper.c are taken again"
    assert file_sha256(Path(again.built["wheel"])) == before


def test_a_recipe_without_training_is_told(small: Small, trained: Run) -> None:
    assert trained.code == 0
    small.write(BENCHMARKS)
    run = small.start("train", "shaveling", "--profile", "tiny").end()
    assert run.code == 45
    assert "add a table `[training]`" in run.stderr
