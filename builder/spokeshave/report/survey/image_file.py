"""Container images in a tar archive: as `docker save` writes them, or an OCI image layout; without Docker.

An archive that is neither is read as one layer: the file system that `docker export` writes.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from spokeshave.errors import UnsafeArchive
from spokeshave.report.survey.model import Layer, Subject, printable
from spokeshave.report.survey.tar_layers import (
    LAYER_LIMITS,
    Region,
    Span,
    decompressor,
    index_tar,
    read_layer,
)
from spokeshave.report.survey.unpacking import Entries, Reader, unpack
from spokeshave.sources.members import RefusedError, _Meter, _Readable

_CHUNK = 1024 * 1024
_JSON_BYTES = 16 * 1024 * 1024
_NESTED = 4  # indexes in indexes; real archives have two
_DIGEST = re.compile(r"([a-z0-9]+):([0-9a-f]{32,128})")
_CONTENT = re.compile(r"\b(?:dir|file|multi):[0-9a-f]{64}")  # what Docker calls copied files
_SHELL = re.compile(r"^(?:\|\d+ .*?)?/bin/sh -c (?:#\(nop\)\s*)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Image:
    """One image: its name, and its layers with the commands that made them, the lowest one first."""

    title: str
    layers: tuple[tuple[Span, str], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Archive:
    """An uncompressed tar archive and where its files are."""

    path: Path
    spans: Mapping[str, Span]

    def span(self, name: str) -> Span:
        """Where a file is, behind at most one link; raises ValueError where it is not."""
        found = self.spans.get(name)
        if found is not None and found.link:
            found = self.spans.get(found.link)
        if found is None or found.link:
            raise ValueError(f"it names {name!r}, which is not in the archive")
        return found

    def json(self, name: str) -> Any:
        span = self.span(name)
        if span.size > _JSON_BYTES:
            raise RefusedError(f"is larger than {_JSON_BYTES:,} bytes", name)
        with self.path.open("rb") as file:
            file.seek(span.start)
            return json.loads(file.read(span.size))

    def entries(self, span: Span) -> Entries:
        with self.path.open("rb") as file:
            yield from read_layer(io.BufferedReader(Region(file, span.start, span.size)), span.size)


def read_images(path: Path, scratch: Path) -> Iterator[Subject]:
    """The images of a tar archive, each with its packages unpacked into `scratch`.

    Raises RefusedError and what `tar_layers.DAMAGE` lists for an archive that is not as it should be.
    """
    archive = _open(path, scratch)
    try:
        images = tuple(_images(archive, path.name))
    except (KeyError, TypeError, AttributeError, IndexError) as fault:
        raise ValueError(f"its manifest is not well formed ({fault!r})") from fault
    if not images:
        raise UnsafeArchive(f"{path.name} has no image", next_step="make it again with `docker save`")
    for number, image in enumerate(images):
        folder = scratch / f"image-{number}"
        folder.mkdir()
        readers: list[Reader] = [partial(archive.entries, span) for span, _ in image.layers]
        merged, files = unpack(readers, folder, whole=False)
        rows = zip(image.layers, merged.sizes, merged.hidden(), strict=True)
        layers = tuple(Layer(made_by=by, size=size, hidden=hidden) for (_, by), size, hidden in rows)
        yield Subject(title=image.title, form="image", files=files, layers=layers)


def _open(path: Path, scratch: Path) -> _Archive:
    """The archive; a compressed one is written uncompressed into `scratch` first."""
    with path.open("rb") as file:
        packed = path.stat().st_size
        if decompress := decompressor(file.peek()):
            path = scratch / "archive.tar"
            _inflate(decompress(file), packed, path)
    with path.open("rb") as file:
        return _Archive(path=path, spans=index_tar(file, path.stat().st_size))


def _inflate(whole: _Readable, packed: int, target: Path) -> None:
    meter = _Meter(packed, LAYER_LIMITS)
    with target.open("wb") as plain:
        while data := whole.read(_CHUNK):
            meter.add(len(data))
            plain.write(data)


def _images(archive: _Archive, title: str) -> Iterator[_Image]:
    if "manifest.json" in archive.spans:
        for row in archive.json("manifest.json"):
            tags = row.get("RepoTags") or [title]
            yield _image(archive, ", ".join(map(str, tags)), row["Config"], row["Layers"])
    elif "index.json" in archive.spans:
        yield from _from_index(archive, archive.json("index.json"), title, _NESTED)
    else:
        yield _Image(title=title, layers=((Span(0, archive.path.stat().st_size), ""),))


def _from_index(archive: _Archive, index: Any, title: str, depth: int) -> Iterator[_Image]:
    """The images of an OCI index, one for each platform; attestations are none."""
    if depth == 0:
        raise RefusedError("nests one index in another too often", "index.json")
    for row in index["manifests"]:
        notes, platform = row.get("annotations") or {}, row.get("platform") or {}
        if platform.get("architecture") == "unknown" or "vnd.docker.reference.type" in notes:
            continue
        named = notes.get("io.containerd.image.name") or notes.get("org.opencontainers.image.ref.name")
        label = str(named) if named else title
        manifest = archive.json(_blob(row["digest"]))
        if "manifests" in manifest:
            yield from _from_index(archive, manifest, label, depth - 1)
            continue
        if platform:
            label += f" ({platform.get('os')}/{platform.get('architecture')})"
        names = [_blob(layer["digest"]) for layer in manifest["layers"]]
        yield _image(archive, label, _blob(manifest["config"]["digest"]), names)


def _image(archive: _Archive, title: str, config: str, layers: list[str]) -> _Image:
    history = archive.json(config).get("history") or []
    made = [_readable(row.get("created_by") or "") for row in history if not row.get("empty_layer")]
    made = made if len(made) == len(layers) else [""] * len(layers)
    spans = [archive.span(str(name)) for name in layers]
    return _Image(title=printable(title), layers=tuple(zip(spans, made, strict=True)))


def _blob(digest: str) -> str:
    found = _DIGEST.fullmatch(digest)
    if found is None:
        raise ValueError(f"{digest!r} is no digest")
    return f"blobs/{found[1]}/{found[2]}"


def _readable(made_by: str) -> str:
    """A step of a Dockerfile, nearly as it was written, on one line."""
    return printable(" ".join(_CONTENT.sub("…", _SHELL.sub("", made_by)).split()))
