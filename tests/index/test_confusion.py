"""No wheel but ours gets in with the kinds of commands that the docs give, whatever a second index offers.

The second index stands for a public one: it has higher versions of our names, a name of ours that nobody had
taken there, and files under our very names. Each kind of configuration is also shown to fail unguarded.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexing import Installer, Tools
from releases import BLAS, NUMPY, make_stack, make_wheel
from spokeshave.publish import lock
from spokeshave.publish.folder import IndexFolder
from spokeshave.publish.release import gather

pytestmark = pytest.mark.network
OURS = {f"numpy=={NUMPY}": "ours", f"slim_openblas=={BLAS}": "ours"}
WITH_APP = {"app==1.0": "app", **OURS}


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """Two indexes and our locks."""

    ours: str
    public: str
    constraints: str
    pins: str
    pylock: str


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    root = tmp_path_factory.mktemp("confusion")
    releases = gather(make_stack(root / "wheels"))
    _index(root / "ours", root / "wheels")
    place = lambda one: {"path": f"../ours/simple/{one.project}/{one.filename}"}  # noqa: E731
    constraints, pins, pylock = lock.write(root / "locks", releases, place)
    squatted = root / "squatted"
    make_stack(squatted, value="evil")
    make_wheel(squatted, "numpy", "99.0", value="evil")
    make_wheel(squatted, "slim_openblas", "99.0", value="evil")
    make_wheel(squatted, "app", "1.0", headers=("Requires-Dist: numpy>=2",), value="app")
    make_wheel(squatted, "greedy", "1.0", headers=("Requires-Dist: numpy>=50",), value="app")
    _index(root / "public", squatted)
    return World(
        ours=(root / "ours" / "simple").as_uri() + "/",
        public=(root / "public" / "simple").as_uri() + "/",
        constraints=str(constraints),
        pins=str(pins),
        pylock=str(pylock),
    )


def _index(folder: Path, wheels: Path) -> None:
    IndexFolder(root=folder, say=print).add(gather([wheels]), datetime.now(UTC))


@pytest.fixture
def pip(tools: Tools, tmp_path: Path) -> Installer:
    return Installer(name="pip", tools=tools, root=tmp_path)


@pytest.fixture
def uv(tools: Tools, tmp_path: Path) -> Installer:
    return Installer(name="uv", tools=tools, root=tmp_path)


def test_pip_in_two_steps(world: World, pip: Installer) -> None:
    """Ours from our index alone, by hash; then the rest from the public one, with ours pinned."""
    ours = ("--no-deps", "--require-hashes", "-r", world.constraints)
    assert pip.install(*ours, index=world.ours).returncode == 0
    done = pip.install(
        "-c", world.pins, "--upgrade", "--upgrade-strategy", "eager", "app", index=world.public
    )
    assert done.returncode == 0, done.stderr
    assert pip.got() == WITH_APP
    done = pip.install("-c", world.pins, "greedy", index=world.public)
    assert done.returncode != 0
    assert "conflict" in done.stderr.lower()
    assert pip.got() == WITH_APP


def test_pip_in_two_steps_without_the_pins_takes_what_is_higher(world: World, pip: Installer) -> None:
    assert (
        pip.install("--no-deps", "--require-hashes", "-r", world.constraints, index=world.ours).returncode
        == 0
    )
    assert pip.install("greedy", index=world.public).returncode == 0
    assert pip.got()["numpy==99.0"] == "evil"


def test_pip_with_both_indexes_and_hashes(world: World, pip: Installer) -> None:
    """A file under our very name and version is no use without our hash, whichever index goes first."""
    for first, second in ((world.public, world.ours), (world.ours, world.public)):
        words = (
            "--extra-index-url",
            second,
            "--force-reinstall",
            "--require-hashes",
            "-r",
            world.constraints,
        )
        done = pip.install(*words, index=first)
        assert done.returncode == 0, done.stderr
        assert pip.got() == OURS


def test_pip_with_both_indexes_alone_takes_what_is_higher(world: World, pip: Installer) -> None:
    assert pip.install("--extra-index-url", world.public, "numpy", index=world.ours).returncode == 0
    assert pip.got() == {"numpy==99.0": "evil"}


def test_hashes_stop_an_index_that_has_only_the_squatted_file(world: World, installer: Installer) -> None:
    done = installer.install("--require-hashes", "-r", world.constraints, index=world.public)
    assert done.returncode != 0
    assert installer.got() == {}


def test_uv_with_our_index_first(world: World, uv: Installer) -> None:
    """uv takes a name from the first index that has it; the constraints add version and hash."""
    done = uv.install("--index", world.ours, "-c", world.constraints, "app", index=world.public)
    assert done.returncode == 0, done.stderr
    assert uv.got() == WITH_APP
    done = uv.install("--index", world.ours, "-c", world.constraints, "greedy", index=world.public)
    assert done.returncode != 0
    assert uv.got() == WITH_APP


def test_uv_that_compares_indexes_takes_what_is_higher(world: World, uv: Installer) -> None:
    words = ("--index-strategy", "unsafe-best-match", "--index", world.ours, "numpy")
    assert uv.install(*words, index=world.public).returncode == 0
    assert uv.got() == {"numpy==99.0": "evil"}


def test_pylock_asks_no_index(world: World, installer: Installer) -> None:
    done = installer.install("-r", world.pylock, index=world.public)
    assert done.returncode == 0, done.stderr
    assert installer.got() == OURS
