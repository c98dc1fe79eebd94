"""The settings of a compile, the same in both engines: its environment variables and config settings."""

from __future__ import annotations

from collections.abc import Mapping

from spokeshave.inside.model import BuildPlan


def build_environment(plan: BuildPlan, project: str, *, cpus: int) -> Mapping[str, str]:
    """The variables that a compile sees, with the work folder at `project`; make runs `cpus` jobs."""
    flags = {key: " ".join(values) for key, values in plan.compile.flags.items()}
    pkg_config = ":".join(
        f"{project}/kit/libraries/{name.replace('-', '_')}/{name.replace('-', '_')}/lib/pkgconfig"
        for name in sorted(plan.libraries)
    )
    env = {
        "PYTHONPATH": f"{project}/kit/code",
        "PIP_NO_INDEX": "1",
        "SOURCE_DATE_EPOCH": "315619200",
        "PKG_CONFIG_PATH": pkg_config,
        "SPOKESHAVE_JOBS": str(cpus),  # read by inside/templates/hatch_build.py
    }
    if plan.compile.backend == "meson-python":
        env |= {
            "CFLAGS": flags["c"],
            "CXXFLAGS": flags["cxx"],
            "FFLAGS": flags["fortran"],
            "LDFLAGS": flags["link"],
        }
    return env


def config_settings(plan: BuildPlan) -> dict[str, list[str] | str]:
    """The build backend's config settings."""
    if plan.compile.backend != "meson-python":
        return {}
    pairs = plan.compile.settings["setup-args"].items()
    return {"setup-args": [f"-D{key}={value}" for key, value in pairs], "build-dir": "build"}
