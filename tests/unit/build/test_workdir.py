"""The work folder of the finish step: a compiled wheel with the patches that removals need."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from spokeshave.build.workdir import with_removal_patches
from spokeshave.errors import PatchError
from spokeshave.inside.wheel import record_faults
from support import demo_files, shipped_plan, write_wheel

NAME = "demo-1.0-cp311-cp311-linux_x86_64.whl"
PATCH = """Why: nothing asks for it here.

--- a/demo/__init__.py
+++ b/demo/__init__.py
@@ -1 +1 @@
-value = 1
+value = 2
"""
SECOND = PATCH.replace("value = 2", "value = 3").replace("value = 1", "value = 2")


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return write_wheel(tmp_path / NAME, {**demo_files(), "demo/_core.so": b"\x7fELF"})


def test_removal_patches_change_the_compiled_wheel_in_order(raw: Path, tmp_path: Path) -> None:
    before = raw.read_bytes()
    plan = replace(shipped_plan("numpy"), removal_patches={"1.patch": PATCH, "2.patch": SECOND})
    patched = with_removal_patches(plan, raw, tmp_path / "work")
    assert patched.name == NAME
    with zipfile.ZipFile(patched) as archive:
        assert archive.read("demo/__init__.py") == b"value = 3\n"
        assert archive.read("demo/_core.so") == b"\x7fELF"
        assert record_faults(archive) == []
    assert raw.read_bytes() == before, "the store's wheel is for other profiles too"


def test_removal_patches_none_the_same_wheel(raw: Path, tmp_path: Path) -> None:
    plan = replace(shipped_plan("numpy"), removal_patches={})
    assert with_removal_patches(plan, raw, tmp_path / "work") == raw
    assert not (tmp_path / "work").exists()


def test_removal_patches_hunk_that_does_not_fit_is_an_error(raw: Path, tmp_path: Path) -> None:
    plan = replace(shipped_plan("numpy"), removal_patches={"2.patch": SECOND})
    with pytest.raises(PatchError, match=r"2\.patch"):
        with_removal_patches(plan, raw, tmp_path / "work")
