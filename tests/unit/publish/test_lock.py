"""The locks: exact local versions, every hash, valid by `packaging`."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.pylock import PackageWheel, Pylock
from packaging.utils import canonicalize_name
from packaging.version import Version

from releases import BLAS, NUMPY, make_stack, make_wheel
from spokeshave.errors import PublishError
from spokeshave.publish import lock
from spokeshave.publish.closure import Closure, Outside
from spokeshave.publish.release import Release, gather


@pytest.fixture
def stack(tmp_path: Path) -> tuple[Release, ...]:
    return gather(make_stack(tmp_path / "wheels"))


def test_constraints_pin_the_local_version_and_the_hash(stack: tuple[Release, ...]) -> None:
    text = lock.constraints(stack)
    assert text.splitlines()[1:] == [
        f"numpy=={NUMPY} \\",
        f"    --hash=sha256:{stack[0].sha256}",
        f"slim-openblas=={BLAS} \\",
        f"    --hash=sha256:{stack[1].sha256}",
    ]


def test_wheels_for_several_pythons_share_a_pin(stack: tuple[Release, ...], tmp_path: Path) -> None:
    wheel = make_stack(tmp_path / "more", value="more")[0]
    other = wheel.rename(wheel.with_name(wheel.name.replace("py3-none", "py39-none")))
    both = (*stack, *gather([other], unverified=True))
    lines = lock.constraints(both).splitlines()
    assert lines[1].startswith("numpy==")
    assert lines[2:4] == [
        f"    --hash=sha256:{r.sha256}" + end for r, end in ((both[0], " \\"), (both[2], ""))
    ]
    parsed = Pylock.from_dict(tomllib.loads(lock.pylock(both, lambda release: {"path": release.filename})))
    assert len(parsed.packages[0].wheels or ()) == 2


def test_pylock_is_valid_and_selects_our_wheels(stack: tuple[Release, ...]) -> None:
    text = lock.pylock(stack, lambda release: {"path": f"simple/{release.project}/{release.filename}"})
    parsed = Pylock.from_dict(tomllib.loads(text))
    chosen = {str(package.name): (package.version, wheel) for package, wheel in parsed.select()}
    assert {name: version for name, (version, _) in chosen.items()} == {
        "numpy": Version(NUMPY),
        "slim-openblas": Version(BLAS),
    }
    wheel = chosen["numpy"][1]
    assert isinstance(wheel, PackageWheel)
    assert wheel.hashes == {"sha256": stack[0].sha256}
    assert wheel.path == f"simple/numpy/{stack[0].filename}"


def test_two_versions_of_a_project_are_refused(stack: tuple[Release, ...], tmp_path: Path) -> None:
    both = (*stack, *gather([make_wheel(tmp_path / "full", "numpy", "2.4.6+full.1")]))
    for write in (lock.constraints, lambda releases: lock.pylock(releases, lambda one: {"path": "x"})):
        with pytest.raises(PublishError, match=r"both numpy 2\.4\.6\+full\.1 and 2\.4\.6\+lean\.1"):
            write(both)


def test_lock_closure_is_named_with_hash_and_place(stack: tuple[Release, ...], tmp_path: Path) -> None:
    rows = [("six", "https://example.org/six-1.17.0-py3-none-any.whl")]
    rows.append(("tzdata", (tmp_path / "links" / "tzdata-2026.6-py3-none-any.whl").as_uri()))
    outside = tuple(
        Outside(
            project=canonicalize_name(name),
            version=Version(url.rpartition("/")[2].split("-")[1]),
            filename=url.rpartition("/")[2],
            url=url,
            sha256=name[0] * 64,
            requires_python="",
        )
        for name, url in rows
    )
    written = lock.write(tmp_path / "locks", stack, lambda one: {"path": "x"}, Closure(outside=outside))
    lines = written[0].read_text().splitlines()
    assert lines[lines.index("six==1.17.0 \\") + 1] == f"    --hash=sha256:{'s' * 64}"
    assert "six" not in written[1].read_text()
    parsed = Pylock.from_dict(tomllib.loads(written[2].read_text()))
    found = {str(one.name): one.wheels[0] for one in parsed.packages if one.wheels}
    assert found["six"].url == rows[0][1]
    assert found["tzdata"].path == "../links/tzdata-2026.6-py3-none-any.whl"
    assert found["tzdata"].hashes == {"sha256": "t" * 64}


def test_lock_partial_says_so_in_its_files(stack: tuple[Release, ...], tmp_path: Path) -> None:
    lacking = Closure(lacking={"joblib>=1.2": ["scikit-learn"]})
    written = lock.write(tmp_path / "locks", stack, lambda one: {"path": "x"}, lacking)
    for path in (written[0], written[2]):
        told = [line for line in path.read_text().splitlines() if line.startswith("# ")]
        assert "Partial: install it with --no-deps" in told[-2]
        assert told[-1] == "# joblib>=1.2 (scikit-learn)."
    Pylock.from_dict(tomllib.loads(written[2].read_text()))


def test_all_three_are_written(stack: tuple[Release, ...], tmp_path: Path) -> None:
    written = lock.write(tmp_path / "locks", stack, lambda one: {"url": f"http://localhost/{one.project}"})
    assert [path.name for path in written] == ["constraints.txt", "pins.txt", "pylock.toml"]
    assert written[1].read_text().splitlines()[1:] == [f"numpy=={NUMPY}", f"slim-openblas=={BLAS}"]
    assert (
        tomllib.loads(written[2].read_text())["packages"][0]["wheels"][0]["url"] == "http://localhost/numpy"
    )
