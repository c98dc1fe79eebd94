"""Licence files and SBOM of a finished wheel: their bytes are part of wheels, and so they are fixed here."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from spokeshave.inside.model import BuildPlan, Bundled, CompilePlan, Environment, Target
from spokeshave.inside.sbom import sbom_text, write_licenses, write_sbom
from support import shipped_plan

SOURCE = "a" * 64
OTHER = Bundled(
    name="Other",
    version="3",
    license="MIT",
    license_file="other/LICENSE",
    license_source=None,
    source="https://example.org/other",
)
ACCENT = Bundled(
    name="Théorie",
    version="3",
    license="Apache-2.0 OR MIT",
    license_file="t/COPYING",
    license_source={"pypi": "t", "version": "3", "sha256": "0"},
    source="vendored in demo",
)
PLAN = BuildPlan(
    recipe="demo",
    kind="python",
    distribution="demo",
    import_name="demo",
    profile="my-app",
    version="1.2",
    build=3,
    target=Target(),
    environment=Environment(engine="docker", image="build:1", image_digest="sha256:1"),
    tool={"compile": "c", "finish": "f"},
    source={"pypi": "demo", "version": "1.2", "sha256": SOURCE},
    patches={"b.patch": "b", "a.patch": "a"},
    compile=CompilePlan(
        backend="meson-python",
        directory=".",
        settings={},
        flags={},
        levels=(),
        fixes=(),
        requirements="",
        files={"a.patch": "", "b.patch": ""},
        libraries={},
    ),
    levers=(),
    removed=(),
    removal_patches={},
    variants=(),
    unlinked=(),
    libraries={},
    sonames=(),
    grafts=(),
    offers={},
    bundled=(OTHER, ACCENT),
    budget=None,
)
SBOM = """\
{
 "bomFormat": "CycloneDX",
 "components": [
  {
   "externalReferences": [
    {
     "type": "distribution",
     "url": "https://example.org/other"
    }
   ],
   "licenses": [
    {
     "expression": "MIT"
    }
   ],
   "name": "Other",
   "type": "library",
   "version": "3"
  },
  {
   "externalReferences": [
    {
     "type": "distribution",
     "url": "vendored in demo"
    }
   ],
   "licenses": [
    {
     "expression": "Apache-2.0 OR MIT"
    }
   ],
   "name": "Th\\u00e9orie",
   "type": "library",
   "version": "3"
  }
 ],
 "metadata": {
  "component": {
   "hashes": [
    {
     "alg": "SHA-256",
     "content": "SOURCE"
    }
   ],
   "name": "demo",
   "properties": [
    {
     "name": "spokeshave:recipe",
     "value": "DIGEST"
    },
    {
     "name": "spokeshave:source",
     "value": "demo==1.2"
    },
    {
     "name": "spokeshave:patches",
     "value": "a.patch b.patch"
    }
   ],
   "type": "library",
   "version": "1.2+my.app.3"
  }
 },
 "specVersion": "1.5",
 "version": 1
}
"""


@pytest.fixture
def dist_info(tmp_path: Path) -> Path:
    folder = tmp_path / "demo-1.2.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.4\nName: demo\nVersion: 1.2\n\nText.\n")
    return folder


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    (tmp_path / "texts").mkdir()
    for name in ("Other", "Théorie"):
        (tmp_path / "texts" / name).write_text(f"licence of {name}\n")
    return tmp_path / "texts"


def test_sbom_text_of_a_fixed_plan_is_byte_for_byte_this(dist_info: Path) -> None:
    expected = SBOM.replace("DIGEST", PLAN.recipe_digest).replace("SOURCE", SOURCE)
    assert sbom_text(PLAN) == expected
    write_sbom(PLAN, dist_info)
    assert (dist_info / "sboms" / "spokeshave.cdx.json").read_bytes() == expected.encode()


def test_write_licenses_adds_each_under_its_code_and_names_it(dist_info: Path, texts: Path) -> None:
    write_licenses(PLAN, texts, dist_info)
    written = dist_info / "licenses" / "Other" / "LICENSE"
    assert written.read_text() == "licence of Other\n"
    assert written.stat().st_mode & 0o777 == 0o644
    head = (dist_info / "METADATA").read_text("utf-8").partition("\n\n")[0]
    assert head.splitlines()[-2:] == ["License-File: Other/LICENSE", "License-File: Théorie/COPYING"]


def test_write_licenses_of_upstreams_wheel_keep_their_paths(dist_info: Path, texts: Path) -> None:
    theirs = dist_info / "licenses" / "other" / "LICENSE"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("upstream's\n")
    write_licenses(PLAN, texts, dist_info)
    assert theirs.read_text() == "upstream's\n"
    assert not (dist_info / "licenses" / "Other").exists()
    assert (dist_info / "licenses" / "Théorie" / "COPYING").is_file(), "of another sdist"


def test_sbom_text_is_the_same_from_another_tool_and_image() -> None:
    """Records name wheels by their sha256: a change of our own code alone must not change it."""
    where = replace(PLAN.environment, image_digest="sha256:2", toolchain={"gcc-14": "14.2.0-19"})
    other = replace(PLAN, tool={"compile": "d", "finish": "g"}, environment=where)
    assert other.digest != PLAN.digest
    assert sbom_text(other) == sbom_text(PLAN)
    assert sbom_text(replace(PLAN, patches={"b.patch": "c"})) != sbom_text(PLAN)


@pytest.mark.parametrize(
    ("recipe", "profile", "widths"),
    [
        ("openblas", "lean", ["ilp64", "lp64"]),
        ("numpy", "lean", ["ilp64"]),
        ("scipy", "lean", ["lp64"]),
        ("netlib", "netlib", ["lp64"]),
        ("numpy", "netlib", ["lp64"]),
        ("pandas", "lean", []),
    ],
)
def test_sbom_text_names_the_widths_of_the_blas_integers(
    recipe: str, profile: str, widths: list[str]
) -> None:
    rows = json.loads(sbom_text(shipped_plan(recipe, profile)))["metadata"]["component"]["properties"]
    assert [row["value"] for row in rows if row["name"] == "spokeshave:blas-integers"] == widths
