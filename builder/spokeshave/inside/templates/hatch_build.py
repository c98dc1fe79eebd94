"""Hatchling build hook of a library wheel: makes the library, tags the wheel for its platform.

Copied into the generated project next to the plan; spokeshave's own code is on PYTHONPATH there.
"""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

from spokeshave.inside.library import build_library
from spokeshave.inside.model import plan_from_json


class LibraryHook(BuildHookInterface):  # type: ignore[misc,type-arg,unused-ignore]
    """Runs make before hatchling collects the files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        plan = plan_from_json(json.loads((root.parent / "kit" / "plan.json").read_text("utf-8")))
        jobs = int(os.environ["SPOKESHAVE_JOBS"])
        build_library(plan, root / "tree", root / plan.import_name, jobs=jobs)
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-linux_{platform.machine()}"
