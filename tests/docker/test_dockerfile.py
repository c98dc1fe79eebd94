"""The Dockerfile for users, with an index in its folder, with wheels alone, and with a served index."""

from __future__ import annotations

import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexing import serving, spokeshave
from releases import make_stack, make_wheel, write_proof
from spokeshave.build.images.local import local_image
from support import ROOT, TARGET, demo_files, docker_fault, write_wheel

pytestmark = pytest.mark.docker
WHAT = """
import glob, os, numpy, slim_openblas, bookgen
print(numpy.value, slim_openblas.value, bookgen.value)
print(len(glob.glob("/srv/venv/lib/*/site-packages/numpy/__pycache__/*")), os.getuid())
wheels = glob.glob("/wheels")
pips = glob.glob("/srv/venv/bin/pip*") + glob.glob("/srv/venv/lib/*/*/pip*")
print(wheels + pips)
"""


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    """An image with Debian's Python, as `verify` runs wheels in. Removes what build stages leave."""
    if fault := docker_fault():
        pytest.skip(fault)
    before = untagged()
    reference = local_image("run", TARGET).reference
    if not docker_output("images", "--quiet", reference):
        argv = [sys.executable, "-m", "spokeshave", "--image", "local", "image", "build", "run"]
        subprocess.run(argv, check=True)
    yield reference
    for identity in untagged() - before:
        subprocess.run(["docker", "image", "rm", identity], capture_output=True, check=False)


def docker_output(*words: str) -> list[str]:
    return subprocess.check_output(["docker", *words], text=True).split()


def untagged() -> set[str]:
    return set(docker_output("images", "--quiet", "--no-trunc", "--filter", "dangling=true"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What the Dockerfile says goes into its folder: an index with its lock, and a service."""
    make_stack(tmp_path / "built")
    wheels = str(tmp_path / "image" / "wheels")
    done = spokeshave(
        "publish", str(tmp_path / "built"), "--to", wheels, "--lock", wheels, cache=tmp_path / "cache"
    )
    assert done.returncode == 0, done.stderr
    shutil.copy(ROOT / "ci" / "image" / "Dockerfile", tmp_path / "image")
    (tmp_path / "image" / "bookgen").mkdir()
    (tmp_path / "image" / "bookgen" / "__init__.py").write_text("value = 'service'\n")
    return tmp_path / "image"


@pytest.fixture
def tag() -> Iterator[str]:
    name = f"spokeshave-test-dockerfile:{uuid.uuid4().hex[:12]}"
    yield name
    subprocess.run(["docker", "image", "rm", "--force", name], stdout=subprocess.DEVNULL, check=False)


def build(folder: Path, tag: str, *options: str) -> str:
    """What Docker said."""
    done = attempt(folder, tag, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def attempt(folder: Path, tag: str, *options: str) -> subprocess.CompletedProcess[str]:
    argv = ["docker", "build", "--force-rm", "--tag", tag, *options, str(folder)]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def answers(tag: str) -> list[str]:
    argv = ["docker", "run", "--rm", "--network", "none", tag, "python", "-c", WHAT]
    return subprocess.check_output(argv, text=True).splitlines()


def test_an_index_in_the_folder_needs_no_network(base: str, folder: Path, tag: str) -> None:
    said = build(folder, tag, "--network", "none", "--build-arg", f"BASE={base}")
    assert "imported: numpy slim_openblas" in said
    assert "No broken requirements found" in said
    assert answers(tag) == ["ours ours service", "1 10001", "[]"]


def test_build_whose_wheels_need_what_is_not_there_fails(
    base: str, folder: Path, tag: str, tmp_path: Path
) -> None:
    sklearn = make_wheel(tmp_path / "built", "sklearn", "1.9.1", headers=("Requires-Dist: joblib>=1.2",))
    wheels = str(folder / "wheels")
    words = ("publish", *map(str, (sklearn.parent, "--to", wheels, "--lock", wheels, "--partial")))
    done = spokeshave(*words, cache=tmp_path / "cache")
    assert done.returncode == 0, done.stderr
    failed = attempt(folder, tag, "--network", "none", "--build-arg", f"BASE={base}")
    assert failed.returncode != 0
    assert "sklearn 1.9.1 requires joblib, which is not installed" in failed.stdout + failed.stderr


def test_build_whose_wheels_cannot_be_imported_fails(
    base: str, folder: Path, tag: str, tmp_path: Path
) -> None:
    """Unless IMPORTS names other modules."""
    files = {**demo_files("broken", "1.0"), "broken/__init__.py": b"import nowhere\n"}
    write_proof(write_wheel(tmp_path / "built" / "broken-1.0-py3-none-any.whl", files))
    wheels = str(folder / "wheels")
    words = ("publish", str(tmp_path / "built"), "--to", wheels, "--lock", wheels)
    done = spokeshave(*words, cache=tmp_path / "cache")
    assert done.returncode == 0, done.stderr
    options = ("--network", "none", "--build-arg", f"BASE={base}")
    failed = attempt(folder, tag, *options)
    assert failed.returncode != 0
    assert "No module named 'nowhere'" in failed.stdout + failed.stderr
    assert "imported: numpy bookgen" in build(folder, tag, *options, "--build-arg", "IMPORTS=numpy bookgen")
    assert "imported:\n" in build(folder, tag, *options, "--build-arg", "IMPORTS=")


def test_a_wheelhouse_in_the_folder_needs_no_index(base: str, folder: Path, tag: str, tmp_path: Path) -> None:
    shutil.rmtree(folder / "wheels")
    wheels = str((tmp_path / "built").rename(folder / "wheels"))
    done = spokeshave("publish", wheels, "--lock", wheels, cache=tmp_path / "cache")
    assert done.returncode == 0, done.stderr
    build(folder, tag, "--network", "none", "--build-arg", f"BASE={base}")
    assert answers(tag) == ["ours ours service", "1 10001", "[]"]


def test_a_served_index_with_the_constraints_alone(base: str, folder: Path, tag: str, tmp_path: Path) -> None:
    index = (folder / "wheels").rename(tmp_path / "index")
    (folder / "wheels").mkdir()
    shutil.copy(index / "constraints.txt", folder / "wheels")
    log = tmp_path / "serve.log"
    with serving(index, log) as address:
        chosen = {"BASE": base, "INDEX": address, "COMPILE": "no"}
        words = [word for row in chosen.items() for word in ("--build-arg", "=".join(row))]
        build(folder, tag, "--network", "host", *words)
    assert answers(tag) == ["ours ours service", "0 10001", "[]"]
    assert ".whl" in log.read_text()
