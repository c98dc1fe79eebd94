"""What users have: each kind is known by its name or content, and each other argument has a clear error."""

from __future__ import annotations

from pathlib import Path

import pytest

from spokeshave.errors import UsageFault
from spokeshave.shrink.inputs import pinned_hashes, python_of, read_environment, read_inputs

ONE, TWO = "1" * 64, "2" * 64


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(("requirements.txt", "requirements"), ("dev.in", "requirements")),
        *(("pyproject.toml", "pyproject.toml"), ("uv.lock", "uv.lock"), ("poetry.lock", "poetry.lock")),
        *(("pylock.toml", "pylock.toml"), ("pylock.prod.toml", "pylock.toml")),
    ],
)
def test_inputs_file_is_known_by_its_name(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / name).touch()
    assert read_inputs([str(tmp_path / name)]).kind == kind


def test_inputs_files_and_words_are_combined(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.touch()
    found = read_inputs([str(path), "lxml==6.0.0", "uvicorn[standard]"])
    assert (found.paths, found.words) == ((path,), ("lxml==6.0.0", "uvicorn[standard]"))


@pytest.mark.parametrize("word", ["requirements.txt", "uv.lock", "lxml ==", "."])
def test_inputs_other_argument_is_refused_with_a_next_step(
    tmp_path: Path, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageFault) as caught:
        read_inputs([word])
    assert "requirements.txt" in caught.value.next_step


def test_inputs_project_folder_names_its_lock(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "uv.lock").touch()
    with pytest.raises(UsageFault) as caught:
        read_inputs([str(tmp_path)])
    assert caught.value.next_step == f"name {tmp_path / 'uv.lock'}"


def test_inputs_lock_with_another_argument_is_refused(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").touch()
    with pytest.raises(UsageFault, match="names all of its packages"):
        read_inputs([str(tmp_path / "uv.lock"), "lxml"])


def environment(root: Path) -> Path:
    """A venv with PyPI's, slim, editable and installing distributions."""
    site = root / "lib" / "python3.12" / "site-packages"
    names = {
        "numpy": "2.4.6+lean.1",
        "demo": "1.0+cpu.slim.2",
        "torch": "2.0+cu121",
        "mine": "1.0",
        "pip": "26",
    }
    for name, version in names.items():
        info = site / f"{name}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (site / "mine-1.0.dist-info" / "direct_url.json").write_text('{"url": "file:///x", "dir_info": {}}')
    (root / "pyvenv.cfg").write_text("version = 3.12.4\n")
    return root


def test_environment_pins_are_pypis_versions_without_ours(tmp_path: Path) -> None:
    found = read_environment(environment(tmp_path), ("lean", "slim"))
    assert found.pins == ("demo==1.0+cpu", "numpy==2.4.6", "torch==2.0+cu121")
    assert found.left == (("mine", "1.0", "installed from a folder"),)


def test_environment_python_is_that_of_its_folders(tmp_path: Path) -> None:
    root = environment(tmp_path)
    assert (python_of(root), read_inputs([str(root)]).kind) == ("cp312", "environment")
    (root / "pyvenv.cfg").unlink()
    assert python_of(root) == "cp312"


def test_pinned_hashes_are_read_from_included_files(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "more.txt").write_text(f"b==1 \\\n    --hash=sha256:{TWO}\n-r ../all.txt\n")
    path = tmp_path / "all.txt"
    path.write_text(f"-r below/more.txt\na==1 --hash=sha256:{ONE}  # reason\n")
    assert pinned_hashes([path]) == {ONE, TWO}
