"""Only sound wheels with a passing proof of these very bytes are published."""

from __future__ import annotations

from pathlib import Path

import pytest

from releases import NUMPY, make_stack, make_wheel, write_proof
from spokeshave.errors import PublishError, VerifyError, WheelError
from spokeshave.inside.model import file_sha256
from spokeshave.publish.release import gather, read_release
from support import demo_files, write_wheel


def test_a_release_is_read_from_its_wheel(tmp_path: Path) -> None:
    wheel = make_stack(tmp_path)[0]
    release = read_release(wheel)
    assert (release.project, str(release.version), release.level) == ("numpy", NUMPY, "full")
    assert (release.sha256, release.size) == (file_sha256(wheel), wheel.stat().st_size)
    assert release.requires_python == ">=3.9"
    assert release.requires == ("slim-openblas==0.3.31+lean.1",)
    assert release.metadata.startswith(b"Metadata-Version: 2.4\nName: numpy\n")


def test_a_folder_stands_for_its_wheels(tmp_path: Path) -> None:
    one, other = make_stack(tmp_path)
    assert [release.path for release in gather([tmp_path, other])] == [one, other]
    (tmp_path / "empty").mkdir()
    with pytest.raises(WheelError, match="there is no wheel in"):
        gather([tmp_path / "empty"])


def test_one_name_for_two_contents_is_refused(tmp_path: Path) -> None:
    wheels = [make_wheel(tmp_path / value, "demo", "1.0+lean.1", value=value) for value in ("a", "b")]
    with pytest.raises(PublishError, match="have one name and differ"):
        gather(wheels)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"passed": False}, "says that it failed"),
        ({"imported": 0}, "says that no module was imported and no test passed"),
        ({"passed": "false"}, "says that it failed"),
        ({"sha256": "0" * 64}, "is about another file"),
    ],
)
def test_a_proof_must_pass_and_fit(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    wheel = make_wheel(tmp_path, "demo", "1.0+lean.1")
    write_proof(wheel, **changes)
    with pytest.raises(VerifyError, match=said):
        read_release(wheel)
    assert read_release(wheel, unverified=True).level is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '"passed"'])
def test_a_damaged_proof_is_none(tmp_path: Path, text: str) -> None:
    wheel = make_wheel(tmp_path, "demo", "1.0+lean.1")
    write_proof(wheel).write_text(text)
    with pytest.raises(VerifyError, match="is not a report of `spokeshave verify`"):
        read_release(wheel)


def test_without_a_proof_it_takes_the_word_unverified(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "demo", "1.0+lean.1", proved=False)
    with pytest.raises(VerifyError, match="not next to it") as caught:
        read_release(wheel)
    assert "spokeshave verify" in caught.value.next_step
    assert "--unverified" in caught.value.next_step
    write_proof(wheel)
    assert read_release(wheel, unverified=True).level == "full", "a proof that is there counts all the same"


def test_a_file_that_is_no_wheel_is_refused(tmp_path: Path) -> None:
    (tmp_path / "demo-1.0-py3-none-any.whl").write_text("not a zip archive")
    (tmp_path / "notes.txt").write_text("")
    for name, said in (
        ("demo-1.0-py3-none-any.whl", "not a readable zip"),
        ("notes.txt", "extension must be"),
        ("gone-1.0-py3-none-any.whl", "no such file"),
    ):
        with pytest.raises(WheelError, match=said) as caught:
            read_release(tmp_path / name, unverified=True)
        assert caught.value.next_step
    with pytest.raises(WheelError, match="no such file or folder"):
        gather([tmp_path / "gone"])


def test_a_wheel_that_lies_is_refused(tmp_path: Path) -> None:
    files = demo_files()
    lying = write_wheel(tmp_path / "a" / "demo-1.0-py3-none-any.whl", files, record="demo/__init__.py,,\n")
    renamed = write_wheel(tmp_path / "b" / "demo-1.0-py3-none-any.whl", files)
    renamed = renamed.rename(renamed.with_name("other-1.0-py3-none-any.whl"))
    version = {name: data.replace(b"Version: 1.0", b"Version: 1.1") for name, data in files.items()}
    other = write_wheel(tmp_path / "c" / "demo-1.0-py3-none-any.whl", version)
    for wheel, said in ((lying, "RECORD"), (renamed, "no METADATA"), (other, "its METADATA says demo 1.1")):
        with pytest.raises(WheelError, match=said):
            read_release(wheel, unverified=True)
