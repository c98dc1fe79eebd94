"""The committed verification records are about the wheels that this tree builds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spokeshave.inside.model import file_sha256, plan_from_json
from spokeshave.inside.wheel import beside
from spokeshave.verify.records import record_path
from support import RECIPES


def test_record_names_the_wheel_that_is_built_here(wheelhouse: Path) -> None:
    differ, compared, other = {}, [], {}
    for wheel in sorted(wheelhouse.glob("*.whl")):
        plan = plan_from_json(json.loads(beside(wheel, ".record.json").read_text("utf-8"))["build_plan"])
        path = record_path(RECIPES / "proofs", plan.recipe, plan.profile)
        if not path.is_file():
            continue  # a draft, or a profile of the user's own
        record = json.loads(path.read_text("utf-8"))
        if (tools := dict(plan.environment.toolchain)) != record["toolchain"]:
            other[plan.recipe] = sorted(set(tools.items()) ^ set(record["toolchain"].items()))
            continue
        compared.append(wheel.name)
        if (own := file_sha256(wheel)) != record["wheel"]["sha256"]:
            differ[wheel.name] = (own, record["wheel"]["sha256"])
    assert not differ, "sha256 here, sha256 in the record"
    if not compared:
        pytest.skip(f"no record was made with this toolchain: {other}")
