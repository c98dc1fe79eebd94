"""What dir() lists of public modules and classes: what ours lacks of stock's, with names."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from spokeshave.inside.levers.lever import Tree
from spokeshave.inside.model import BuildPlan, Removed
from spokeshave.inside.stubs import remove
from spokeshave.verify.outcomes import name_faults
from support import shipped_plan

# As scipy.stats has it: the attributes are there once the class has made an instance for its docstring.
LAZY = """
class Base:
    def __init__(self):
        for name in self.parameters:
            setattr(type(self), name, property(lambda self: 1))

class Normal(Base):
    parameters = "mu", "sigma"

def solve(): pass
"""
STOCK = {
    "__init__": "from kit.core import Normal\nfrom kit.extra import Late\nvalue = 1\n",
    "core": f"{LAZY}\nNormal()\n",
    "extra": "class Late:\n    def later(self): pass\n",
    "_hidden": "secret = 1\n",
    "tests": "def test(): pass\n",
}


def write(folder: Path, modules: Mapping[str, str]) -> Path:
    (folder / "kit").mkdir(parents=True)
    for name, text in modules.items():
        (folder / "kit" / f"{name}.py").write_text(text, "utf-8")
    return folder


def ask(folder: Path, *files: Path) -> dict[str, Any]:
    """What the prover writes of the package `kit` in a folder."""
    argv = [sys.executable, "-m", "spokeshave.inside.prover.public_modules", "kit", *map(str, files)]
    subprocess.run(argv, cwd=folder, capture_output=True, check=True)
    found: dict[str, Any] = json.loads(files[0].read_text())
    return found


def lacking(tmp_path: Path, ours: Path) -> dict[str, dict[str, str]]:
    names = tmp_path / "names.json"
    ask(write(tmp_path / "stock", STOCK), names)
    return ask(ours, tmp_path / "lacking.json", names)


def test_lacking_the_same_package_lacks_nothing(tmp_path: Path) -> None:
    assert lacking(tmp_path, write(tmp_path / "ours", STOCK)) == {}


def test_offered_is_the_same_in_every_run(tmp_path: Path) -> None:
    folder = write(tmp_path / "stock", STOCK)
    first, second = (ask(folder, tmp_path / f"{number}.json") for number in (1, 2))
    assert first == second
    assert list(first) == ["kit", "kit.Late", "kit.Normal", "kit.core", "kit.core.Base", "kit.extra"]
    assert {"Normal", "value"} <= set(first["kit"]["names"])
    assert not {"core", "extra", "_hidden"} & set(first["kit"]["names"]), "submodules come and go"
    assert {"mu", "sigma", "parameters"} <= set(first["kit.Normal"]["names"])


def test_offered_origins_are_the_modules_whose_code_it_is(tmp_path: Path) -> None:
    named = "from kit.core import Normal\nfrom kit.extra import Late\nLate.__module__ = 'kit'\n"
    first = ask(write(tmp_path / "stock", {**STOCK, "__init__": named}), tmp_path / "names.json")
    assert first["kit"]["from"] == "kit"
    assert first["kit"]["names"]["Late"] == "kit.extra", "not where it says that it is from"
    assert first["kit.Late"]["from"] == "kit.extra"
    assert first["kit.core"]["names"]["solve"] == ""


def test_name_faults_what_a_removed_module_defines_is_none(tmp_path: Path) -> None:
    """A patch puts something else in its place, which has other names and raises no stub's error."""
    names = tmp_path / "names.json"
    offered = ask(write(tmp_path / "stock", STOCK), names)
    patched = {**STOCK, "__init__": "from kit.core import Normal\nclass Late: pass\nvalue = 1\n"}
    found = ask(write(tmp_path / "ours", patched), tmp_path / "lacking.json", names)
    assert list(found["kit.Late"]) == ["later"]
    assert name_faults(found, {}, offered) == ["dir(kit.Late) lacks later"]
    assert name_faults(found, {}, offered, {"kit.core"}) == ["dir(kit.Late) lacks later"]
    assert name_faults(found, {}, offered, {"kit.extra"}) == []
    gone = {"kit": {"Late": "AttributeError: Late"}}
    assert name_faults(gone, {}, offered) == ["dir(kit) lacks Late"]
    assert name_faults(gone, {}, offered, {"kit.extra"}) == []


def test_lacking_what_a_class_has_after_its_first_instance_is_told(tmp_path: Path) -> None:
    found = lacking(tmp_path, write(tmp_path / "ours", {**STOCK, "core": LAZY}))
    assert found == {
        "kit.Normal": {
            name: f"AttributeError: type object 'Normal' has no attribute '{name}'"
            for name in ("mu", "sigma")
        }
    }
    assert name_faults(found, {}) == ["dir(kit.Normal) lacks mu, sigma"]


def test_lacking_a_module_s_name_is_told_and_docstrings_are_none(tmp_path: Path) -> None:
    core = f"{LAZY}\nNormal()\n".replace("def solve(): pass", "__test__ = {}")
    found = lacking(tmp_path, write(tmp_path / "ours", {**STOCK, "core": core}))
    assert name_faults(found, {}) == ["dir(kit.core) lacks solve"]
    found = {"kit.Base": {f"name{number:02}": "" for number in range(30)}}
    assert name_faults(found, {})[0].endswith("name08, name09 and 20 more")


def test_lacking_a_class_that_became_something_else_is_told(tmp_path: Path) -> None:
    core = f"{LAZY}\ndef Normal(): pass\n"
    (fault,) = name_faults(lacking(tmp_path, write(tmp_path / "ours", {**STOCK, "core": core})), {})
    assert fault.startswith("dir(kit.Normal) lacks ")
    assert fault.endswith("mu, parameters, sigma")


def left_out(folder: Path) -> BuildPlan:
    """Takes a component out of the package, as a build does."""
    part = Removed(
        component="extra",
        reason="nobody needs it",
        modules=("kit.extra",),
        late=(),
        files=(),
    )
    plan = replace(shipped_plan("numpy"), removed=(part,))
    remove(plan, part, Tree(root=folder, tests=folder / "tests"))
    return plan


def test_lacking_what_a_removed_component_s_stub_tells_is_no_fault(tmp_path: Path) -> None:
    patched = """
from kit.core import Normal
value = 1

def __getattr__(name):
    if name == "Late":
        try:
            import kit.extra
        except ImportError as fault:
            raise AttributeError(str(fault)) from fault
    raise AttributeError(name)
"""
    ours = write(tmp_path / "ours", {**STOCK, "__init__": patched})
    left_out(ours)
    found = lacking(tmp_path, ours)
    assert list(found) == ["kit"]
    assert "is not in this wheel of numpy" in found["kit"]["Late"]
    assert name_faults(found, {("numpy", "extra"): "extra"}) == []
    assert name_faults(found, {("numpy", "other"): "other"}) == ["dir(kit) lacks Late"]
