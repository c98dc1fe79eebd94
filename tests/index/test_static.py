"""pip and uv install from a static folder, read as files and served by `spokeshave serve`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexing import Installer, serving, spokeshave
from releases import BLAS, NUMPY, make_stack, make_wheel

pytestmark = pytest.mark.network
OURS = {f"numpy=={NUMPY}": "ours", f"slim_openblas=={BLAS}": "ours"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index with the stack and its locks, which name the wheels by path; published by our command."""
    folder = tmp_path_factory.mktemp("static")
    make_stack(folder / "wheels")
    words = (
        "publish",
        str(folder / "wheels"),
        "--to",
        str(folder / "index"),
        "--lock",
        str(folder / "index"),
    )
    done = spokeshave(*words, cache=folder / "cache")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[str]:
    """The address at which `spokeshave serve` serves it."""
    with serving(folder / "index", folder / "serve.log") as address:
        yield address


@pytest.fixture(params=["file", "http"])
def index(request: pytest.FixtureRequest, folder: Path, served: str) -> str:
    return served if request.param == "http" else (folder / "index" / "simple").as_uri() + "/"


@pytest.mark.parametrize("how", ["index", "hashes", "constraints", "pylock"])
def test_the_stack_is_installed(index: str, folder: Path, installer: Installer, how: str) -> None:
    constraints = str(folder / "index" / "constraints.txt")
    words = {
        "index": ("numpy",),
        "hashes": ("--require-hashes", "-r", constraints),
        "constraints": ("-c", constraints, "numpy"),
        "pylock": ("-r", str(folder / "index" / "pylock.toml")),
    }[how]
    done = installer.install(*words, index=index)
    assert done.returncode == 0, done.stderr
    assert installer.got() == OURS


def test_a_locked_wheelhouse_needs_no_index(installer: Installer, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    make_stack(wheels)
    done = spokeshave("publish", str(wheels), "--lock", str(wheels), cache=tmp_path / "cache")
    assert done.returncode == 0, done.stderr
    constraints = str(wheels / "constraints.txt")
    done = installer.install("--no-index", "--find-links", str(wheels), "--require-hashes", "-r", constraints)
    assert done.returncode == 0, done.stderr
    assert installer.got() == OURS
    make_stack(wheels, value="changed")
    done = installer.install(
        "--no-index",
        "--reinstall" if installer.name == "uv" else "--force-reinstall",
        "--find-links",
        str(wheels),
        "--require-hashes",
        "-r",
        constraints,
    )
    assert done.returncode != 0, "the lock's hashes are those of the wheels that were proved"
    assert installer.got() == OURS


@pytest.mark.parametrize("how", ["lock", "label"])
@pytest.mark.parametrize("profile", ["api", "worker"])
def test_two_profiles_lie_in_one_index(installer: Installer, tmp_path: Path, profile: str, how: str) -> None:
    """Each service gets its own by its lock, or by its label."""
    index = tmp_path / "index"
    for name in ("api", "worker"):
        wheel = make_wheel(tmp_path / name, "numpy", f"2.4.6+{name}.1", value=name)
        words = ("publish", str(wheel), "--to", str(index), "--lock", str(tmp_path / name))
        done = spokeshave(*words, cache=tmp_path / "cache")
        assert done.returncode == 0, done.stderr
    lock = str(tmp_path / profile / "constraints.txt")
    wanted = ["--require-hashes", "-r", lock] if how == "lock" else [f"numpy==2.4.6+{profile}.1"]
    done = installer.install(*wanted, index=(index / "simple").as_uri() + "/")
    assert done.returncode == 0, done.stderr
    assert installer.got() == {f"numpy==2.4.6+{profile}.1": profile}


def test_served_metadata_is_read_instead_of_the_wheel(
    folder: Path, served: str, installer: Installer
) -> None:
    """A dry run resolves from the metadata file alone: no wheel is fetched for it."""
    log = folder / "serve.log"
    before = len(log.read_text())
    done = installer.install("--dry-run", "numpy", index=served)
    assert done.returncode == 0, done.stderr
    asked = re.findall(r'"GET (\S+) HTTP', log.read_text()[before:])
    assert [path for path in asked if path.endswith("numpy-2.4.6%2Blean.1-py3-none-any.whl.metadata")]
    if installer.name == "uv":  # pip fetches wheels in a dry run all the same
        assert not [path for path in asked if path.endswith(".whl")]


def test_a_wheel_whose_bytes_changed_is_not_installed(
    folder: Path, installer: Installer, tmp_path: Path
) -> None:
    make_stack(tmp_path / "wheels")
    done = spokeshave("publish", str(tmp_path / "wheels"), "--to", str(tmp_path / "index"), cache=tmp_path)
    assert done.returncode == 0, done.stderr
    (other, _) = make_stack(tmp_path / "other", value="evil")
    place = tmp_path / "index" / "simple" / "numpy" / other.name
    place.write_bytes(other.read_bytes())
    done = installer.install("numpy", index=(tmp_path / "index" / "simple").as_uri() + "/")
    assert done.returncode != 0
    assert "hash" in done.stderr.lower()
    assert installer.got() == {}


def test_a_yanked_version_is_taken_only_when_pinned(installer: Installer, tmp_path: Path) -> None:
    index = tmp_path / "index"
    for version in ("1.0+lean.1", "1.1+lean.1"):
        make_wheel(tmp_path / "wheels", "demo", version, value=version)
    assert spokeshave("publish", str(tmp_path / "wheels"), "--to", str(index), cache=tmp_path).returncode == 0
    words = ("--yank", "demo==1.1+lean.1", "--reason", "wrong BLAS", "--json")
    done = spokeshave("publish", "--to", str(index), *words, cache=tmp_path)
    assert json.loads(done.stdout)["yanked"] == ["demo-1.1+lean.1-py3-none-any.whl"]
    address = (index / "simple").as_uri() + "/"
    assert installer.install("demo", index=address).returncode == 0
    assert installer.got() == {"demo==1.0+lean.1": "1.0+lean.1"}
    pinned = installer.install("--upgrade", "demo==1.1+lean.1", index=address)
    assert pinned.returncode == 0
    assert "wrong BLAS" in pinned.stdout + pinned.stderr


def test_requires_python_is_obeyed(installer: Installer, tmp_path: Path) -> None:
    make_wheel(tmp_path / "wheels", "demo", "1.0+lean.1", value="old")
    make_wheel(tmp_path / "wheels", "demo", "2.0+lean.1", headers=("Requires-Python: >=4",))
    done = spokeshave("publish", str(tmp_path / "wheels"), "--to", str(tmp_path / "index"), cache=tmp_path)
    assert done.returncode == 0, done.stderr
    assert installer.install("demo", index=(tmp_path / "index" / "simple").as_uri() + "/").returncode == 0
    assert installer.got() == {"demo==1.0+lean.1": "old"}
