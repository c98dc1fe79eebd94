"""Makes the wheel of a library recipe from its make-built static archives.

Runs inside the build container as part of a hatchling build hook (`templates/hatch_build.py`), so standard
library only. The archives are linked whole, with a version script that exports just the listed names;
the linker then drops every section that none of them reaches. The compiled wheel keeps them: the finish
step links them again for a profile that needs fewer names.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from spokeshave.inside import make_tree, second_width
from spokeshave.inside.model import BuildPlan
from spokeshave.inside.run import Command, run

ARCHIVES = "archives"
"""The folder of a compiled library's package that holds the archives it was linked from."""


def build_library(plan: BuildPlan, tree: Path, package: Path, *, jobs: int) -> None:
    """Runs make in `tree` with that many jobs, and fills `package` with lib/, lib/pkgconfig/ and archives/.

    Raises RuntimeError where make or the linker fails, or where a listed symbol does not exist.
    """
    settings = plan.compile.settings
    build = tree / plan.compile.directory
    table = settings["library"]
    second = second_width.copy_source(build) if table["ilp64"] else None
    unreached = _listed(plan, table["unreached"])
    make_tree.put_placeholders(build, unreached)
    make_tree.make(plan, build, settings["targets"], {}, jobs=jobs)
    archives = [make_tree.the_archive(build, table["archive"])]
    make_tree.check_members(archives[0], unreached)
    if second:
        wide = _listed(plan, (table["ilp64"]["exports"],))
        archives.append(second_width.make_second(plan, build, second, wide, jobs=jobs))
    lib = package / "lib"
    (lib / "pkgconfig").mkdir(parents=True, exist_ok=True)
    kept = _keep(archives, package / ARCHIVES)
    link(plan, kept, lib / table["soname"])
    _write_pkg_config(plan, table["pkg_config"], lib / "pkgconfig")
    if second:
        prefix, _, suffix = table["ilp64"]["symbol"].partition("{}")
        _write_pkg_config(  # numpy reads the variable and the field
            plan,
            table["ilp64"]["pkg_config"],
            lib / "pkgconfig",
            variables={"symbol_suffix": suffix},
            fields={"Cflags": f"-DBLAS_SYMBOL_PREFIX={prefix}"},
        )


def _keep(archives: Iterable[Path], folder: Path) -> list[Path]:
    """Moves archives into a folder, under their numbers: the archives of both widths have one name."""
    folder.mkdir(parents=True)
    return [Path(shutil.move(path, folder / f"{number}.a")) for number, path in enumerate(archives)]


def settle(plan: BuildPlan, package: Path, *, compiler: Path) -> None:
    """Links the library again where the profile needs fewer names, and deletes the archives.

    `compiler` is the launcher that adapts flags to the machine's linker.
    Raises RuntimeError as `build_library` does.
    """
    archives = package / ARCHIVES
    if plan.unlinked:
        target = package / "lib" / plan.compile.settings["library"]["soname"]
        kept = sorted(archives.glob("*.a"))
        link(plan, kept, target, without=frozenset(plan.unlinked), compiler=str(compiler))
    shutil.rmtree(archives)


def _second_names(plan: BuildPlan) -> dict[str, str]:
    """The other names of exported symbols, at the same address, each with its symbol."""
    rows = plan.compile.settings["library"]["aliases"]
    return {
        row["symbol"].replace("{}", name): name for row in rows for name in _listed(plan, (row["exports"],))
    }


def _wide_names(plan: BuildPlan) -> tuple[str, ...]:
    table = plan.compile.settings["library"]["ilp64"]
    if not table:
        return ()
    return tuple(second_width.exported_as(table["symbol"], _listed(plan, (table["exports"],))).values())


def _listed(plan: BuildPlan, files: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({name for one in files for name in symbols_in(plan.compile.files[one])}))


def symbols_in(listing: str) -> set[str]:
    """The symbols that a list names, one a line; `#` starts a comment."""
    return {line.split("#")[0].strip() for line in listing.splitlines()} - {""}


def link(
    plan: BuildPlan,
    archives: Iterable[Path],
    target: Path,
    *,
    without: frozenset[str] = frozenset(),
    compiler: str = "cc",
) -> None:
    """Links archives to a library with the plan's names but `without`.

    Raises RuntimeError where the linker fails, or where a listed symbol does not exist.
    """
    aliases = {new: old for new, old in _second_names(plan).items() if old not in without}
    listed = set(_listed(plan, plan.compile.settings["library"]["exports"])) - without
    names = sorted({*listed, *aliases, *_wide_names(plan)})
    script, assignments = (target.parent.parent / name for name in ("exports.map", "aliases.ld"))
    script.write_text("{ global:\n" + "".join(f"  {n};\n" for n in names) + "local: *; };\n", "utf-8")
    assignments.write_text("".join(f"{new} = {old};\n" for new, old in sorted(aliases.items())), "utf-8")
    table: Mapping[str, Any] = plan.compile.settings["library"]
    argv = (
        compiler,
        "-shared",
        "-Wl,--whole-archive",
        *map(str, archives),
        "-Wl,--no-whole-archive",
        *([str(assignments)] if aliases else []),
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
    assignments.unlink()
    if not done.ok:
        raise RuntimeError(f"linking {target.name} exited with {done.returncode}")
    _check_exports(target, names)


def _check_exports(target: Path, names: Iterable[str]) -> None:
    done = run(Command(argv=("nm", "--dynamic", "--defined-only", "--format=posix", str(target))))
    defined = {line.split()[0] for line in done.output.splitlines() if line}
    missing = sorted(set(names) - defined)
    if not done.ok or missing:
        raise RuntimeError(f"{target.name} lacks {len(missing)} listed symbols: {', '.join(missing[:10])}")


def _write_pkg_config(
    plan: BuildPlan,
    name: str,
    folder: Path,
    *,
    variables: Mapping[str, str] | None = None,
    fields: Mapping[str, str] | None = None,
) -> None:
    """Writes NAME.pc, with further variables and fields."""
    settings = plan.compile.settings
    every_variable = {"prefix": "${pcfiledir}/../..", "libdir": "${prefix}/lib", **(variables or {})}
    every_field = {
        "Name": name,
        "Description": settings["summary"],
        "Version": plan.version,
        "Libs": f"${{libdir}}/{settings['library']['soname']}",
        **(fields or {}),
    }
    lines = [f"{key}={value}" for key, value in every_variable.items()]
    lines += [f"{key}: {value}" for key, value in every_field.items()]
    (folder / f"{name}.pc").write_text("\n".join(lines) + "\n", "utf-8")
