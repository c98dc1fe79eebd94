"""Slim wheels as `verify` takes them; pip searches a folder for the PyPI wheels instead of an index."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from spokeshave.build.wheelhouse import Candidate, stock_pins
from spokeshave.cli import main
from spokeshave.context import Context
from spokeshave.errors import WheelError
from spokeshave.inside.model import Target, file_sha256
from spokeshave.inside.wheel import beside
from spokeshave.slim.candidates import candidates_of, faults_of_pypi, is_slim
from spokeshave.slim.model import Settings
from spokeshave.slim.slimming import SlimRequest, slim_all
from spokeshave.verify.paired_run import PairedRun
from support import RECIPES, demo_files, make_context, needs_compiler, write_wheel

TAG = "cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64"
LEVERS = ("tests", "test-modules", "typing", "docstrings", "symbols")
FILES = {
    "numpy/tests/test_it.py": b"#" * 90_000,
    "numpy/testing/__init__.py": b'"""Text."""\n',
    "numpy/f2py/__init__.py": b'"""Text."""\n',
    "numpy.libs/libdemo-1a.so": b"",
}
LICENCE = "licenses/LICENSE.txt"


@dataclass(frozen=True, kw_only=True)
class House:
    """Makes PyPI's wheels in a folder that pip searches, and slims them."""

    context: Context
    index: Path
    output: Path

    def stock(self, project: str, version: str, files: dict[str, bytes] | None = None) -> Path:
        more = {f"{project}-{version}.dist-info/{LICENCE}": b"Free.\n", **(files or {})}
        path = self.index / f"{project}-{version}-{TAG}.whl"
        return write_wheel(path, {**demo_files(project, version), **more})

    def slim(self, stock: Path) -> Path:
        request = SlimRequest(
            words=(str(stock),),
            target=Target(),
            settings=Settings(levers=LEVERS),
            output=self.output,
            check=False,
        )
        (outcome,) = slim_all(self.context, request)
        return outcome.slimmed.wheel

    def candidate(self, *wheels: Path) -> Candidate:
        return candidates_of(self.context, wheels)[0]


def rewrite(wheel: Path, **rows: object) -> None:
    """Has the record of a slim wheel say more than `slim` does for a wheel of these tests."""
    record = beside(wheel, ".slim.json")
    data = json.loads(record.read_text("utf-8"))
    record.write_text(json.dumps({**data, **rows}), "utf-8")


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    for name in ("index", "logs", "output"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    context = make_context(tmp_path, logs=tmp_path / "logs")
    return House(context=context, index=tmp_path / "index", output=tmp_path / "output")


@pytest.mark.parametrize("version", ["2.4.6", "2.3.0"])
def test_slim_wheel_is_compared_with_the_pypi_wheel_that_it_was_made_of(house: House, version: str) -> None:
    """Also if the recipe pins another wheel of that version, or does not list the version."""
    stock = house.stock("numpy", version, FILES)
    wheel = house.slim(stock)
    found = house.candidate(wheel)
    assert is_slim(found)
    assert found.plan.local_version == f"{version}+slim.1"
    assert [(pin.version, pin.sha256) for pin in stock_pins(found)] == [(version, file_sha256(stock))]
    assert found.own.sha256 == file_sha256(wheel)
    assert found.own.tests == beside(wheel, ".tests.archive")


def test_slim_wheel_has_the_skips_of_levers_that_acted(house: House) -> None:
    found = house.candidate(house.slim(house.stock("numpy", "2.4.6", FILES)))
    skips = PairedRun(context=house.context, candidate=found, level="full").skips()
    assert {skip.lever for skip in skips} == {"docstrings", None}  # `typing` found nothing to remove
    assert {skip.blas_integers for skip in skips} == {None, "lp64"}  # no module calls names with `64_`


def test_slim_wheel_has_the_removed_components_of_its_record(house: House) -> None:
    """Those that have a row: a component whose patch does not fit is kept, and has none."""
    wheel = house.slim(house.stock("numpy", "2.4.6", FILES))
    assert house.candidate(wheel).plan.removed == ()
    levers = [{"name": "component f2py", "files": 3}, {"name": "recipe", "files": 0}]
    rewrite(wheel, levers=levers)
    found = house.candidate(wheel)
    assert [part.component for part in found.plan.removed] == ["f2py"]
    assert PairedRun(context=house.context, candidate=found, level="full").removed()["numpy/f2py/"] == "f2py"


def test_rows_on_files_hold_where_they_hold_for_pypi_too(house: House) -> None:
    """Not for the loader of a compiled wheel, nor against libraries that PyPI's wheel brings along."""
    verify = house.candidate(house.slim(house.stock("numpy", "2.4.6", FILES))).loaded.recipe.verify
    assert set(verify.present) == {
        "numpy/testing/__init__.py",
        "numpy/f2py/__init__.py",
        f"*.dist-info/{LICENCE}",
    }
    assert "*/tests/*" in verify.absent
    assert "numpy.libs/*" not in verify.absent


def test_wheel_of_a_package_without_a_recipe_is_refused(house: House) -> None:
    wheel = house.slim(house.stock("demo", "1.0", {"demo/tests/test_it.py": b"#" * 90_000}))
    with pytest.raises(WheelError, match="no recipe says which tests of demo to run") as caught:
        house.candidate(wheel)
    assert "slim demo --tests" in caught.value.next_step


def test_changed_wheel_is_refused(house: House) -> None:
    wheel = house.slim(house.stock("numpy", "2.4.6", FILES))
    wheel.write_bytes(wheel.read_bytes() + b"\0")
    with pytest.raises(WheelError, match="sha256 differs"):
        house.candidate(wheel)


@pytest.mark.parametrize("text", [None, b"other"])
def test_lost_or_other_tests_archive_is_refused(house: House, text: bytes | None) -> None:
    wheel = house.slim(house.stock("numpy", "2.4.6", FILES))
    archive = beside(wheel, ".tests.archive")
    archive.unlink() if text is None else archive.write_bytes(text)
    with pytest.raises(WheelError, match="the tests archive of numpy"):
        house.candidate(wheel)


def test_record_of_an_earlier_version_is_refused(house: House) -> None:
    wheel = house.slim(house.stock("numpy", "2.4.6", FILES))
    record = beside(wheel, ".slim.json")
    data = json.loads(record.read_text("utf-8"))
    del data["tests"]
    record.write_text(json.dumps(data), "utf-8")
    with pytest.raises(WheelError, match=r"slim\.json is of another version of spokeshave"):
        house.candidate(wheel)


def test_stack_is_slim_too(house: House) -> None:
    scipy = house.slim(house.stock("scipy", "1.17.1", {"scipy/linalg/tests/test_it.py": b"#" * 90_000}))
    with pytest.raises(WheelError, match="verified with a slim wheel of numpy") as caught:
        house.candidate(scipy)
    assert "spokeshave slim numpy" in caught.value.next_step
    numpy = house.slim(house.stock("numpy", "2.4.6", FILES))
    found = house.candidate(scipy)
    assert found.wheels == (numpy, scipy)
    assert [one.recipe.name for one in found.stack] == ["numpy"]


def test_required_library_is_installed_with_the_wheel(house: House) -> None:
    """One that pip fetched from an index has no record of `build`."""
    wheel = house.slim(house.stock("numpy", "2.4.6", FILES))
    rewrite(wheel, requires=["slim-openblas==0.3.31+lean.1"])
    with pytest.raises(WheelError, match=r"needs slim-openblas 0\.3\.31\+lean\.1"):
        house.candidate(wheel)
    name = "slim_openblas-0.3.31+lean.1-py3-none-manylinux_2_27_x86_64.whl"
    library = write_wheel(house.output / name, demo_files("slim_openblas", "0.3.31+lean.1"))
    found = house.candidate(wheel)
    assert found.wheels == (library, wheel)
    assert found.plan.libraries == {"slim-openblas": "0.3.31+lean.1"}
    assert found.companion_plans[0].recipe == "openblas"


def compiled(folder: Path) -> bytes:
    """A module that calls what it does not name, as CPython's own symbols of libm: `nextafter`."""
    source, target = folder / "core.c", folder / "core.so"
    source.write_text("double nextafter(double, double); double up(double x) { return nextafter(x, 2); }")
    words = ("-shared", "-fPIC", "-fno-builtin", "-nostdlib")
    subprocess.run(["gcc", *words, "-o", target, source], check=True)
    return target.read_bytes()


@needs_compiler
def test_faults_of_pypi_s_compiled_files_are_no_loss(house: House, tmp_path: Path) -> None:
    core = "numpy/_core.cpython-311-x86_64-linux-gnu.so"
    wheel = house.slim(house.stock("numpy", "2.4.6", {**FILES, core: compiled(tmp_path)}))
    faults = faults_of_pypi(house.context, house.candidate(wheel))
    assert f"{core} calls nextafter, which no library it needs exports" in faults
    assert not [fault for fault in faults if "tests" in fault], "faults of files alone are the wheel's own"


def test_records_are_for_built_wheels(house: House, tmp_path: Path) -> None:
    wheel = house.slim(house.stock("numpy", "2.4.6", FILES))
    words = ["--store", str(tmp_path / "cache"), "--recipes", str(RECIPES), "verify", str(wheel)]
    done = CliRunner().invoke(main, [*words, "--record", str(tmp_path / "records")])
    assert done.exit_code == 2
    assert "--record is for wheels of `build`" in done.output
