"""The licence files and the SBOM of a finished wheel. Standard library only: it runs in containers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spokeshave.inside import wheel as wheels
from spokeshave.inside.model import BuildPlan

INTEGERS = "blas-integers"  # setting of a package that links a BLAS


def write_licenses(plan: BuildPlan, texts: Path, dist_info: Path) -> None:
    """Adds the licence files of bundled code, and names them in METADATA.

    `texts` has each text under the name of its code. Upstream's own licence files keep their paths.
    """
    added = []
    for part in plan.bundled:
        own = part.license_source is None
        if own and (dist_info / "licenses" / part.license_file).is_file():
            continue  # upstream's wheel has it
        target = dist_info / "licenses" / part.name / Path(part.license_file).name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(texts / part.name, target)
        target.chmod(0o644)
        added.append(target.relative_to(dist_info / "licenses").as_posix())
    wheels.set_licenses(dist_info, tuple(added))


def write_sbom(plan: BuildPlan, dist_info: Path) -> None:
    """Writes the SBOM to where PEP 770 has it."""
    path = dist_info / "sboms" / "spokeshave.cdx.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(sbom_text(plan), "utf-8")


def sbom_text(plan: BuildPlan) -> str:
    """A CycloneDX 1.5 document: the package, its source and patches, and the bundled code.

    It names no build: the same recipe, profile and target give the same text wherever they are built.
    """
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": _package(plan)},
        "components": _bundled(plan),
    }
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def library_widths(offers: Mapping[str, Any]) -> tuple[str, ...]:
    """The widths of the integers of a BLAS, by what its plan offers."""
    return ("ilp64", "lp64") if "ilp64_setup_args" in offers else ("lp64",)


def integer_widths(plan: BuildPlan) -> tuple[str, ...]:
    """The widths of a BLAS's integers: those that a library has, or the one with which a package calls it."""
    if plan.offers.get("provides") == "blas":
        return library_widths(plan.offers)
    width = plan.compile.settings.get(INTEGERS)
    return (width,) if width else ()


def _package(plan: BuildPlan) -> dict[str, Any]:
    return {
        "type": "library",
        "name": plan.distribution,
        "version": plan.local_version,
        "hashes": [{"alg": "SHA-256", "content": plan.source["sha256"]}],
        "properties": [
            {"name": "spokeshave:recipe", "value": plan.recipe_digest},
            {"name": "spokeshave:source", "value": f"{plan.source['pypi']}=={plan.source['version']}"},
            {"name": "spokeshave:patches", "value": " ".join(sorted((*plan.patches, *plan.removal_patches)))},
            *({"name": f"spokeshave:{INTEGERS}", "value": width} for width in integer_widths(plan)),
        ],
    }


def _bundled(plan: BuildPlan) -> list[dict[str, Any]]:
    return [
        {
            "type": "library",
            "name": part.name,
            "version": part.version,
            "licenses": [{"expression": part.license}],
            "externalReferences": [{"type": "distribution", "url": part.source}],
        }
        for part in plan.bundled
    ]
