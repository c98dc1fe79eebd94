"""PGO profiles: the profile data of one collection as a file, with a manifest of what they fit."""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from spokeshave.build.pgo.counters import CounterFile, read_counters
from spokeshave.errors import RecipeError, TrainError
from spokeshave.inside.model import file_sha256
from spokeshave.machine.files import write_whole

REACHED = "reached"
_MANIFEST = "manifest.json"
_COUNTERS = ".gcda"


class Work(BaseModel):
    """What ran at one dispatch level: so many benchmark cases, and these of upstream's tests."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dispatch: str
    cases: int
    failed: int
    tests: tuple[str, ...]


class Manifest(BaseModel):
    """What a PGO profile was made of. `fits` is the key of the plans that it fits, `compiler` names the
    release of gcc (`gcc_stamp`), `image` the digest of the image.

    `functions` are those in files of which any ran, `ran` those that did themselves. `processor` is the model
    on which they did: dispatch levels that it lacks were counted as the next lower one that it has. `reach`
    are tests that showed what else runs, `tested` how many functions they alone ran.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = 1
    package: str
    version: str
    profile: str
    source: str
    flags: str
    compiler: str
    image: str
    fits: str
    work: tuple[Work, ...]
    files: int
    functions: int
    ran: int
    processor: str = ""
    reach: tuple[str, ...] = ()
    tested: int = 0


def counted_in(folder: Path) -> dict[str, CounterFile]:
    """The counter files below a folder, by name, in order.

    Raises TrainError where one is cut short: a process was killed while it wrote.
    """
    found = {}
    for path in sorted(folder.rglob(f"*{_COUNTERS}")):
        try:
            found[path.name] = read_counters(path.read_bytes())
        except ValueError as fault:
            raise TrainError(
                f"the profile data in {path.name} are cut short: {fault}",
                next_step="a process was ended while it wrote them; run `spokeshave train` again",
            ) from fault
    return found


def useful(counted: Mapping[str, CounterFile]) -> dict[str, CounterFile]:
    """Those of which anything ran."""
    return {name: file for name, file in counted.items() if file.ran}


def reached(
    counted: Mapping[str, CounterFile], tested: Mapping[str, CounterFile]
) -> tuple[dict[str, bytes], int]:
    """Profile data by file of what ran in `counted` or nowhere; how many functions ran in `tested` alone.

    gcc compiles what has no profile data as usual, and for size what never ran. An inline function has
    a copy in each object that calls it, and one of them runs: the others are no slower for it. A file of
    which nothing ran, in tests neither, is dropped: this processor may lack what it is for.
    """
    ran = {name: file.ran for name, file in counted.items()}
    ran_in_tests = {name: file.ran for name, file in tested.items()}
    anywhere = frozenset[bytes]().union(*ran.values(), *ran_in_tests.values())
    found, alone = {}, 0
    for name, file in sorted({**tested, **counted}.items()):
        here, there = ran.get(name, frozenset()), ran_in_tests.get(name, frozenset())
        if here or there:
            found[name] = file.as_one_run(without=anywhere - here)
            alone += len(there - here)
    return found, alone


def ended(folder: Path) -> int:
    """The number of processes that wrote profile data below a folder; raises TrainError as `counted_in`."""
    return max((file.processes for file in counted_in(folder).values()), default=0)


def sum_up(files: Mapping[str, CounterFile]) -> dict[str, int | str]:
    """What the manifest says of the profile data themselves."""
    return {
        "compiler": next(iter(files.values())).compiler,
        "files": len(files),
        "functions": sum(len(one.functions) for one in files.values()),
        "ran": sum(len(one.ran) for one in files.values()),
    }


def write_bundle(path: Path, manifest: Manifest, counters: Mapping[str, bytes]) -> str:
    """Writes a PGO profile and returns its sha256 (hex); the same contents make the same bytes.

    Names of `.gcda` files may be in the folder `REACHED`, with what `reached` made.
    """
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w", format=tarfile.PAX_FORMAT) as archive:
        text = json.dumps(manifest.model_dump(mode="json"), indent=1, sort_keys=True)
        for name, data in ((_MANIFEST, text.encode()), *sorted(counters.items())):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    packed = lzma.compress(whole.getvalue(), preset=9)
    write_whole(path, [packed])
    return hashlib.sha256(packed).hexdigest()


def read_manifest(path: Path, sha256: str) -> Manifest:
    """The manifest of a PGO profile; raises RecipeError where it is missing, another one, or unsound."""
    found = dict(_members(path, sha256, only=_MANIFEST))
    try:
        return Manifest.model_validate_json(found.get(_MANIFEST, b""))
    except ValueError as fault:
        raise _unusable(path, f"its {_MANIFEST} is missing or unsound: {fault}") from fault


def names_in_bundle(path: Path, sha256: str) -> tuple[str, ...]:
    """The names of the `.gcda` files of a PGO profile, of which some function ran in what counts.

    Raises what `read_manifest` raises.
    """
    return tuple(name for name, _ in _members(path, sha256) if name.endswith(_COUNTERS) and "/" not in name)


def unpack_bundle(path: Path, sha256: str, folder: Path) -> None:
    """Writes the `.gcda` files of a PGO profile into a new folder; raises what `read_manifest` raises."""
    folder.mkdir()
    for name, data in _members(path, sha256):
        if name.endswith(_COUNTERS):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(data)


def _members(path: Path, sha256: str, only: str = "") -> Iterator[tuple[str, bytes]]:
    try:
        if (found := file_sha256(path)) != sha256:
            raise ValueError(f"its sha256 is {found}, not the pinned one")
        with tarfile.open(path, "r:xz") as archive:
            for member in archive:
                stream = archive.extractfile(member)
                if stream is None or "/" in member.name.removeprefix(f"{REACHED}/"):
                    raise ValueError(f"it holds {member.name!r}")
                if only in ("", member.name):
                    yield member.name, stream.read()
                if only == member.name:
                    return
    except (OSError, ValueError, tarfile.TarError, lzma.LZMAError) as fault:
        raise _unusable(path, str(fault)) from fault


def _unusable(path: Path, why: str) -> RecipeError:
    return RecipeError(
        f"the PGO profile {path} cannot be used: {why}",
        next_step="replace this `[[training.bundles]]` entry with the one that `spokeshave train` printed,"
        " or delete it",
    )
