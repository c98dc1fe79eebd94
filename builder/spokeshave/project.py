"""What the compile sees beside the source: a project around a make-built library, compiler launchers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from spokeshave.model import BuildPlan, Level

_BACKEND = Path(__file__).parent / "backend"
_COMPILERS = {"cc": "gcc", "c++": "g++", "gfortran": "gfortran"}


def write_library_project(plan: BuildPlan, tree: Path, project: Path) -> None:
    """A generated hatchling project around a make-built source tree."""
    package = project / plan.import_name
    package.mkdir(parents=True)
    shutil.move(tree, project / "tree")
    shutil.copyfile(_BACKEND / "hatch_build.py", project / "hatch_build.py")
    soname = plan.compile.settings["library"]["soname"]
    init = (_BACKEND / "library_init.py").read_text("utf-8").replace("@SONAME@", soname)
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
    """Compiler launchers: `cc`, `c++`, `gfortran` that add the level of the source's part."""
    folder = kit / "bin"
    folder.mkdir()
    shutil.copyfile(_BACKEND / "glibc_pins.h", kit / "glibc_pins.h")
    template = (_BACKEND / "launcher.sh.in").read_text("utf-8")
    cases = _cases(plan.compile.levels)
    fixes = _cases(plan.compile.fixes)
    for name, compiler in _COMPILERS.items():
        path = folder / name
        path.write_text(
            template.replace("@COMPILER@", compiler)
            .replace("@LEVELS@", cases)
            .replace("@FIXES@", fixes)
            .replace("@RPATHS@", _rpaths(plan)),
            "utf-8",
        )
        path.chmod(0o755)


def _cases(rows: tuple[Level, ...]) -> str:
    return "".join(f'  {row.match}) set -- "$@" -{row.level} ;;\n' for row in rows)


def _rpaths(plan: BuildPlan) -> str:
    """Where an ext module one, two or three folders deep in its package finds the shared libraries."""
    return " ".join(
        f"'-Wl,-rpath,$ORIGIN/{'../' * depth}{name.replace('-', '_')}/lib'"
        for name in sorted(plan.libraries)
        for depth in (2, 3, 4)
    )
