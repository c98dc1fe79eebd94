"""A fault is blamed on the package that its innermost frames are in; the first one is mended first."""

from __future__ import annotations

from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import Version

from spokeshave.shrink.blame import Fault, blame, dependents, in_order
from spokeshave.shrink.model import Chosen, Pick
from support import demo_files, write_wheel

REQUIRES = {
    "a": frozenset({"c"}),
    "b": frozenset({"a"}),
    "c": frozenset[str](),
    "x": frozenset({"y"}),
    "y": frozenset({"x"}),
}


def chosen(tmp_path: Path, name: str, requires: str = "", sha256: str = "1") -> Chosen:
    files = demo_files(name)
    info = f"{name}-1.0.dist-info/METADATA"
    if requires:
        files[info] = files[info].replace(b"\n\n", f"\nRequires-Dist: {requires}\n\n".encode(), 1)
    path = write_wheel(tmp_path / f"{name}-1.0-py3-none-any.whl", files)
    pick = Pick(project=canonicalize_name(name), version=Version("1.0"), filename=path.name, sha256="0")
    return Chosen(pick=pick, stock=path, wheel=path, sha256=sha256, tier="slim", why="", before=1, after=1)


def fault(project: str, *files: str) -> Fault:
    return Fault(project=project, kind="module", name=project, text="broken", files=files)


def test_in_order_required_packages_come_first_and_cycles_end() -> None:
    assert in_order(REQUIRES) == ("c", "a", "b", "y", "x")


def test_dependents_through_others_are_found_and_cycles_end() -> None:
    assert dependents(REQUIRES, "c") == {"a", "b"}
    assert dependents(REQUIRES, "x") == {"y"}


def test_blame_innermost_changed_wheel_in_order_of_dependency(tmp_path: Path) -> None:
    wheels = [
        chosen(tmp_path, "atop", "zbase"),
        chosen(tmp_path, "same", sha256="0"),
        chosen(tmp_path, "zbase"),
    ]
    through = fault("atop", "same/__init__.py", "zbase/__init__.py", "atop/__init__.py")
    own, strange = fault("atop"), fault("same", "same/__init__.py")
    found = blame([own, through, strange], wheels)
    assert list(found.items()) == [("zbase", (through,)), ("atop", (own,))]
