"""Small container images and installed packages, written by hand."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import lzma
import sys
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Compress = Callable[[bytes], bytes]
COMPRESSIONS: Mapping[str, Compress] = {
    "plain": lambda data: data,
    "gzip": gzip.compress,
    "zstd": zstd.compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
}


def tar_bytes(members: Mapping[str, bytes | tarfile.TarInfo]) -> bytes:
    """A tar archive of files, and of members that are no files."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                content.name = name
                tar.addfile(content)
            else:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def special(kind: bytes, target: str = "") -> tarfile.TarInfo:
    """A member of a type of tarfile's: a folder, a link, a device."""
    info = tarfile.TarInfo()
    info.type, info.linkname = kind, target
    return info


def docker_archive(
    path: Path, layers: Sequence[bytes], *, tags: Sequence[str] = ("demo:1",), history: Sequence[str] = ()
) -> Path:
    """An archive as `docker save` wrote it before version 25."""
    names = [f"{number}/layer.tar" for number in range(len(layers))]
    config = {"history": [{"created_by": text} for text in history]}
    manifest = [{"Config": "config.json", "RepoTags": list(tags), "Layers": names}]
    members = {
        "config.json": json.dumps(config).encode(),
        "manifest.json": json.dumps(manifest).encode(),
        **dict(zip(names, layers, strict=True)),
    }
    path.write_bytes(tar_bytes(members))
    return path


def oci_archive(path: Path, images: Mapping[str, Sequence[bytes]]) -> Path:
    """An OCI layout with an index of images by architecture, below the index of the layout."""
    blobs: dict[str, bytes] = {}

    def put(data: bytes) -> dict[str, object]:
        digest = hashlib.sha256(data).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = data
        return {"digest": f"sha256:{digest}", "size": len(data)}

    rows = []
    for arch, layers in images.items():
        manifest = {"config": put(b"{}"), "layers": [put(layer) for layer in layers]}
        platform = {"os": "linux", "architecture": arch}
        rows.append({**put(json.dumps(manifest).encode()), "platform": platform})
    rows.append({**put(b"{}"), "platform": {"os": "unknown", "architecture": "unknown"}})  # an attestation
    inner = put(json.dumps({"manifests": rows}).encode())
    index = {"manifests": [{**inner, "annotations": {"io.containerd.image.name": "demo:2"}}]}
    members = {"oci-layout": b"{}", "index.json": json.dumps(index).encode(), **blobs}
    path.write_bytes(tar_bytes(members))
    return path


def distribution(
    name: str, files: Mapping[str, bytes], *, version: str = "1.0", record: bool = True
) -> dict[str, bytes]:
    """The files of an installed distribution, with its metadata."""
    info = f"{name}-{version}.dist-info"
    found = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
    }
    if record:
        rows = "".join(f"{member},,\n" for member in (*found, f"{info}/RECORD"))
        found[f"{info}/RECORD"] = rows.encode()
    return found


def below(folder: str, files: Mapping[str, bytes]) -> dict[str, bytes | tarfile.TarInfo]:
    """The files in a folder."""
    return {f"{folder}/{name}": content for name, content in files.items()}


def write_files(root: Path, files: Mapping[str, bytes]) -> Path:
    """Writes files below a folder."""
    for name, content in files.items():
        (path := root / name).parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root
