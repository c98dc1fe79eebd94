"""What may be named: requirements that apply; all that is neither file nor requirement has its answer."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pytest

from spokeshave.errors import UsageFault, WheelError
from spokeshave.inside.model import Target
from spokeshave.slim.arguments import Wanted, read_extra, read_word
from spokeshave.slim.intake import read_stock, with_extras
from support import demo_files, write_wheel

TARGET = Target(python="cp312")


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("lxml", Wanted(text="lxml")),
        ("lxml >=5, <6", Wanted(text="lxml<6,>=5")),
        ("uvicorn[Standard,b_c]", Wanted(text="uvicorn", extras=("b-c", "standard"))),
        ('a; python_version>="3.12"', Wanted(text="a")),
        ('a; sys_platform=="linux" and platform_machine=="x86_64"', Wanted(text="a")),
        ('a==1; implementation_name=="cpython" and os_name=="posix"', Wanted(text="a==1")),
    ],
)
def test_read_word_requirement_is_split(word: str, wanted: Wanted) -> None:
    assert read_word(word, TARGET) == wanted


@pytest.mark.parametrize("marker", ['python_version<"3"', 'sys_platform=="win32"', 'extra=="x"'])
def test_read_word_marker_that_excludes_the_target_is_refused(marker: str) -> None:
    with pytest.raises(UsageFault, match="does not apply to cp312-manylinux_x86_64") as caught:
        read_word(f"orjson; {marker}", TARGET)
    assert caught.value.exit_code == 2
    assert "--python" in caught.value.next_step


def test_read_word_marker_is_evaluated_for_the_target_and_not_for_this_python() -> None:
    word = 'a; python_full_version>="3.99"'
    assert read_word(word, Target(python="cp399")) == Wanted(text="a")
    with pytest.raises(UsageFault):
        read_word(word, TARGET)


@pytest.mark.parametrize(
    ("word", "told", "advice"),
    [
        ("a @ git+https://h.invalid/a", "names an address", "pip wheel --no-deps 'git+https://h.invalid/a'"),
        ("git+https://h.invalid/a", "names an address", "pip wheel --no-deps 'git+https://h.invalid/a'"),
        ("https://h.invalid/a-1-py3-none-any.whl#x", "names an address", "pip download --no-deps"),
        ("a==", "neither a file nor a requirement", "lxml==6.0.0"),
        ("a; os_name ~= 'posix'", "neither a file nor a requirement", "lxml==6.0.0"),
        ("-e", "neither a file nor a requirement", "lxml==6.0.0"),
        ("nothing-1.0.tar.gz", "no such file", "name a wheel"),
    ],
)
def test_read_word_anything_else_is_refused_with_advice(word: str, told: str, advice: str) -> None:
    with pytest.raises(WheelError, match=told) as caught:
        read_word(word, TARGET)
    assert advice in caught.value.next_step


def refusal(path: Path) -> WheelError:
    """The one error of a path, whether it is an argument or read as a wheel."""
    with pytest.raises(WheelError) as caught:
        read_word(str(path), TARGET)
    with pytest.raises(WheelError) as again:
        read_stock(path)
    assert (again.value.what, again.value.next_step) == (caught.value.what, caught.value.next_step)
    assert "damaged" not in caught.value.next_step
    return caught.value


@pytest.mark.parametrize("name", ["demo-1.0.tar.gz", "demo-1.0.zip"])
def test_why_no_wheel_sdist_says_how_to_build_it(tmp_path: Path, name: str) -> None:
    (info := tmp_path / "PKG-INFO").write_text("Name: demo\n")
    if name.endswith(".zip"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.write(info, "demo-1.0/PKG-INFO")
    else:
        with tarfile.open(tmp_path / name, "w:gz") as tar:
            tar.add(info, "demo-1.0/PKG-INFO")
    fault = refusal(tmp_path / name)
    assert f"{name} is an sdist, not a wheel" in fault.what
    assert "pip wheel --no-deps" in fault.next_step


def test_why_no_wheel_damaged_archive_is_no_wheel(tmp_path: Path) -> None:
    for ending, start in (
        (".tar.gz", b"\x1f\x8b\x08"),
        (".tar.xz", b"\xfd7zXZ\x00"),
        (".zip", b"PK\x03\x04"),
    ):
        (path := tmp_path / f"demo-1.0{ending}").write_bytes(start + b"\0" * 999)
        assert "is not a wheel's file name" in refusal(path).what


@pytest.mark.parametrize("name", ["requirements.txt", "dev.in", "pylock.dev.toml"])
def test_why_no_wheel_list_of_requirements_says_how_to_fetch_them(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("lxml==6.0.0\n")
    fault = refusal(tmp_path / name)
    assert f"{name} is a list of requirements" in fault.what
    assert "pip download" in fault.next_step


@pytest.mark.parametrize(
    ("inside", "told", "advice"),
    [
        ("pyproject.toml", "a folder of sources", "pip wheel --no-deps"),
        ("demo-1.0-py3-none-any.whl", "is a folder", "*.whl"),
        ("demo-1.0.dist-info", "an unpacked wheel", "wheel pack"),
        ("notes.rst", "is a folder", "name a wheel"),
    ],
)
@pytest.mark.parametrize("folder", ["place", "demo-1.0-py3-none-any.whl"])
def test_why_no_wheel_folder_says_what_it_holds(
    tmp_path: Path, folder: str, inside: str, told: str, advice: str
) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / inside).touch()
    fault = refusal(tmp_path / folder)
    assert told in fault.what
    assert advice in fault.next_step


def test_why_no_wheel_file_of_a_project_is_told_as_its_folder(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    assert "a folder of sources" in refusal(tmp_path / "pyproject.toml").what


def test_why_no_wheel_other_name_is_to_be_put_right(tmp_path: Path) -> None:
    path = write_wheel(tmp_path / "demo-1.0-py3-none-any.whl", demo_files()).rename(tmp_path / "demo.zip")
    fault = refusal(path)
    assert "a wheel under another name" in fault.what
    assert "the name that its project gave it" in fault.next_step


def test_read_stock_name_without_tags_is_to_be_put_right(tmp_path: Path) -> None:
    path = write_wheel(tmp_path / "demo-1.0-py3-none-any.whl", demo_files()).rename(tmp_path / "demo.whl")
    with pytest.raises(WheelError, match=r"'demo\.whl' is not a wheel's file name") as caught:
        read_stock(path)
    assert "the name that its project gave it" in caught.value.next_step


def test_read_word_file_is_a_path(tmp_path: Path) -> None:
    path = write_wheel(tmp_path / "demo-1.0-py3-none-any.whl", demo_files())
    assert read_word(str(path), TARGET) == path


@pytest.mark.parametrize("word", ["greenlet", "a[b]>=1", 'a; python_version>="3"'])
def test_read_extra_requirement_is_taken(word: str) -> None:
    assert read_extra(word).replace(" ", "") == word.replace(" ", "")


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("--index-url=http://127.0.0.1:9/", "PIP_INDEX_URL"),
        ("-r/etc/passwd", "is no requirement"),
        ("-e.", "is no requirement"),
        ("./x.whl", "is no requirement"),
        ("a @ https://h.invalid/a.whl", "PIP_FIND_LINKS, and give a==VERSION"),
        ('a; python_version<"3"', "does not apply to this Python"),
    ],
)
def test_read_extra_anything_else_is_refused(word: str, told: str) -> None:
    with pytest.raises(ValueError, match=r"^'") as caught:
        read_extra(word)
    assert told in str(caught.value)


def test_with_extras_unknown_extra_is_refused(tmp_path: Path) -> None:
    files = demo_files()
    name = "demo-1.0.dist-info/METADATA"
    files[name] = files[name].replace(b"\n\n", b"\nProvides-Extra: All_Of\nprovides-extra:b\n\n", 1)
    stock = read_stock(write_wheel(tmp_path / "demo-1.0-py3-none-any.whl", files))
    assert with_extras(stock, ("all-of", "b")).extras == ("all-of", "b")
    with pytest.raises(WheelError, match=r"demo 1\.0 has no extra c") as caught:
        with_extras(stock, ("b", "c"))
    assert caught.value.next_step == "its extras are: all-of, b"
