"""What wheels need beyond themselves, and pip's answer to it: pip itself, with a folder for an index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from releases import BLAS, NUMPY, make_stack, make_wheel
from spokeshave.errors import PublishError
from spokeshave.inside.model import file_sha256
from spokeshave.inside.run import run
from spokeshave.publish.closure import Outside, missing, outside, pythons, resolve
from spokeshave.publish.release import Release, gather

SKLEARN = ("Requires-Dist: numpy>=1.26", "Requires-Dist: joblib>=1.2")


@pytest.fixture
def stack(tmp_path: Path) -> tuple[Release, ...]:
    return gather(make_stack(tmp_path / "wheels"))


@pytest.fixture
def links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that stands for pip's index."""
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "links"))
    (tmp_path / "links").mkdir()
    return tmp_path / "links"


def wheel(folder: Path, name: str, version: str, *needs: str) -> Path:
    return make_wheel(folder, name, version, headers=tuple(f"Requires-Dist: {need}" for need in needs))


def resolved(releases: tuple[Release, ...], folder: Path) -> tuple[Outside, ...]:
    return resolve(releases, missing(releases), run, folder / "closure.log")


def test_missing_requirements_by_marker_extra_and_version(stack: tuple[Release, ...], tmp_path: Path) -> None:
    assert missing(stack) == {}
    needs = (
        "numpy>=1.26",
        "Python_DateUtil>=2.8.2",
        "pytest; extra == 'test'",
        "tzdata; python_version < '3'",
    )
    pandas = gather([wheel(tmp_path / "p", "pandas", "3.0.0+lean.1", *needs)])
    assert missing((*stack, *pandas)) == {"python-dateutil>=2.8.2": ["pandas"]}
    old = gather([wheel(tmp_path / "p", "python_dateutil", "2.0")])
    assert missing((*stack, *pandas, *old)) == {"python-dateutil>=2.8.2": ["pandas"]}
    new = gather([wheel(tmp_path / "p", "python_dateutil", "2.9")])
    assert missing((*stack, *pandas, *new)) == {}


def test_missing_requirements_of_an_extra_that_a_wheel_asks_for(tmp_path: Path) -> None:
    app = wheel(tmp_path, "app", "1.0", "server[Fast_Loop]>=1")
    server = wheel(tmp_path, "server", "1.0", 'loop>=2; extra == "fast-loop"', 'docs; extra == "docs"')
    assert missing(gather([app, server])) == {"loop>=2": ["server"]}


def test_missing_requirements_are_those_of_the_wheels_python(tmp_path: Path) -> None:
    """Not of the Python that runs us."""
    made = wheel(tmp_path, "app", "1.0", "old; python_version < '3.20'", "new; python_version >= '3.20'")
    name = made.name.replace("py3-none-any", "cp320-cp320-manylinux_2_28_x86_64")
    releases = gather([made.rename(made.with_name(name))], unverified=True)
    assert pythons(releases) == ("cp320",)
    assert missing(releases) == {"new": ["app"]}


@pytest.mark.parametrize("there", [(), ("0.3.31+full.1",)])
def test_missing_wheel_with_a_label_is_refused(tmp_path: Path, there: tuple[str, ...]) -> None:
    """Whatever an index offers under that name is not ours."""
    blas = [make_wheel(tmp_path / "other", "slim_openblas", version) for version in there]
    numpy = make_stack(tmp_path / "wheels")[0]
    with pytest.raises(PublishError, match=re.escape(f"numpy {NUMPY} needs slim-openblas=={BLAS}")):
        missing(gather([numpy, *blas]))


def test_resolve_names_the_whole_closure(stack: tuple[Release, ...], links: Path, tmp_path: Path) -> None:
    """Ours are given by path: what an index has under their names counts for nothing."""
    sklearn = gather([make_wheel(tmp_path / "s", "scikit_learn", "1.9.1+lean.1", headers=SKLEARN)])
    joblib = wheel(links, "joblib", "1.6.0", "cloudpickle")
    wheel(links, "joblib", "1.0")
    pickle = wheel(links, "cloudpickle", "3.1")
    for evil in ("99.0", NUMPY):
        make_wheel(links, "numpy", evil, value="evil")
    found = resolved((*stack, *sklearn), tmp_path)
    assert [(one.filename, one.sha256) for one in found] == [
        (pickle.name, file_sha256(pickle)),
        (joblib.name, file_sha256(joblib)),
    ]
    assert [one.file for one in found] == [pickle, joblib]


def test_resolve_without_an_index_names_what_is_missing(
    stack: tuple[Release, ...], links: Path, tmp_path: Path
) -> None:
    sklearn = gather([make_wheel(tmp_path / "s", "scikit_learn", "1.9.1+lean.1", headers=SKLEARN)])
    with pytest.raises(PublishError) as caught:
        resolved((*stack, *sklearn), tmp_path)
    assert "joblib>=1.2 (scikit-learn)" in caught.value.what
    assert "No matching distribution found for joblib" in caught.value.what
    assert "spokeshave slim 'joblib>=1.2' --output slim" in caught.value.next_step
    assert "--partial" in caught.value.next_step


def test_resolve_wheels_that_contradict_each_other_is_refused(
    stack: tuple[Release, ...], links: Path, tmp_path: Path
) -> None:
    old = gather([wheel(tmp_path / "s", "scipy", "1.0+lean.1", "numpy<2")])
    with pytest.raises(PublishError, match=r"numpy<2 \(scipy\)"):
        resolved((*stack, *old), tmp_path)


def test_resolve_for_a_python_that_is_not_here_says_so(tmp_path: Path) -> None:
    made = wheel(tmp_path, "app", "1.0", "six")
    name = made.name.replace("py3-none-any", "cp320-cp320-manylinux_2_28_x86_64")
    releases = gather([made.rename(made.with_name(name))], unverified=True)
    with pytest.raises(PublishError, match=r"needs Python 3\.20, which is not on PATH"):
        resolved(releases, tmp_path)


def test_resolve_for_a_platform_that_is_not_this_one_says_so(links: Path, tmp_path: Path) -> None:
    made = wheel(tmp_path, "app", "1.0", "six")
    releases = gather(
        [made.rename(made.with_name("app-1.0-py3-none-manylinux_2_28_s390x.whl"))], unverified=True
    )
    with pytest.raises(PublishError, match="is not a supported wheel on this platform"):
        resolved(releases, tmp_path)


def test_missing_requirements_of_wheels_for_two_pythons_are_those_of_either(tmp_path: Path) -> None:
    needs = ("old; python_version < '3.20'", "new; python_version >= '3.20'")
    for tag in ("cp311", "cp320"):
        made = wheel(tmp_path, "app", "1.0", *needs)
        made.rename(made.with_name(f"app-1.0-{tag}-{tag}-manylinux_2_28_x86_64.whl"))
    releases = gather([tmp_path], unverified=True)
    assert pythons(releases) == ("cp311", "cp320")
    assert missing(releases) == {"old": ["app"], "new": ["app"]}


def test_outside_keeps_no_password_of_an_address() -> None:
    row = {
        "metadata": {"name": "six", "requires_python": None},
        "download_info": {
            "url": "https://user:secret@example.org/f/six-1.0%2Bx-py3-none-any.whl#sha256=0",
            "archive_info": {"hashes": {"sha256": "0" * 64}},
        },
    }
    one = outside(row)
    assert one.url == "https://example.org/f/six-1.0%2Bx-py3-none-any.whl"
    assert (one.filename, one.file) == ("six-1.0+x-py3-none-any.whl", None)
