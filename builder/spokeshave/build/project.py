"""Generated files of a compile: a project around a make-built library, and compiler launchers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from spokeshave.inside.model import BuildPlan, Level
from spokeshave.own_code import package_root

_TEMPLATES = package_root() / "inside" / "templates"
_COMPILERS = {"cc": "gcc", "c++": "g++", "gfortran": "gfortran"}


def write_library_project(plan: BuildPlan, tree: Path, project: Path) -> None:
    """A generated hatchling project around a make-built source tree."""
    package = project / plan.import_name
    package.mkdir(parents=True)
    shutil.move(tree, project / "tree")
    shutil.copyfile(_TEMPLATES / "hatch_build.py", project / "hatch_build.py")
    soname = plan.compile.settings["library"]["soname"]
    init = (_TEMPLATES / "library_init.py").read_text("utf-8").replace("@SONAME@", soname)
    (package / "__init__.py").write_text(init, "utf-8")
    quoted = {key: json.dumps(value) for key, value in _project_table(plan).items()}
    (project / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n\n'
        "[project]\n" + "".join(f"{key} = {value}\n" for key, value in quoted.items()) + "\n"
        "[tool.hatch.build.targets.wheel]\n"
        f"packages = [{json.dumps(plan.import_name)}]\n"
        f"artifacts = [{json.dumps(plan.import_name + '/**')}]\n"
        "[tool.hatch.build.targets.wheel.hooks.custom]\n",
        "utf-8",
    )


def _project_table(plan: BuildPlan) -> Mapping[str, object]:
    return {
        "name": plan.distribution,
        "version": plan.version,
        "description": plan.compile.settings["summary"],
        "license": plan.compile.settings["license"],
        "requires-python": ">=3.9",
    }


def write_launchers(plan: BuildPlan, kit: Path) -> None:
    """Launchers on the path: compilers that add the level of the source's part, and Cython."""
    folder = kit / "bin"
    folder.mkdir()
    for name in ("glibc_pins.h", "glibc_pins.s"):
        shutil.copyfile(_TEMPLATES / name, kit / name)
    cases = {"@LEVELS@": _cases(plan.compile.levels), "@FIXES@": _cases(plan.compile.fixes)}
    for name, compiler in _COMPILERS.items():
        _write_launcher(folder / name, "launcher.sh.in", {"@COMPILER@": compiler, **cases})
    flags = " ".join(plan.compile.flags["cython"])
    _write_launcher(folder / "cython", "cython.sh.in", {"@FLAGS@": flags})


def _write_launcher(path: Path, template: str, values: Mapping[str, str]) -> None:
    text = (_TEMPLATES / template).read_text("utf-8")
    for mark, value in values.items():
        text = text.replace(mark, value)
    path.write_text(text, "utf-8")
    path.chmod(0o755)


def _cases(rows: tuple[Level, ...]) -> str:
    return "".join(f'  {row.match}) set -- "$@" -{row.level} ;;\n' for row in rows)
