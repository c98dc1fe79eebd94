"""The public functions: documented, typed, and working without the command line."""

from __future__ import annotations

import inspect
import signal
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


def test_shrink_requirements_writes_an_index_and_says_what_became_of_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {**demo_files(), "demo/core.pyx": b"x" * 9_000, "demo/text.py": b'"""' + b"d" * 9_000 + b'"""\n'}
    write_wheel(tmp_path / "wheels" / "demo-1.0-py3-none-any.whl", files)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    (tmp_path / "requirements.txt").write_text("demo\n")
    context = make_context(tmp_path / "cache", logs=tmp_path)

    def shrunk(*, careful: bool) -> api.ShrunkWheel:
        folder = tmp_path / f"out-{careful}"
        (one,) = api.shrink_requirements(
            context, tmp_path / "requirements.txt", folder, careful=careful, check=False
        )
        assert (folder / "index" / "simple").is_dir()
        return one

    careful, bare = shrunk(careful=True), shrunk(careful=False)
    assert careful.tier == "slim"
    assert bare.before == careful.before > careful.after > bare.after


def test_write_index_unverified_wheel_is_refused_unless_allowed(tmp_path: Path) -> None:
    context = make_context(tmp_path / "cache", logs=tmp_path)
    wheel = write_wheel(tmp_path / "demo-1.0-py3-none-any.whl", demo_files())
    with pytest.raises(VerifyError):
        api.write_index(context, [wheel], tmp_path / "index")
    api.write_index(context, [wheel], tmp_path / "index", unverified=True)
    again = tmp_path / "again"
    api.write_index(context, [wheel], again, unverified=True)
    assert (again / "pylock.toml").read_text() == (tmp_path / "index" / "pylock.toml").read_text()
