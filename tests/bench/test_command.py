"""The command on a tiny package: its wheels in real venvs, its suite out of a real sdist, its own clock."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from spokeshave.bench import read_json
from spokeshave.cli import main
from spokeshave.inside.model import Target, file_sha256
from spokeshave.inside.wheel import TESTS_ARCHIVE, beside
from support import demo_files, shipped_plan, wait_until, write_wheel

# The clock ticks as fast as the wheel says, so that the ratio does not depend on the machine.
SUITE = """
import time
import demo
import demo._helper

spent = 0.0

def clock():
    return spent

class Work:
    timer = staticmethod(clock)
    params = [[1, 2]]
    param_names = ["units"]

    def setup(self, units):
        pass

    def time_it(self, units):
        global spent
        spent += units * demo.cost / 1000

def time_for_ever():
    time.sleep(0.2)

time_for_ever.number = 1
"""
RECIPE = """
schema = 1
name = "demo"
distribution = "demo"
import-name = "demo"
summary = "A wheel to compare"
license = "MIT"

[[versions]]
version = "1.0"
source = { pypi = "demo", sha256 = "SDIST" }
stock = { TARGET = "STOCK" }

[build]
backend = "meson-python"
requires = "requirements.txt"
upstream-level = "O3"
level = "O2"

[verify]
requires = "requirements.txt"
smoke = ["demo"]
"""
PROFILE = 'schema = 1\nname = "NAME"\nsummary = "as it is"\n\n[levers]\ntests = true\n'
HERE = Target(python=f"cp{sys.version_info[0]}{sys.version_info[1]}")
Bench = Callable[..., Result]


def sdist(path: Path, files: dict[str, str]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"demo-1.0/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return path


def write_recipes(folder: Path, source: Path, stock: Path) -> None:
    (folder / "demo").mkdir(parents=True)
    (folder / "profiles").mkdir()
    text = RECIPE.replace("SDIST", file_sha256(source)).replace("STOCK", file_sha256(stock))
    (folder / "demo" / "recipe.toml").write_text(text.replace("TARGET", HERE.identifier))
    (folder / "demo" / "requirements.txt").write_text("")
    for name in ("swift", "slow"):
        (folder / "profiles" / f"{name}.toml").write_text(PROFILE.replace("NAME", name))


def wheel(folder: Path, version: str, cost: int, **helpers: bytes) -> Path:
    more = {f"demo/{name}.py": text for name, text in helpers.items()}
    files = {**demo_files(version=version), "demo/__init__.py": f"cost = {cost}\n".encode(), **more}
    return write_wheel(folder / f"demo-{version}-py3-none-any.whl", files)


def deliver(recipes: Path, folder: Path, profile: str, cost: int) -> None:
    """A wheel of ours with the record of a build beside it, and what the build set aside with the tests."""
    path = wheel(folder, f"1.0+{profile}.1", cost)
    tests = beside(path, TESTS_ARCHIVE)
    with zipfile.ZipFile(tests, "w") as archive:
        archive.writestr("demo/_helper.py", "")
    plan = shipped_plan("demo", profile, recipes=recipes)
    record = {
        **{"plan": plan.digest, "wheel": {"sha256": file_sha256(path)}},
        **{"build_plan": plan.to_json(), "levers": []},
        "tests": {"name": tests.name, "sha256": file_sha256(tests)},
    }
    beside(path, ".record.json").write_text(json.dumps(record))


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command with the recipes of a package whose wheels take 3 and 6 where stock takes 2."""
    (tmp_path / "links").mkdir()
    suite = {"benchmarks/benchmarks/__init__.py": "", "benchmarks/benchmarks/bench_demo.py": SUITE}
    source = sdist(tmp_path / "links" / "demo-1.0.tar.gz", {"PKG-INFO": "", **suite})
    write_recipes(tmp_path / "recipes", source, wheel(tmp_path / "links", "1.0", 2, _helper=b""))
    deliver(tmp_path / "recipes", tmp_path / "wheelhouse", "swift", 3)
    deliver(tmp_path / "recipes", tmp_path / "wheelhouse", "slow", 6)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "links"))
    folders = ["--recipes", str(tmp_path / "recipes"), "--cache", str(tmp_path / "cache")]
    return [*folders, "bench", "demo", "--python", HERE.python]


@pytest.fixture
def bench(words: list[str]) -> Iterator[Bench]:
    before = signal.getsignal(signal.SIGTERM)
    yield lambda *more: CliRunner().invoke(main, [*words, *more], catch_exceptions=False)
    signal.signal(signal.SIGTERM, before)


def test_bench_compares_with_the_pypi_wheel(bench: Bench) -> None:
    done = bench("--profile", "swift", "--filter", "Work", "--json", "--picture", "speed.svg")
    assert done.exit_code == 0, done.output
    (told,) = json.loads(done.stdout)
    assert [row["ratio"] for row in told["cases"]] == pytest.approx([1.5, 1.5])
    assert told["differs"] == ["demo 1.0+swift.1 / 1.0"]
    assert told["suite"] == "upstream's suite of demo 1.0"
    assert told["repeating"]["1.15"] == [row["case"] for row in told["cases"]]
    assert told["file"] == "wheelhouse/bench-demo-swift-only-Work-104ab9.json"
    assert len(read_json(Path(told["file"])).results) == 2
    assert not list(Path("wheelhouse").glob("*.jsonl"))
    assert "geometric mean 1.500" in Path("speed.svg").read_text()


def test_bench_exhaustive_lists_what_repeats(bench: Bench) -> None:
    words = ("--profile", "swift", "--filter", "Work", "--exhaustive")
    done = bench(*words, "--json")
    assert done.exit_code == 0, done.output
    (told,) = json.loads(done.stdout)
    found = told["exhaustive"]
    assert (found["cases"], found["not_remeasured"], found["share_repeating"]) == (2, 0, 1.0)
    assert {row["name"] for row in found["repeating"]} == {"Work.time_it (1)", "Work.time_it (2)"}
    assert all(row["pairs"] == pytest.approx([1.5] * 3) for row in found["repeating"])
    assert told["file"].startswith("wheelhouse/bench-demo-swift-exhaustive-only-Work-")
    shown = bench("--from", told["file"])
    assert "2 (100.0% of all cases)" in shown.stdout and "Work.time_it (2)" in shown.stdout


def test_bench_against_another_profile(bench: Bench) -> None:
    done = bench("--profile", "slow", "--against", "swift", "--filter", "Work", "--output", "out")
    assert done.exit_code == 0, done.output
    report = read_json(Path("out", "bench-demo-slow-against-swift-only-Work-104ab9.json"))
    assert [result.ratio for result in report.results] == pytest.approx([2.0, 2.0])


@pytest.mark.parametrize("name", ["pypi", "stock"])
def test_bench_pypi_wheels_twice_have_either_name(bench: Bench, name: str) -> None:
    done = bench("--profile", name, "--against", name, "--imports", "--json")
    assert done.exit_code == 0, done.output
    (told,) = json.loads(done.stdout)
    assert [row["module"] for row in told["imports"]] == ["demo"]
    assert (told["cases"], told["differs"], told["file"]) == ([], [], "wheelhouse/imports-demo-stock.json")


def test_ctrl_c_keeps_what_was_measured(words: list[str], tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "spokeshave", *words, "--profile", "swift"]
    journal = tmp_path / "wheelhouse" / "bench-demo-swift.jsonl"
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_until("a first case", lambda: journal.is_file() and journal.read_bytes().count(b"\n") > 1, 300)
        process.send_signal(signal.SIGINT)
        told, complaint = process.communicate(timeout=120)
    assert process.returncode == 130, complaint
    assert "geometric mean" in told
    assert "interrupted: " in complaint
    report = read_json(tmp_path / "wheelhouse" / "bench-demo-swift-interrupted.json")
    assert report.interrupted
    assert not (tmp_path / "wheelhouse" / "bench-demo-swift.json").exists(), "which a complete run would make"
    assert 0 < len(report.results) <= report.header.planned
    assert not list((tmp_path / "cache" / "tmp").iterdir())


def test_a_side_that_is_not_there(bench: Bench) -> None:
    done = bench("--profile", "swift", "--against", "swfit")
    assert done.exit_code == 42
    assert "did you mean 'swift'" in done.output
    assert bench("--profile", "swift", "--against", "links").exit_code == 41, "no wheel of swift there"
