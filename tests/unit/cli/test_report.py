"""`report` on what is no wheel: the argument decides, tables and JSON, the exit code of a limit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from imagetars import below, distribution, docker_archive, tar_bytes, write_files
from spokeshave.cli import main, surveying

FILES = distribution("demo", {"demo/__init__.py": b"x = 1\n", "demo/big.bin": b"b" * 5000})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(tmp_path / "site", FILES)


def report(tmp_path: Path, *words: str) -> Result:
    argv = ["--store", str(tmp_path / "store"), "report", *words]
    return CliRunner().invoke(main, argv, catch_exceptions=False, env={"COLUMNS": "100"})


def test_report_of_a_folder_prints_ranked_tables(tmp_path: Path, folder: Path) -> None:
    result = report(tmp_path, str(folder))
    assert result.exit_code == 0
    assert "demo 1.0" in result.stdout
    assert "demo/big.bin" in result.stdout
    assert "Kinds of files" in result.stdout


def test_report_top_limits_the_rows_of_each_table(tmp_path: Path, folder: Path) -> None:
    result = report(tmp_path, str(folder), "--top", "1")
    assert "the 1 largest of 4" in result.stdout
    assert "__init__.py" not in result.stdout


def test_report_of_an_image_as_json_has_layers_and_packages(tmp_path: Path) -> None:
    site = "usr/lib/python3.11/site-packages"
    layer = tar_bytes({**below(site, FILES), "etc/conf": b"conf"})
    image = docker_archive(tmp_path / "image.tar", [layer], history=["RUN pip install demo"])
    (row,) = json.loads(report(tmp_path, str(image), "--json").stdout)
    assert row["form"] == "image"
    assert row["pythons"] == {site: "3.11"}
    assert [one["name"] for one in row["packages"]] == ["demo"]
    assert row["outside"] == {"etc": 4}
    assert row["layers"][0]["made_by"] == "RUN pip install demo"
    assert row["limit"] is None


def test_report_above_a_limit_exits_33_and_names_the_largest(tmp_path: Path, folder: Path) -> None:
    result = report(tmp_path, str(folder), "--limit", "1kB", "--json")
    assert result.exit_code == 33
    assert "above the limit 1kB (1,000 bytes)" in result.stderr
    assert "demo 1.0" in result.stderr
    assert "next: " in result.stderr
    (row,) = json.loads(result.stdout)
    assert row["limit"]["exceeded"][0]["over"] == row["unpacked"] - 1000
    assert report(tmp_path, str(folder), "--limit", "lambda").exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("{folder}", "x.whl"), "either WHEELs, or a FOLDER"),
        (("x.whl", "--limit", "1MB"), "--limit is for a FOLDER"),
        (("{folder}", "--html", "x.html"), "--html is for WHEELs"),
        (("{folder}", "--limit", "lambada"), "did you mean 'lambda'"),
        (("{folder}/nothing",), "no such file or folder"),
    ],
)
def test_report_of_what_does_not_fit_together_is_a_usage_error(
    tmp_path: Path, folder: Path, words: tuple[str, ...], said: str
) -> None:
    result = report(tmp_path, *(word.format(folder=folder) for word in words))
    assert result.exit_code == 2
    assert said in result.stderr


def test_report_of_a_file_that_cannot_be_read_names_it(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may read everything, so that the file's rights cannot show it."""

    def refuse(*args: object) -> None:
        raise PermissionError(13, "Permission denied", "secret.py")

    monkeypatch.setattr(surveying, "read_subject", refuse)
    result = report(tmp_path, str(folder))
    assert result.exit_code == 2
    assert "secret.py cannot be read: Permission denied" in result.stderr


def test_report_of_a_wheel_without_a_record_is_refused_as_before(tmp_path: Path) -> None:
    (wheel := tmp_path / "demo-1.0-py3-none-any.whl").write_bytes(b"")
    assert report(tmp_path, str(wheel)).exit_code == 41
