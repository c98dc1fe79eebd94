"""Makes the wheel of a library that upstream has built: what we take of upstream's wheel, in our layout.

Nothing is compiled, so this runs on the host; trimming, tags, licences and the rest are the finish step's.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from spokeshave.build.elf import read_elf
from spokeshave.errors import RecipeError
from spokeshave.inside import wheel
from spokeshave.inside.model import BuildPlan
from spokeshave.own_code import package_root

_INIT = package_root() / "inside" / "templates" / "library_init.py"
# Of upstream's pkg-config file: headers are not shipped, the static link line names upstream's own build.
_LINES = ("includedir=", "extralib=", "Libs.private:")
# The run path would end up in who links it, as an absolute one.
_WORDS = ("-I${includedir}", "-Wl,-rpath,${libdir}")


def assemble(plan: BuildPlan, upstream: Path, folder: Path) -> None:
    """Writes the untrimmed wheel into `folder`; the same bytes for the same plan.

    Only what the recipe names is read, out of a file whose own hash is pinned: RECORD has nothing to add,
    and is wrong in wheels that upstream has patched after packing. Raises RecipeError where the recipe does
    not fit the wheel.
    """
    with zipfile.ZipFile(upstream) as source, TemporaryDirectory(prefix="spokeshave-") as scratch:
        root = Path(scratch)
        _take_library(plan, source, root / plan.import_name)
        name = wheel.WheelName(
            distribution=plan.distribution.replace("-", "_"),
            version=plan.version,
            python="py3",
            abi="none",
            platform=f"linux_{plan.target.arch}",
        )
        _describe(plan, source, root / name.dist_info)
        wheel.pack(root, folder, name)


def _take_library(plan: BuildPlan, source: zipfile.ZipFile, package: Path) -> None:
    table: dict[str, Any] = plan.compile.settings["library"]
    soname = table["soname"]
    lib = package / "lib"
    (lib / "pkgconfig").mkdir(parents=True)
    for name in (soname, *table["carries"]):
        data = _read(plan, source, f"{table['folder']}/{name}")
        found = read_elf(name, data).soname
        if found != name:
            raise RecipeError(
                f"recipe {plan.recipe}: the soname of {name} is {found!r}, not its file name",
                next_step="under [build.prebuilt], name the file that the loader will look for",
            )
        (lib / name).write_bytes(data)
        (lib / name).chmod(0o755)
    listing = f"pkgconfig/{table['pkg_config']}.pc"
    text = _read(plan, source, f"{table['folder']}/{listing}").decode()
    (lib / listing).write_text(without_upstreams_paths(text), "utf-8")
    init = _INIT.read_text("utf-8").replace("@SONAME@", soname)
    (package / "__init__.py").write_text(init, "utf-8")


def without_upstreams_paths(text: str) -> str:
    """Upstream's pkg-config file without what leads to its headers, its run path and its own build."""
    kept = [line for line in text.splitlines() if line and not line.startswith(_LINES)]
    return "".join(" ".join(w for w in line.split(" ") if w not in _WORDS) + "\n" for line in kept)


def _describe(plan: BuildPlan, source: zipfile.ZipFile, dist_info: Path) -> None:
    """METADATA, WHEEL and the licence texts, each once and under its name in upstream's wheel."""
    licenses = sorted({part.license_file for part in plan.bundled})
    for name in licenses:
        target = dist_info / "licenses" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(_read(plan, source, name))
    settings = plan.compile.settings
    metadata = {
        "Metadata-Version": "2.4",
        "Name": plan.distribution,
        "Version": plan.version,
        "Summary": settings["summary"],
        "License-Expression": settings["license"],
        "Requires-Python": ">=3.9",
    }
    lines = [f"{key}: {value}" for key, value in metadata.items()]
    lines += [f"License-File: {name}" for name in licenses]
    dist_info.mkdir(parents=True, exist_ok=True)
    (dist_info / "METADATA").write_text("\n".join(lines) + "\n", "utf-8")
    tag = f"py3-none-linux_{plan.target.arch}"
    (dist_info / "WHEEL").write_text(
        f"Wheel-Version: 1.0\nGenerator: spokeshave\nRoot-Is-Purelib: false\nTag: {tag}\n", "utf-8"
    )


def _read(plan: BuildPlan, source: zipfile.ZipFile, name: str) -> bytes:
    try:
        return source.read(name)
    except KeyError as fault:
        wheel_of = f"{plan.source['pypi']} {plan.source['version']}"
        raise RecipeError(
            f"recipe {plan.recipe}: {name} is not in the wheel of {wheel_of}",
            next_step="correct [build.prebuilt]; `unzip -l` of the wheel lists what it holds",
        ) from fault
