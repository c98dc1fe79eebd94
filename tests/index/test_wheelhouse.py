"""pip and uv install the stack without pins from a wheelhouse that has everything in it that we write."""

from __future__ import annotations

import contextlib
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexing import Installer, Tools, free_port, running, spokeshave, wait_for
from releases import make_wheel
from spokeshave.inside.wheel import TESTS_ARCHIVE, beside
from support import ROOT

pytestmark = pytest.mark.network
STACK = {"slim_openblas": "0.3.31", "numpy": "2.4.6", "scipy": "1.17.1", "pandas": "3.1.1"}
OLD = ".tests.zip"


def endings() -> set[str]:
    """Every ending that our code writes next to a wheel, read from the calls of `beside`."""
    text = "\n".join(path.read_text("utf-8") for path in (ROOT / "builder").rglob("*.py"))
    return {TESTS_ARCHIVE, *re.findall(r'\bbeside\([^()]*(?:\([^()]*\))?[^()]*"(\.[\w.]+)"\)', text)}


def fill(folder: Path, profile: str, packages: tuple[str, ...] = tuple(STACK)) -> None:
    """The stack in one profile: scipy and numpy pin the BLAS of their own."""
    for name in packages:
        blas = f"Requires-Dist: slim-openblas==0.3.31+{profile}.1"
        headers = {"numpy": (blas,), "scipy": (blas, "Requires-Dist: numpy>=1.26")}
        headers["pandas"] = ("Requires-Dist: numpy>=1.26",)
        label = f"{STACK[name]}+{profile}.1"
        wheel = make_wheel(folder, name, label, headers=headers.get(name, ()), value=profile)
        for ending in endings():
            if not (other := beside(wheel, ending)).exists():
                with zipfile.ZipFile(other, "w") as archive:
                    archive.writestr(f"{name}/tests/test_it.py", "")


def lock(folder: Path, profile: str) -> None:
    """Our locks, next to the wheels too."""
    wheels = [str(path) for path in folder.glob(f"*+{profile}*.whl")]
    done = spokeshave("publish", *wheels, "--lock", str(folder), cache=folder.parent / "cache")
    assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def listed(folder: Path) -> Iterator[str]:
    """The address of the folder on a web server that lists its files."""
    port, log = free_port(), folder.parent / "http.log"
    argv = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(folder)]
    with running(argv, log) as process:
        wait_for(process, port, log)
        yield f"http://127.0.0.1:{port}/"


@pytest.fixture(params=["folder", "listing"])
def links(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """What `--find-links` names: the wheelhouse, or its listing on a web server."""
    house = tmp_path / "wheelhouse"
    house.mkdir()
    if request.param == "folder":
        yield str(house)
    else:
        with listed(house) as address:
            yield address


@pytest.fixture(params=["pip", "bundled pip", "uv"])
def installer(request: pytest.FixtureRequest, tools: Tools, tmp_path: Path) -> Installer:
    return Installer(name=request.param, tools=tools, root=tmp_path)


def test_endings_are_those_that_build_verify_and_slim_write() -> None:
    assert {".record.json", ".verify.json", ".slim.json", TESTS_ARCHIVE} <= endings()


def test_wheelhouse_without_pins_is_installed(installer: Installer, links: str, tmp_path: Path) -> None:
    fill(tmp_path / "wheelhouse", "lean")
    lock(tmp_path / "wheelhouse", "lean")
    done = installer.install("--no-index", "--find-links", links, "scipy", "pandas")
    assert done.returncode == 0, done.stdout + done.stderr
    assert installer.got() == {f"{name}=={version}+lean.1": "lean" for name, version in STACK.items()}


def test_wheelhouse_two_profiles_without_pins_gives_one_of_them(
    installer: Installer, links: str, tmp_path: Path
) -> None:
    for profile in ("lean", "sklearn"):
        fill(tmp_path / "wheelhouse", profile)
    done = installer.install("--no-index", "--find-links", links, "scipy", "pandas")
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(installer.got().values()) == {"sklearn"}


def test_wheelhouse_second_profile_in_part_gives_one_blas(
    installer: Installer, links: str, tmp_path: Path
) -> None:
    """scipy is there in one profile alone and pins its BLAS: numpy must then be of the same profile."""
    fill(tmp_path / "wheelhouse", "lean")
    fill(tmp_path / "wheelhouse", "sklearn", ("slim_openblas", "numpy"))
    done = installer.install("--no-index", "--find-links", links, "scipy", "pandas")
    assert done.returncode == 0, done.stdout + done.stderr
    assert installer.got() == {f"{name}=={version}+lean.1": "lean" for name, version in STACK.items()}


def test_wheelhouse_two_profiles_with_a_pin_gives_that_one(
    installer: Installer, links: str, tmp_path: Path
) -> None:
    for profile in ("lean", "sklearn"):
        fill(tmp_path / "wheelhouse", profile)
    pins = [f"{name}=={version}+lean.1" for name, version in STACK.items()]
    done = installer.install("--no-index", "--find-links", links, *pins)
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(installer.got().values()) == {"lean"}


@pytest.mark.parametrize("name", ["pip", "bundled pip"])
def test_wheelhouse_old_name_is_taken_for_an_sdist(tools: Tools, tmp_path: Path, name: str) -> None:
    """The fault that the new name mends: pip takes the archive for a newer sdist."""
    installer = Installer(name=name, tools=tools, root=tmp_path)
    house = tmp_path / "wheelhouse"
    fill(house, "lean", ("slim_openblas",))
    wheel = next(house.glob("*.whl"))
    beside(wheel, TESTS_ARCHIVE).rename(beside(wheel, OLD))
    with listed(house) as address:
        done = installer.install("--no-index", "--find-links", address, "slim-openblas")
    assert done.returncode != 0
    assert "does not appear to be a Python project" in done.stderr


def test_wheelhouse_package_server_lists_wheels_alone(tools: Tools, tmp_path: Path) -> None:
    house, port, log = tmp_path / "wheelhouse", free_port(), tmp_path / "server.log"
    fill(house, "lean")
    argv = [tools.program("pypi-server"), "run", "-i", "127.0.0.1", "-p", str(port), "--disable-fallback"]
    with running([*argv, str(house)], log) as process:
        wait_for(process, port, log)
        installer = Installer(name="pip", tools=tools, root=tmp_path)
        done = installer.install("scipy", "pandas", index=f"http://127.0.0.1:{port}/simple/")
    assert done.returncode == 0, done.stderr
    assert len(installer.got()) == len(STACK)
