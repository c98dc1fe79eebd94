"""What verification asks of imported modules: help(), the names in dir(), pickles; ours beside stock's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from spokeshave.verify.faults import import_faults
from spokeshave.verify.paired_run import Results
from support import RECIPES, shipped_plan

GONE = "ModuleNotFoundError('gone', name='kit.gone')"
SOUND = "def solve():\n    return 1\n"


def ask(folder: Path, **modules: str) -> dict[str, str]:
    """What the prover finds unsound in a package `kit` of these modules."""
    (folder / "kit").mkdir()
    for name, text in {"__init__": "", **modules}.items():
        (folder / "kit" / f"{name}.py").write_text(text, "utf-8")
    argv = [sys.executable, "-m", "spokeshave.inside.prover.public_modules", "kit"]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    assert answer["failed"] == {}
    found: dict[str, str] = answer["unsound"]
    return found


def results(**unsound: str) -> Results:
    return Results(outcomes={}, imported=("kit",), import_failures={}, unsound=unsound, blas=None)


def test_a_sound_package_has_no_fault(tmp_path: Path) -> None:
    assert ask(tmp_path, core=SOUND) == {}


def test_a_name_that_raises_anything_breaks_help_too(tmp_path: Path) -> None:
    old = (
        "def __dir__():\n    return ['gone']\n\ndef __getattr__(name):\n    raise ModuleNotFoundError(name)\n"
    )
    found = ask(tmp_path, old=old)
    assert {"kit.old.gone", "help(kit.old)"} <= set(found)


def test_a_module_that_raises_for_any_name_breaks_the_pickles_of_others(tmp_path: Path) -> None:
    stub = """
def __getattr__(name):
    if name[:2] == "__":
        raise AttributeError
    raise ImportError("left out")
"""
    homeless = "class Solve:\n    pass\nSolve.__module__ = None\n"
    found = ask(tmp_path, a_stub=stub, homeless=homeless)
    assert found["pickle kit.homeless.Solve"] == "ImportError: left out"


def test_what_stock_cannot_answer_either_is_no_fault() -> None:
    plan = shipped_plan("numpy")
    ours = results(**{"help(kit)": "boom", "pickle kit.solve": "no"})
    assert import_faults(ours, results(**{"pickle kit.solve": "no"}), plan) == ["help(kit): boom"]
    assert import_faults(ours, ours, plan) == []


def added(patch: Path, file: str) -> str:
    """The text of a file that a patch adds."""
    _, _, behind = patch.read_text("utf-8").partition(f"+++ b/{file}\n")
    lines = behind.splitlines()[1:]
    end = next((at for at, line in enumerate(lines) if not line.startswith("+")), len(lines))
    return "".join(f"{line[1:]}\n" for line in lines[:end])


def test_help_tells_a_class_that_derives_of_a_stand_in(tmp_path: Path) -> None:
    patch = RECIPES / "scikit-learn" / "patches" / "0007-import-without-some-models.patch"
    model = f"from kit.stand_in import stand_ins\n(_Base,) = stand_ins(1, {GONE})\n"
    model += "class Model(_Base):\n    def fit(self):\n        return 1\n"
    assert ask(tmp_path, stand_in=added(patch, "sklearn/_stand_in.py"), model=model) == {}


def test_a_stand_in_outside_pandas_itself_is_found_where_it_says(tmp_path: Path) -> None:
    patch = RECIPES / "pandas" / "patches" / "0001-io-without-some-formats.patch"
    typing = f"from kit.left_out import left_out\nReader = left_out('Reader', {GONE}, __name__)\n"
    assert ask(tmp_path, left_out=added(patch, "pandas/io/_left_out.py"), typing=typing) == {}
