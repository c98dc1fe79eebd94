"""Images from tar archives: formats, compressions, several images, and archives that are not trusted."""

from __future__ import annotations

import gzip
import json
import tarfile
from pathlib import Path

import pytest

from imagetars import COMPRESSIONS, below, distribution, docker_archive, oci_archive, special, tar_bytes
from spokeshave.errors import SpokeshaveError, UnsafeArchive, UsageFault
from spokeshave.report.survey.model import Subject
from spokeshave.report.survey.subjects import read_subject

SITE = "usr/lib/python3.11/site-packages"
LOWER = tar_bytes(
    {**below(SITE, distribution("demo", {"demo/__init__.py": b"x = 1\n"})), "etc/conf": b"old!"}
)
UPPER = tar_bytes(
    {"etc/conf": b"new", f"{SITE}/demo/more.py": b"y = 2\n", "dev/null": special(tarfile.CHRTYPE)}
)


def subjects(path: Path, tmp_path: Path) -> tuple[Subject, ...]:
    (scratch := tmp_path / "scratch").mkdir()
    return read_subject(path, scratch)


def contents(subject: Subject) -> dict[str, bytes | None]:
    return {file.name: file.path.read_bytes() if file.path else None for file in subject.files}


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_docker_archive_gives_the_upper_files_of_packages(tmp_path: Path, compression: str) -> None:
    layers = [COMPRESSIONS[compression](layer) for layer in (LOWER, UPPER)]
    path = docker_archive(
        tmp_path / "image.tar", layers, history=[f"/bin/sh -c #(nop) ADD file:{'0' * 64} in /", "RUN  pip"]
    )
    (subject,) = subjects(path, tmp_path)
    found = contents(subject)
    assert (subject.title, subject.form) == ("demo:1", "image")
    assert found[f"{SITE}/demo/__init__.py"] == b"x = 1\n"
    assert found[f"{SITE}/demo/more.py"] == b"y = 2\n"
    assert found["etc/conf"] is None, "files of no package are not unpacked"
    assert [(layer.made_by, layer.hidden) for layer in subject.layers] == [("ADD … in /", 4), ("RUN pip", 0)]
    assert subject.size == subject.visible + 4
    assert "dev/null" not in found


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_compressed_archive_of_an_image_is_read(tmp_path: Path, compression: str) -> None:
    path = docker_archive(tmp_path / "image.tar", [LOWER])
    path.write_bytes(COMPRESSIONS[compression](path.read_bytes()))
    (subject,) = subjects(path, tmp_path)
    assert contents(subject)[f"{SITE}/demo/__init__.py"] == b"x = 1\n"


def test_oci_archive_gives_one_image_for_each_platform(tmp_path: Path) -> None:
    path = oci_archive(tmp_path / "image.tar", {"amd64": [gzip.compress(LOWER), UPPER], "arm64": [UPPER]})
    first, second = subjects(path, tmp_path)
    assert [one.title for one in (first, second)] == ["demo:2 (linux/amd64)", "demo:2 (linux/arm64)"]
    assert f"{SITE}/demo/__init__.py" in contents(first)
    assert f"{SITE}/demo/__init__.py" not in contents(second)


def test_tar_archive_without_a_manifest_is_one_layer(tmp_path: Path) -> None:
    (path := tmp_path / "root.tar").write_bytes(LOWER)
    (subject,) = subjects(path, tmp_path)
    assert contents(subject)["etc/conf"] is None
    assert subject.title == "root.tar"


def test_docker_archive_with_a_linked_layer_is_read(tmp_path: Path) -> None:
    """Before version 25, `docker save` links a layer that two images share."""
    manifest = [{"Config": "c.json", "RepoTags": None, "Layers": ["b/layer.tar"]}]
    members: dict[str, bytes | tarfile.TarInfo] = {
        "c.json": b"{}",
        "manifest.json": json.dumps(manifest).encode(),
        "a/layer.tar": LOWER,
        "b/layer.tar": special(tarfile.SYMTYPE, "../a/layer.tar"),
    }
    (path := tmp_path / "image.tar").write_bytes(tar_bytes(members))
    (subject,) = subjects(path, tmp_path)
    assert f"{SITE}/demo/__init__.py" in contents(subject)


def image_of(path: Path, layer: bytes) -> Path:
    return docker_archive(path / "image.tar", [layer])


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (tar_bytes({f"{SITE}/../../../../outside.py": b"x"}), "outside"),
        (tar_bytes({"a": special(tarfile.LNKTYPE, "../../outside")}), "outside"),
        (tar_bytes({"x/" * 300 + "y": b"x"}), "too long"),
        (LOWER[:2048] + b"\x01" * 512, "end-of-archive"),
        (gzip.compress(LOWER)[:-9], "damaged"),
        (b"", "damaged"),
        (COMPRESSIONS["zstd"](LOWER)[:-20], "damaged"),
    ],
    ids=["dots", "hard link", "depth", "cut tar", "cut gzip", "empty", "cut zstd"],
)
def test_hostile_or_damaged_layer_is_refused_and_nothing_is_written_outside(
    tmp_path: Path, layer: bytes, said: str
) -> None:
    with pytest.raises(UnsafeArchive, match=said):
        subjects(image_of(tmp_path, layer), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"image.tar", "scratch"}


def test_links_and_absolute_names_lead_nowhere(tmp_path: Path) -> None:
    """A link to a folder outside, and a file below it, as CVE-2007-4559 uses them."""
    outside = tmp_path / "outside"
    outside.mkdir()
    layer = tar_bytes(
        {
            f"{SITE}/evil": special(tarfile.SYMTYPE, str(outside)),
            f"{SITE}/evil/x.py": b"x",
            f"/{SITE}/y.py": b"y",
        }
    )
    (subject,) = subjects(image_of(tmp_path, layer), tmp_path)
    assert contents(subject) == {f"{SITE}/evil/x.py": b"x", f"{SITE}/y.py": b"y"}
    assert list(outside.iterdir()) == []


def test_layer_that_expands_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from spokeshave.report.survey import tar_layers

    limits = replace(tar_layers.LAYER_LIMITS, ratio_floor_bytes=1_000_000)
    monkeypatch.setattr(tar_layers, "LAYER_LIMITS", limits)
    layer = gzip.compress(tar_bytes({"zeros": bytes(4_000_000)}))
    with pytest.raises(UnsafeArchive, match="expand more than"):
        subjects(image_of(tmp_path, layer), tmp_path)


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (b"[{", "damaged"),
        (b'[{"Config": "config.json"}]', "not well formed"),
        (b'[{"Config": "config.json", "Layers": ["nowhere"]}]', "not in the archive"),
        (b"[]", "no image"),
        (b"[" * 100_000, "damaged"),
    ],
)
def test_malformed_manifest_is_refused(tmp_path: Path, manifest: bytes, said: str) -> None:
    (path := tmp_path / "image.tar").write_bytes(tar_bytes({"manifest.json": manifest, "config.json": b"{}"}))
    with pytest.raises(UnsafeArchive, match=said):
        subjects(path, tmp_path)


def test_oci_index_with_a_path_for_a_digest_is_refused(tmp_path: Path) -> None:
    index = {"manifests": [{"digest": "sha256:../../etc/passwd"}]}
    members = {"oci-layout": b"{}", "index.json": json.dumps(index).encode()}
    (path := tmp_path / "image.tar").write_bytes(tar_bytes(members))
    with pytest.raises(UnsafeArchive, match="no digest"):
        subjects(path, tmp_path)


def test_other_arguments_are_refused_with_a_next_step(tmp_path: Path) -> None:
    (text := tmp_path / "text.tar").write_text("no archive")
    (tmp_path / "layout" / "oci-layout").mkdir(parents=True)
    (tmp_path / "layout" / "oci-layout").rmdir()
    (tmp_path / "layout" / "oci-layout").write_text("{}")
    for path, said in ((text, "neither"), (tmp_path / "none", "no such"), (tmp_path / "layout", "OCI")):
        with pytest.raises(SpokeshaveError, match=said) as caught:
            read_subject(path, tmp_path)
        assert isinstance(caught.value, UsageFault)
        assert caught.value.next_step
