"""The public functions: documented, typed, and working without the command line."""

from __future__ import annotations

import inspect
import signal
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from spokeshave import api
from spokeshave.errors import VerifyError
from support import demo_files, make_context, write_wheel

FUNCTIONS = [name for name in api.__all__ if inspect.isfunction(getattr(api, name))]


@pytest.fixture(autouse=True)
def handler() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_api_function_is_documented_and_typed(name: str) -> None:
    function = getattr(api, name)
    signature = inspect.signature(function)
    assert inspect.getdoc(function)
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(one.annotation is not inspect.Parameter.empty for one in signature.parameters.values())


def test_api_is_small() -> None:
    assert len(FUNCTIONS) <= 12
    assert sorted(api.__all__) == sorted(set(api.__all__))


def test_open_context_makes_a_log_folder_in_the_cache(tmp_path: Path) -> None:
    with api.open_context(tmp_path / "cache") as context:
        assert context.logs.is_dir() and context.logs.is_relative_to(tmp_path / "cache")
        assert context.store.root == tmp_path / "cache"


def test_slim_levers_careful_keeps_texts() -> None:
    assert "docstrings" in api.slim_levers() and "tests" in api.slim_levers()
    assert "docstrings" not in api.slim_levers(careful=True)
    assert set(api.slim_levers()) - set(api.slim_levers(without=("docstrings",))) == {"docstrings"}


def test_slim_wheels_writes_a_slim_wheel_with_its_record(tmp_path: Path) -> None:
    context = make_context(tmp_path / "cache", logs=tmp_path)
    wheel = write_wheel(
        tmp_path / "demo-1.0-py3-none-any.whl", {**demo_files(), "demo/tests/test_demo.py": b"assert True\n"}
    )
    api.slim_wheels(context, [wheel], tmp_path / "slim", levers=("tests",), check=False)
    (slim,) = (tmp_path / "slim").glob("*.whl")
    with zipfile.ZipFile(slim) as archive:
        names = archive.namelist()
    assert "demo/__init__.py" in names and "demo/tests/test_demo.py" not in names
    assert len(list((tmp_path / "slim").glob("*.slim.json"))) == 1


def test_write_index_unverified_wheel_is_refused_unless_allowed(tmp_path: Path) -> None:
    context = make_context(tmp_path / "cache", logs=tmp_path)
    wheel = write_wheel(tmp_path / "demo-1.0-py3-none-any.whl", demo_files())
    with pytest.raises(VerifyError):
        api.write_index(context, [wheel], tmp_path / "index")
    api.write_index(context, [wheel], tmp_path / "index", unverified=True)
    again = tmp_path / "again"
    api.write_index(context, [wheel], again, unverified=True)
    assert (again / "pylock.toml").read_text() == (tmp_path / "index" / "pylock.toml").read_text()
