"""Uploads to real servers, and installs from them: devpi-server and pypiserver, pip and uv."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexing import Installer, Repository, Tools, devpi, pypiserver, serving, spokeshave
from releases import BLAS, NUMPY, make_stack, make_wheel

pytestmark = pytest.mark.network
OURS = {f"numpy=={NUMPY}": "ours", f"slim_openblas=={BLAS}": "ours"}


@pytest.fixture(scope="module", params=["devpi", "pypiserver"])
def server(
    request: pytest.FixtureRequest, tools: Tools, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Repository]:
    folder = tmp_path_factory.mktemp(request.param) / "server"
    start = devpi if request.param == "devpi" else pypiserver
    with start(tools, folder) as made:
        yield made


@pytest.fixture(scope="module")
def filled(server: Repository, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Uploads the stack once; returns the folder with its wheels, its locks and what was said."""
    folder = tmp_path_factory.mktemp("filled")
    make_stack(folder / "wheels")
    words = ("publish", str(folder / "wheels"), *server.options, "--lock", str(folder), "--json")
    done = spokeshave(*words, cache=folder / "cache", **server.env)
    assert done.returncode == 0, done.stderr
    (folder / "result.json").write_text(done.stdout)
    return folder


def test_what_was_sent_is_told(filled: Path) -> None:
    rows = json.loads((filled / "result.json").read_text())["published"]
    assert [(row["filename"], row["sent"], row["verified"]) for row in rows] == [
        (f"numpy-{NUMPY}-py3-none-any.whl", True, "full"),
        (f"slim_openblas-{BLAS}-py3-none-any.whl", True, "full"),
    ]


@pytest.mark.parametrize("how", ["index", "hashes", "constraints", "pylock"])
def test_the_stack_is_installed(server: Repository, filled: Path, installer: Installer, how: str) -> None:
    constraints = str(filled / "constraints.txt")
    words = {
        "index": ("numpy",),
        "hashes": ("--require-hashes", "-r", constraints),
        "constraints": ("-c", constraints, "numpy"),
        "pylock": ("-r", str(filled / "pylock.toml")),
    }[how]
    done = installer.install(*words, index=server.simple)
    assert done.returncode == 0, done.stderr
    assert installer.got() == OURS


def test_nothing_is_published_twice(server: Repository, filled: Path, tmp_path: Path) -> None:
    words = ("publish", str(filled / "wheels"), *server.options, "--json")
    done = spokeshave(*words, cache=tmp_path, **server.env)
    assert done.returncode == 0, done.stderr
    assert [row["sent"] for row in json.loads(done.stdout)["published"]] == [False, False]
    assert "uploading" not in done.stderr


def test_another_file_of_that_name_is_refused(
    server: Repository, filled: Path, installer: Installer, tmp_path: Path
) -> None:
    make_stack(tmp_path / "other", value="other")
    done = spokeshave("publish", str(tmp_path / "other"), *server.options, cache=tmp_path / "c", **server.env)
    assert done.returncode == 43
    assert f"the server has another numpy-{NUMPY}" in done.stderr
    assert installer.install("numpy", index=server.simple).returncode == 0
    assert installer.got() == OURS


def test_a_server_is_named_as_pypirc_names_it(server: Repository, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "w", "named", "1.0+lean.1")
    (tmp_path / ".pypirc").write_text(
        f"[distutils]\nindex-servers = team\n[team]\nrepository = {server.upload}\n"
        f"username = {server.user}\npassword = {server.password}\n"
    )
    words = ("publish", str(wheel), "--repository", "team", "--simple", server.simple, "--json")
    done = spokeshave(*words, cache=tmp_path / "cache", HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["published"]
    assert row["sent"] and row["url"].startswith(server.simple.split("/team/")[0].split("/simple/")[0])


def test_a_server_that_takes_a_wheel_and_does_not_show_it_is_told(server: Repository, tmp_path: Path) -> None:
    """By a --simple of another index, which is what makes it happen."""
    wheel = make_wheel(tmp_path / "w", "elsewhere", "1.0+lean.1")
    other = make_wheel(tmp_path / "o", "other", "1.0+lean.1")
    done = spokeshave("publish", str(other), "--to", str(tmp_path / "index"), cache=tmp_path / "cache")
    assert done.returncode == 0, done.stderr
    with serving(tmp_path / "index", tmp_path / "serve.log") as address:
        words = ("publish", str(wheel), "--upload", server.upload, "--simple", address)
        done = spokeshave(*words, cache=tmp_path / "cache", **server.env)
    assert done.returncode == 43, done.stderr
    assert f"the server took {wheel.name}, but does not show it at {address}" in done.stderr
    assert "name the address of the same index with --simple" in done.stderr
    assert done.stderr.count("uploading") == 1


def test_a_wrong_password_is_a_clear_error(server: Repository, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "w", "refused", "1.0+lean.1")
    env = {"TWINE_USERNAME": server.user, "TWINE_PASSWORD": "wrong"}
    done = spokeshave("publish", str(wheel), *server.options, cache=tmp_path / "cache", **env)
    assert done.returncode == 43, done.stderr
    assert "the server refused refused-1.0+lean.1-py3-none-any.whl: HTTPError: 40" in done.stderr
    assert "TWINE_PASSWORD" in done.stderr
    assert done.stderr.count("uploading") == 1, "no attempt that cannot succeed"


def test_a_server_that_tells_no_sha256_is_compared_by_content(tools: Tools, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "w", "demo", "1.0+lean.1")
    other = make_wheel(tmp_path / "o", "demo", "1.0+lean.1", value="other")
    with pypiserver(tools, tmp_path / "server", "--hash-algo", "md5") as server:
        first, again, changed = (
            spokeshave("publish", str(one), *server.options, "--json", cache=tmp_path / "c", **server.env)
            for one in (wheel, wheel, other)
        )
    assert json.loads(first.stdout)["published"][0]["sent"] is True
    assert json.loads(again.stdout)["published"][0]["sent"] is False
    assert changed.returncode == 43
    assert "the server has another demo-1.0+lean.1" in changed.stderr
