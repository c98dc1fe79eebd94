"""What `shrink` writes: the index, its locks, a snippet for uv projects, a Dockerfile to start from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from spokeshave import __version__
from spokeshave.context import Context
from spokeshave.errors import PublishError
from spokeshave.inside.model import Target
from spokeshave.machine.files import alone_with, write_whole
from spokeshave.publish import lock
from spokeshave.publish.folder import STATE, IndexFolder
from spokeshave.publish.release import Release, read_release
from spokeshave.shrink.model import Chosen, Resolved, ShrinkRequest
from spokeshave.shrink.notes import notes_of
from spokeshave.shrink.shrink_page import make_page
from spokeshave.shrink.verdicts import Verdict

INDEX = "index"
_NO_DATE = datetime(1980, 1, 1, tzinfo=UTC)  # the same wheels make the same index, byte for byte
_BY = "spokeshave shrink"


def write_results(
    context: Context, request: ShrinkRequest, resolved: Resolved, verdict: Verdict
) -> tuple[Path, ...]:
    """Writes the index and its companions into the output folder; returns what it wrote.

    An index of an earlier run is replaced. Raises PublishError where the output folder has an index folder
    that no run of ours wrote.
    """
    folder, target = request.output, request.target
    releases = tuple(
        replace(read_release(one.wheel, unverified=True), level=verdict.levels.get(one.sha256))
        for one in verdict.chosen
    )
    with alone_with(folder / INDEX):
        paths = _write_index(context, folder / INDEX, releases)
        result = to_json(verdict, resolved, target)
        texts = {
            "constraints.txt": lock.constraints(releases, by=_BY),
            "pylock.toml": lock.pylock(releases, lambda one: {"path": f"{INDEX}/{paths[one.filename]}"}),
            "uv-sources.toml": uv_sources(verdict.chosen, target),
            "Dockerfile": dockerfile(target),
            "report.html": make_page(result),
            "shrink.json": json.dumps(result, indent=1, sort_keys=True) + "\n",
        }
        for name, text in texts.items():
            write_whole(folder / name, text)
    return (folder / INDEX, *(folder / name for name in texts))


def _write_index(context: Context, folder: Path, releases: Sequence[Release]) -> Mapping[str, str]:
    """The index of these wheels and no others; returns their paths in it.

    One with other files is made anew next to the old one, which it then replaces: a file of an index never
    changes while the index is in use.
    """
    if folder.exists() and not (folder / STATE).is_file() and any(folder.iterdir()):
        raise PublishError(
            f"{folder} is not an index that spokeshave made", next_step="name another folder with --output"
        )
    same = _holds(context, folder, releases)
    new, old = (folder.with_name(f".{folder.name}.{end}") for end in ("new", "old"))
    for path in (new, old):
        shutil.rmtree(path, ignore_errors=True)
    root = folder if same else new
    files = IndexFolder(root=root, say=context.reporter.say).add(releases, _NO_DATE)
    if not same:
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    return {file.filename: file.place for file in files}


def _holds(context: Context, folder: Path, releases: Sequence[Release]) -> bool:
    """Whether an index has these very wheels."""
    try:
        known = IndexFolder(root=folder, say=context.reporter.say).read()
    except PublishError:
        return False
    return {(f.filename, f.sha256) for f in known} == {(one.filename, one.sha256) for one in releases}


def uv_sources(chosen: Sequence[Chosen], target: Target) -> str:
    """A snippet for pyproject.toml: uv takes the changed wheels from the index on Linux, else PyPI's.

    uv applies sources to direct dependencies alone, so that the snippet names all changed packages as such.
    """
    marker = f"sys_platform == 'linux' and platform_machine == '{target.arch}'"
    changed = [one for one in chosen if one.changed]
    lines = [
        f"# Written by `{_BY}` for {target.identifier}: merge it into pyproject.toml.",
        "# Other systems use PyPI's wheels.",
        "[project]",
        "dependencies = [  # with yours: uv applies sources to direct dependencies alone",
        *(f'    "{_requirement(one, marker)}",' for one in changed),
        "]",
        "",
        "[tool.uv.sources]",
        *(f'{one.pick.project} = {{ index = "slim", marker = "{marker}" }}' for one in changed),
        "",
        "[[tool.uv.index]]",
        'name = "slim"',
        f'url = "{INDEX}/simple"  # a path from pyproject.toml, or the address of a server',
        "explicit = true",
    ]
    return "\n".join(lines) + "\n"


def _requirement(one: Chosen, marker: str) -> str:
    pin = f"{one.pick.project}=={one.pick.version}"
    return f"{pin}; {marker}" if one.extra else pin


def dockerfile(target: Target) -> str:
    """A Dockerfile for this folder: the wheels are mounted for the install, and are in no layer."""
    return f"""# Written by `{_BY}`. Build it in this folder: docker build --tag app .
FROM python:{target.python_version}-slim AS install
RUN --mount=type=bind,source=.,target=/slim \\
    python -m venv /app/venv && \\
    /app/venv/bin/pip install --no-cache-dir --no-deps --index-url file:///slim/{INDEX}/simple \\
        --require-hashes -r /slim/constraints.txt && \\
    /app/venv/bin/pip check && /app/venv/bin/pip uninstall --yes pip

FROM python:{target.python_version}-slim
COPY --from=install /app/venv /app/venv
ENV PATH=/app/venv/bin:$PATH
# COPY your code, and name your command:
CMD ["python"]
"""


def to_json(verdict: Verdict, resolved: Resolved, target: Target) -> dict[str, Any]:
    """The result as JSON; sizes in bytes, unpacked, without bytecode."""
    checked = verdict.checked
    rows: list[dict[str, Any]] = [
        {
            "package": one.pick.project,
            "version": str(one.pick.version),
            "tier": one.tier,
            "before": one.before,
            "after": one.after,
            "why": one.why,
            "wheel": one.wheel.name,
            "sha256": one.sha256,
            "pypi": {"wheel": one.pick.filename, "sha256": one.pick.sha256},
            "verified": verdict.levels.get(one.sha256),
            "modules": checked.imported.get(one.pick.project, 0),
            "failing-with-pypi": dict(checked.failing.get(one.pick.project, {})),
            "commands": checked.scripts.get(one.pick.project, 0),
            **one.record,
        }
        for one in verdict.chosen
    ]
    rows += [
        {"package": one.project, "version": one.version, "tier": "not included", "why": one.why}
        for one in resolved.left
    ]
    notes = ({**note._asdict(), "packages": list(note.packages)} for note in notes_of(rows))
    tests = verdict.tests
    return {
        "schema": 1,
        "target": target.identifier,
        "tool": __version__,
        "resolver": resolved.by,
        "before": sum(one.before for one in verdict.chosen),
        "after": sum(one.after for one in verdict.chosen),
        "not-checked": checked.skipped,
        "tests": tests.to_json() if tests else None,
        "notes": list(notes),
        "packages": rows,
    }
