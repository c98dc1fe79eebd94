"""Wheels for the target: markers, tags and hashes are those of the target, whatever machine this is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from spokeshave.context import Context
from spokeshave.errors import EngineMissing, HashMismatch, UsageFault
from spokeshave.inside.model import Target, file_sha256
from spokeshave.shrink.model import Resolved, ShrinkRequest
from spokeshave.shrink.resolving import resolve, target_tags
from spokeshave.shrink.uv_tool import find_uv
from spokeshave.slim.model import Settings
from support import demo_files, make_context, write_wheel


def wheel(folder: Path, name: str, tag: str = "py3-none-any", *requires: str) -> Path:
    files = demo_files(name)
    metadata = f"{name}-1.0.dist-info/METADATA"
    lines = "".join(["Provides-Extra: more\n", *(f"Requires-Dist: {one}\n" for one in requires)]).encode()
    files[metadata] = files[metadata].replace(b"\n\n", b"\n" + lines + b"\n")
    return write_wheel(folder / f"{name}-1.0-{tag}.whl", files)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only wheels that pip and uv can find."""
    folder = tmp_path / "wheels"
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    wheel(folder, "app", "py3-none-any", "fast; platform_machine == 'aarch64'", "demo; extra == 'more'")
    wheel(folder, "demo")
    for arch in ("x86_64", "aarch64"):
        wheel(folder, "fast", f"cp312-cp312-manylinux_2_28_{arch}")
    return folder


def request(*inputs: str, target: Target | None = None, output: Path = Path("out")) -> ShrinkRequest:
    return ShrinkRequest(inputs=inputs, target=target or Target(), settings=Settings(), output=output)


def resolved(context: Context, wanted: ShrinkRequest, tmp_path: Path) -> Resolved:
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    return resolve(context, wanted, scratch)


def names(found: Resolved) -> list[str]:
    return [pick.filename for pick in found.picks]


def test_resolve_markers_and_tags_are_those_of_the_target(index: Path, tmp_path: Path) -> None:
    context = make_context(tmp_path)
    there = request("app", target=Target(python="cp312", arch="aarch64"))
    assert names(resolved(context, there, tmp_path)) == [
        "app-1.0-py3-none-any.whl",
        "fast-1.0-cp312-cp312-manylinux_2_28_aarch64.whl",
    ]
    here = request("app", target=Target(python="cp312"))
    assert names(resolved(context, here, tmp_path)) == ["app-1.0-py3-none-any.whl"]


@pytest.mark.parametrize("resolver", ["uv", "pip"])
def test_resolve_extras_includes_and_constraints_hold(index: Path, tmp_path: Path, resolver: str) -> None:
    (tmp_path / "requirements.txt").write_text("-r more.txt\n-c pins.txt\n")
    (tmp_path / "more.txt").write_text("app[more]\nfast; sys_platform == 'win32'\n")
    (tmp_path / "pins.txt").write_text("demo==1.0\n")
    wanted = replace(request(str(tmp_path / "requirements.txt")), resolver=resolver)  # type: ignore[arg-type]
    found = resolved(make_context(tmp_path), wanted, tmp_path)
    assert names(found) == ["app-1.0-py3-none-any.whl", "demo-1.0-py3-none-any.whl"]
    assert found.picks[1].sha256 == file_sha256(index / "demo-1.0-py3-none-any.whl")
    (tmp_path / "pins.txt").write_text("demo<1\n")
    with pytest.raises(Exception, match=r"demo"):
        resolved(make_context(tmp_path), wanted, tmp_path)


def test_resolve_pinned_hash_of_another_file_is_refused(index: Path, tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text(f"demo==1.0 --hash=sha256:{file_sha256(index / 'demo-1.0-py3-none-any.whl')}\n")
    assert len(resolved(make_context(tmp_path), request(str(path)), tmp_path).picks) == 1
    path.write_text(f"demo==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(HashMismatch, match=r"no wheel of demo 1.0 .* has a pinned sha256"):
        resolved(make_context(tmp_path), request(str(path)), tmp_path)


def test_resolve_pip_refuses_another_architecture(index: Path, tmp_path: Path) -> None:
    wanted = replace(request("app", target=Target(arch="riscv64")), resolver="pip")
    with pytest.raises(EngineMissing) as caught:
        resolved(make_context(tmp_path), wanted, tmp_path)
    assert "install uv" in caught.value.next_step


def test_resolve_lock_without_a_wheel_says_so(tmp_path: Path) -> None:
    path = tmp_path / "pylock.toml"
    path.write_text(
        'lock-version = "1.0"\ncreated-by = "a test"\n'
        '[[packages]]\nname = "mine"\nversion = "1"\ndirectory = { path = "." }\n'
    )
    found = resolved(make_context(tmp_path), request(str(path)), tmp_path)
    assert [(one.project, one.why) for one in found.left] == [("mine", "a folder: there is no wheel")]
    path.write_text('lock-version = "1.0"\n')
    with pytest.raises(UsageFault, match="is not a lock of PEP 751"):
        resolved(make_context(tmp_path), request(str(path)), tmp_path)


def test_uv_has_pips_indexes_unless_it_has_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "https://example.invalid/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    uv = find_uv(make_context(tmp_path), Target())
    assert uv
    assert uv.environ["UV_DEFAULT_INDEX"] == "https://example.invalid/simple"
    assert uv.environ["UV_FIND_LINKS"] == str(tmp_path)
    assert not uv.no_index
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    uv = find_uv(make_context(tmp_path), Target())
    assert uv and uv.no_index
    monkeypatch.setenv("UV_INDEX", "https://other.invalid/simple")
    uv = find_uv(make_context(tmp_path), Target())
    assert uv and "UV_DEFAULT_INDEX" not in uv.environ


def test_target_tags_are_those_of_its_glibc_best_first() -> None:
    tags = [str(tag) for tag in target_tags(Target(python="cp312", arch="aarch64"))]
    assert tags[0] == "cp312-cp312-manylinux_2_31_aarch64"
    assert "cp39-abi3-manylinux2014_aarch64" in tags
    assert tags[-1] == "py30-none-any"
    assert not [tag for tag in tags if "x86_64" in tag or "2_32" in tag]
