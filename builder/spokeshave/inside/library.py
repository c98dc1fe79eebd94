"""Makes the wheel of a library recipe from its make-built static archive.

Runs inside the build container as part of a hatchling build hook (`templates/hatch_build.py`), so standard
library only. The archive is linked whole, with a version script that exports just the listed names;
the linker then drops every section that none of them reaches.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spokeshave.inside.model import BuildPlan
from spokeshave.inside.run import Command, run


def build_library(plan: BuildPlan, tree: Path, package: Path, *, jobs: int) -> None:
    """Runs make in `tree` with that many jobs, and fills `package` with lib/ and lib/pkgconfig/.

    Raises RuntimeError where make or the linker fails, or where a listed symbol does not exist.
    """
    settings = plan.compile.settings
    build = tree / plan.compile.directory
    _make(plan, build, jobs)
    table = settings["library"]
    archives = sorted(path for path in build.glob(table["archive"]) if not path.is_symlink())
    if len(archives) != 1:
        raise RuntimeError(f"{table['archive']!r} matches {len(archives)} archives in {build}")
    lib = package / "lib"
    (lib / "pkgconfig").mkdir(parents=True, exist_ok=True)
    names = exported_names(plan)
    _link(plan, archives[0], lib / table["soname"], names)
    _write_pkg_config(plan, table, lib / "pkgconfig" / f"{table['pkg_config']}.pc")


def exported_names(plan: BuildPlan) -> tuple[str, ...]:
    """The symbols of the recipe's export lists, sorted."""
    listings = plan.compile.settings["library"]["exports"]
    return tuple(sorted({name for one in listings for name in symbols_in(plan.compile.files[one])}))


def symbols_in(listing: str) -> set[str]:
    """The symbols that a list names, one a line; `#` starts a comment."""
    return {line.split("#")[0].strip() for line in listing.splitlines()} - {""}


def _make(plan: BuildPlan, build: Path, jobs: int) -> None:
    settings = plan.compile.settings
    variables: Mapping[str, str] = {
        **settings["variables"],
        settings["flags-variable"]: " ".join(plan.compile.flags["c"]),
    }
    pairs = tuple(f"{key}={value}" for key, value in variables.items())
    # One make after the other: at the same time, two targets would write to one archive at once.
    goals: list[tuple[str, ...]] = [(name,) for name in settings["targets"]]
    for goal in goals or [()]:
        argv = ("make", f"-j{jobs}", *pairs, *goal)
        done = run(Command(argv=argv, cwd=build, on_line=lambda line: print(line, flush=True)))
        if not done.ok:
            raise RuntimeError(f"make {' '.join(goal)} exited with {done.returncode}")


def _link(plan: BuildPlan, archive: Path, target: Path, names: tuple[str, ...]) -> None:
    script = target.parent.parent / "exports.map"
    script.write_text("{ global:\n" + "".join(f"  {n};\n" for n in names) + "local: *; };\n", "utf-8")
    table: Mapping[str, Any] = plan.compile.settings["library"]
    argv = (
        "cc",
        "-shared",
        "-Wl,--whole-archive",
        str(archive),
        "-Wl,--no-whole-archive",
        *plan.compile.flags["link"],
        "-Wl,-z,relro",
        "-Wl,-z,defs",
        "-Wl,-Bsymbolic-functions",  # its own calls do not leave it, whatever other BLAS the process has
        f"-Wl,-soname,{table['soname']}",
        f"-Wl,--version-script={script}",
        *(f"-l{name}" for name in table["link"]),
        "-o",
        str(target),
    )
    done = run(Command(argv=argv))
    print(done.output, flush=True)
    script.unlink()
    if not done.ok:
        raise RuntimeError(f"linking {target.name} exited with {done.returncode}")
    _check_exports(target, names)


def _check_exports(target: Path, names: tuple[str, ...]) -> None:
    done = run(Command(argv=("nm", "--dynamic", "--defined-only", "--format=posix", str(target))))
    defined = {line.split()[0] for line in done.output.splitlines() if line}
    missing = sorted(set(names) - defined)
    if not done.ok or missing:
        raise RuntimeError(f"{target.name} lacks {len(missing)} listed symbols: {', '.join(missing[:10])}")


def _write_pkg_config(plan: BuildPlan, table: Mapping[str, Any], path: Path) -> None:
    path.write_text(
        "prefix=${pcfiledir}/../..\n"
        "libdir=${prefix}/lib\n"
        f"Name: {table['pkg_config']}\n"
        f"Description: {plan.compile.settings['summary']}\n"
        f"Version: {plan.version}\n"
        f"Libs: ${{libdir}}/{table['soname']}\n",
        "utf-8",
    )
