"""`spokeshave publish` and `spokeshave serve`: options, exit codes, what goes to stdout."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from releases import BLAS, NUMPY, make_stack, make_wheel
from spokeshave.cli import main
from spokeshave.publish.folder import IndexFolder
from spokeshave.publish.release import read_release
from support import ROOT
from together import run_together


def invoke(*words: str) -> Result:
    before = signal.getsignal(signal.SIGTERM)
    try:
        return CliRunner().invoke(main, list(words), catch_exceptions=False)
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    make_stack(tmp_path / "wheels")
    return tmp_path / "wheels"


def test_it_tells_what_was_published(wheels: Path, tmp_path: Path) -> None:
    words = ("publish", str(wheels), "--to", str(tmp_path / "index"), "--lock", str(tmp_path / "locks"))
    result = invoke(*words)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines() == [
        f"numpy-{NUMPY}-py3-none-any.whl (verified: full)",
        f"slim_openblas-{BLAS}-py3-none-any.whl (verified: full)",
        *(str(tmp_path / "locks" / name) for name in ("constraints.txt", "pins.txt", "pylock.toml")),
    ]
    told = json.loads(invoke(*words, "--json").stdout)
    assert told["index"] == (tmp_path / "index" / "simple").as_uri() + "/"
    assert [row["verified"] for row in told["published"]] == ["full", "full"]


def test_publish_six_at_once_publishes_all_and_leaves_nothing(tmp_path: Path) -> None:
    made = [make_wheel(tmp_path / "wheels" / str(n), f"part{n}", "1.0+lean.1") for n in range(6)]
    commands = [("publish", str(wheel), "--to", "index", "--lock", "index") for wheel in made]
    done = run_together(tmp_path, commands)
    assert [one.returncode for one in done] == [0] * 6, [one.stderr for one in done]
    files = IndexFolder(root=tmp_path / "index", say=print).read()
    assert [file.filename for file in files] == [wheel.name for wheel in made]
    for file, wheel in zip(files, made, strict=True):
        assert (tmp_path / "index" / file.place).read_bytes() == wheel.read_bytes()
    locks = [tmp_path / "index" / name for name in ("constraints.txt", "pins.txt", "pylock.toml")]
    named = [set(re.findall(r"part\d", lock.read_text())) for lock in locks]
    assert named[0] == named[1] == named[2] and len(named[0]) == 1, "the locks are of one run"
    assert [path.name for path in (tmp_path / "index").rglob(".*")] == [".spokeshave.lock"]


def test_the_lock_names_paths_or_addresses(wheels: Path, tmp_path: Path) -> None:
    words = ("publish", str(wheels), "--to", str(tmp_path / "index"), "--lock", str(tmp_path / "a" / "b"))
    assert invoke(*words).exit_code == 0
    lock = tmp_path / "a" / "b" / "pylock.toml"
    paths = re.findall(r'path = "(.*)"', lock.read_text())
    assert paths[0] == f"../../index/simple/numpy/numpy-{NUMPY}-py3-none-any.whl"
    assert all((lock.parent / path).is_file() for path in paths)
    assert invoke(*words, "--url", "https://wheels.example/simple/").exit_code == 0
    escaped = f"numpy-{NUMPY}-py3-none-any.whl".replace("+", "%2B")
    assert f'url = "https://wheels.example/simple/numpy/{escaped}"' in lock.read_text()


def test_a_wheelhouse_is_locked_where_it_lies(wheels: Path) -> None:
    result = invoke("publish", str(wheels), "--lock", str(wheels), "--json")
    assert result.exit_code == 0, result.stderr
    written = [str(wheels / name) for name in ("constraints.txt", "pins.txt", "pylock.toml")]
    assert json.loads(result.stdout) == {"locks": written, "published": [], "unyanked": [], "yanked": []}
    paths = re.findall(r'path = "(.*)"', (wheels / "pylock.toml").read_text())
    assert paths == [f"numpy-{NUMPY}-py3-none-any.whl", f"slim_openblas-{BLAS}-py3-none-any.whl"]
    assert not list(wheels.rglob("simple"))


@pytest.fixture
def needy(wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The wheelhouse with scikit-learn, which needs joblib; pip has an empty folder for its index."""
    make_wheel(wheels, "scikit_learn", "1.9.1+lean.1", headers=("Requires-Dist: joblib>=1.2",))
    (tmp_path / "links").mkdir()
    for key, value in {
        "CONFIG_FILE": os.devnull,
        "NO_INDEX": "1",
        "FIND_LINKS": str(tmp_path / "links"),
    }.items():
        monkeypatch.setenv(f"PIP_{key}", value)
    return wheels


def test_publish_lock_whose_closure_is_missing_fails_before_anything_is_written(
    needy: Path, tmp_path: Path
) -> None:
    words = ("publish", str(needy), "--to", str(tmp_path / "index"), "--lock", str(tmp_path / "locks"))
    result = invoke(*words)
    assert result.exit_code == 43
    assert "joblib>=1.2 (scikit-learn)" in result.stderr
    assert "spokeshave slim 'joblib>=1.2' --output slim" in result.stderr
    assert not (tmp_path / "index").exists() and not (tmp_path / "locks").exists()
    assert invoke(*words[:4]).exit_code == 0, "an index without a lock needs no closure"


def test_publish_lock_partial_says_what_it_lacks(needy: Path, tmp_path: Path) -> None:
    result = invoke("publish", str(needy), "--lock", str(tmp_path / "locks"), "--partial")
    assert result.exit_code == 0, result.stderr
    assert "--no-deps. Not in it: joblib>=1.2 (scikit-learn)" in result.stderr
    assert "joblib==" not in (tmp_path / "locks" / "constraints.txt").read_text()


def test_publish_lock_names_the_closure_and_the_command_that_adds_it(needy: Path, tmp_path: Path) -> None:
    make_wheel(tmp_path / "links", "joblib", "1.6.0", headers=("Requires-Dist: cloudpickle",))
    make_wheel(tmp_path / "links", "cloudpickle", "3.1.3")
    result = invoke("publish", str(needy), "--lock", str(tmp_path / "locks"))
    assert result.exit_code == 0, result.stderr
    assert "spokeshave slim cloudpickle==3.1.3 joblib==1.6.0 --output slim" in result.stderr
    here = "cloudpickle-3.1.3-py3-none-any.whl, joblib-1.6.0-py3-none-any.whl"
    assert f"names files of this machine, from pip's index: {here}" in result.stderr
    locked = re.findall(r"^(\S+==\S+)", (tmp_path / "locks" / "constraints.txt").read_text(), re.MULTILINE)
    pins = [f"numpy=={NUMPY}", "scikit-learn==1.9.1+lean.1", f"slim-openblas=={BLAS}"]
    assert locked == ["cloudpickle==3.1.3", "joblib==1.6.0", *pins]


def test_a_wheelhouse_that_is_not_proved_is_not_locked(tmp_path: Path) -> None:
    make_stack(tmp_path, proved=False)
    result = invoke("publish", str(tmp_path), "--lock", str(tmp_path / "locks"))
    assert result.exit_code == 40 and "is not verified" in result.stderr
    assert not (tmp_path / "locks").exists()


def test_an_upload_without_twine_says_what_to_install(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "twine", None)
    result = invoke(
        "publish", str(wheels), "--upload", "http://127.0.0.1:9/", "--simple", "http://127.0.0.1:9/"
    )
    assert result.exit_code == 20
    assert "twine is not installed" in result.stderr
    assert "next: pip install 'twine>=6.1,<8'" in result.stderr


def test_unverified_wheels_need_the_word(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "w", "demo", "1.0+lean.1", proved=False)
    refused = invoke("publish", str(wheel), "--to", str(tmp_path / "index"))
    assert refused.exit_code == 40
    assert "is not verified" in refused.stderr
    assert not (tmp_path / "index").exists()
    taken = invoke("publish", str(wheel), "--to", str(tmp_path / "index"), "--unverified")
    assert taken.stdout == "demo-1.0+lean.1-py3-none-any.whl (not verified)\n"


def test_two_versions_under_one_lock_are_refused_before_anything_is_written(
    wheels: Path, tmp_path: Path
) -> None:
    make_wheel(wheels, "numpy", "2.4.6+full.1")
    words = ("publish", str(wheels), "--to", str(tmp_path / "index"))
    result = invoke(*words, "--lock", str(tmp_path / "locks"))
    assert result.exit_code == 43
    assert "+lean*.whl" in result.stderr
    assert not (tmp_path / "index").exists()
    assert invoke(*words).exit_code == 0, "an index may hold both"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("W",), "give one of --to DIR"),
        (("W", "--to", "index", "--repository", "team"), "give one of --to DIR"),
        (("W", "--repository", "team"), "need --simple URL"),
        (("W", "--repository", "team", "--lock", "x"), "need --simple URL"),
        (("W", "--upload", "", "--lock", "x"), "need --simple URL"),
        (("W", "--lock", "x", "--url", "u"), "need --to DIR"),
        (("W", "--to", "index", "--partial"), "--partial needs --lock"),
        (("--to", "index"), "name WHEELs"),
        (("--to", "index", "--yank", "numpy==1.0"), "needs a --reason"),
        (("--to", "index", "--yank", "numpy>=1.0", "--reason", "x"), "is not NAME==VERSION"),
        (("--to", "index", "--yank", "numpy==1.*", "--reason", "x"), "is not NAME==VERSION"),
        (("--to", "index", "--unyank", "numpy==1.0", "--lock", "x"), "--lock pins the WHEELs"),
        (("W", "--upload", "u", "--simple", "s", "--unyank", "numpy==1.0"), "need --to DIR"),
    ],
)
def test_options_that_do_not_go_together(words: tuple[str, ...], said: str) -> None:
    result = invoke("publish", *words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_yanking_from_the_command_line(wheels: Path, tmp_path: Path) -> None:
    index = str(tmp_path / "index")
    assert invoke("publish", str(wheels), "--to", index).exit_code == 0
    yanked = invoke("publish", "--to", index, "--yank", f"NumPy=={NUMPY}", "--reason", "wrong BLAS")
    assert yanked.stdout == f"numpy-{NUMPY}-py3-none-any.whl\n"
    assert 'data-yanked="wrong BLAS"' in (tmp_path / "index/simple/numpy/index.html").read_text()
    assert invoke("publish", "--to", index, "--unyank", f"numpy=={NUMPY}").exit_code == 0
    assert "data-yanked" not in (tmp_path / "index/simple/numpy/index.html").read_text()
    assert invoke("publish", "--to", index, "--unyank", "numpy==1.0").exit_code == 43


def test_serve_refuses_a_folder_that_is_no_index(tmp_path: Path) -> None:
    result = invoke("serve", str(tmp_path))
    assert result.exit_code == 43
    assert "is not an index that spokeshave made" in result.stderr


def test_serve_ends_cleanly_on_ctrl_c(wheels: Path, tmp_path: Path) -> None:
    assert invoke("publish", str(wheels), "--to", str(tmp_path / "index")).exit_code == 0
    (tmp_path / "index" / "simple" / "index.html").unlink()
    argv = [sys.executable, "-u", "-m", "spokeshave", "serve", str(tmp_path / "index"), "--port", "0"]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "builder")}
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    ) as process:
        assert process.stdout
        assert process.stderr
        url = re.search(r"http://127\.0\.0\.1:\d+/simple/", process.stdout.readline())
        assert url
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{url[0]}numpy/", timeout=60) as answer:
            assert b"numpy-2.4.6%2Blean.1" in answer.read()
        process.send_signal(signal.SIGINT)
        told = process.stderr.read()
        assert process.wait(60) == 0, told
    assert "half written or damaged (simple/index.html)" in told
    assert "Traceback" not in told


def test_a_file_that_is_in_use_elsewhere_is_not_lost(wheels: Path, tmp_path: Path) -> None:
    """Wheels are copied, not moved: the wheelhouse stays as it was."""
    before = {path.name: path.read_bytes() for path in wheels.iterdir()}
    index = IndexFolder(root=tmp_path / "index", say=print)
    assert invoke("publish", str(wheels), "--to", str(index.root)).exit_code == 0
    assert {path.name: path.read_bytes() for path in wheels.iterdir()} == before
    assert {file.sha256 for file in index.read()} == {read_release(p).sha256 for p in wheels.glob("*.whl")}
