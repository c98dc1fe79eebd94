"""Authors of extension arrays derive their tests of pandas' base classes, which the wheel keeps."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the wheels are for CPython 3.11")

CONFTEST = "from pandas.tests.extension.conftest import *\n"
DERIVED = """
import numpy as np
import pandas as pd
import pytest
from pandas.tests.extension import base

@pytest.fixture
def dtype():
    return pd.Int64Dtype()

@pytest.fixture
def data(dtype):
    return pd.array(np.arange(1, 11), dtype=dtype)

@pytest.fixture
def data_missing(dtype):
    return pd.array([pd.NA, 1], dtype=dtype)

@pytest.fixture
def na_value():
    return pd.NA

class TestCasting(base.BaseCastingTests):
    pass

class TestConstructors(base.BaseConstructorsTests):
    pass

class TestInterface(base.BaseInterfaceTests):
    pass
"""


def test_extension_base_classes_can_be_derived_of(wheelhouse: Path, tmp_path: Path) -> None:
    profile = sorted(path.name.split("+")[1].split(".")[0] for path in wheelhouse.glob("numpy-*.whl"))[0]
    wheels = sorted(wheelhouse.glob(f"*+{profile}.*.whl"))
    if not any(wheel.name.startswith("pandas-") for wheel in wheels):
        pytest.skip("the wheelhouse has no pandas: spokeshave build --all")
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    wanted = [str(wheel) for wheel in wheels if wheel.name.startswith(("numpy-", "pandas-", "slim_"))]
    pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-compile", *wanted]
    subprocess.run([*pip, "pytest<10", "hypothesis<7"], check=True)
    (tmp_path / "conftest.py").write_text(CONFTEST, "utf-8")
    (tmp_path / "test_derived.py").write_text(DERIVED, "utf-8")
    argv = [str(venv / "bin" / "python"), "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_derived.py"]
    done = subprocess.run(argv, cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
