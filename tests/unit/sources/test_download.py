"""Fetching, against a real index on this machine's loopback and through the real pip."""

from __future__ import annotations

import functools
import hashlib
import http.server
import io
import os
import socket
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from spokeshave.errors import HashMismatch, NetworkError
from spokeshave.inside.run import run
from spokeshave.sources import download
from spokeshave.sources.archive import unpack
from spokeshave.sources.download import PipSettings, SourcePin, download_source, read_pip_settings

ANY = {"python_tag": "cp311", "platforms": ("manylinux_2_28_x86_64",), "runner": run}


@dataclass
class Index:
    """A PEP 503 folder that a thread serves; the first `faults` answers are 503."""

    root: Path
    url: str = ""
    faults: int = 0
    seen: list[str] = field(default_factory=list)

    def add(self, project: str, name: str, content: bytes, *, hashed: bool = True) -> str:
        """Puts a file on the index; returns its sha256."""
        digest = hashlib.sha256(content).hexdigest()
        page = self.root / "simple" / project / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        (self.root / "files").mkdir(parents=True, exist_ok=True)
        (self.root / "files" / name).write_bytes(content)
        with page.open("a") as file:
            href = f"../../files/{name}" + (f"#sha256={digest}" if hashed else "")
            file.write(f'<a href="{href}" data-requires-python="&gt;=99">{name}</a>\n')
        return digest

    @property
    def settings(self) -> PipSettings:
        return PipSettings(index_url=f"{self.url}/simple", timeout=5)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    made = Index(tmp_path / "index")
    (made.root / "simple").mkdir(parents=True)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            made.seen.append(self.path)
            made.faults -= 1
            if made.faults >= 0:
                self.send_error(503)
            elif "/private/" in self.path:
                self.send_error(403)
            else:
                super().do_GET()

        def log_message(self, *_: object) -> None: ...

    serve = functools.partial(Handler, directory=str(made.root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        made.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield made
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spokeshave.sources.client._PAUSES", (0.01, 0.02))


def sdist(version: str = "1.0", extra: bytes = b"") -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        content = os.urandom(300_000) + extra
        info = tarfile.TarInfo(f"my_pkg-{version}/PKG-INFO")
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    return data.getvalue()


def pin(sha256: str, version: str = "1.0") -> SourcePin:
    return SourcePin(pypi="My-Pkg", version=version, sha256=sha256)


def dead_url() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/simple"


def test_an_sdist_arrives_whole_and_under_its_name(index: Index, tmp_path: Path) -> None:
    index.add("my-pkg", "my_pkg-1.1.tar.gz", sdist("1.1"))
    index.add("my-pkg", "my_pkg-1.0-py3-none-any.whl", b"a wheel")
    digest = index.add("my-pkg", "my_pkg-1.0.tar.gz", content := sdist())
    heard: list[tuple[int, int | None]] = []
    path = download_source(
        pin(digest), tmp_path / "in", settings=index.settings, on_bytes=lambda *n: heard.append(n)
    )
    assert path == tmp_path / "in" / "my_pkg-1.0.tar.gz"
    assert path.read_bytes() == content
    assert heard[-1] == (len(content), len(content))
    assert len(heard) > 1
    assert list((tmp_path / "in").iterdir()) == [path]
    assert unpack(path, tmp_path / "tree").name == "my_pkg-1.0"


@pytest.mark.parametrize("hashed", [True, False])
def test_another_hash_is_refused(index: Index, tmp_path: Path, hashed: bool) -> None:
    digest = index.add("my-pkg", "my_pkg-1.0.tar.gz", sdist(), hashed=hashed)
    with pytest.raises(HashMismatch, match=r"My-Pkg 1\.0") as caught:
        download_source(pin("0" * 64), tmp_path / "in", settings=index.settings)
    assert digest in caught.value.what
    assert "0" * 64 in caught.value.what
    assert "release page" in caught.value.next_step
    assert list((tmp_path / "in").iterdir()) == []
    assert any("files" in path for path in index.seen) is not hashed


def test_an_index_that_lies_about_the_hash_is_found_out(index: Index, tmp_path: Path) -> None:
    digest = index.add("my-pkg", "my_pkg-1.0.tar.gz", sdist())
    (index.root / "files/my_pkg-1.0.tar.gz").write_bytes(sdist(extra=b"evil"))
    with pytest.raises(HashMismatch):
        download_source(pin(digest), tmp_path / "in", settings=index.settings)
    assert list((tmp_path / "in").iterdir()) == []


def test_the_right_file_is_found_behind_wrong_and_dead_places(index: Index, tmp_path: Path) -> None:
    content = sdist()
    index.add("my-pkg", "my_pkg-1.0.zip", b"another file of that version")
    (links := tmp_path / "links").mkdir()
    (links / "my_pkg-1.0.tar.gz").write_bytes(sdist(extra=b"stale"))
    local = Index(tmp_path / "local")
    digest = local.add("my-pkg", "my_pkg-1.0.tar.gz", content)
    settings = replace(
        index.settings,
        find_links=(str(links), str(tmp_path / "absent")),
        extra_index_urls=(dead_url(), (local.root / "simple").as_uri()),
    )
    path = download_source(pin(digest), tmp_path / "in", settings=settings)
    assert path.read_bytes() == content


def test_a_passing_fault_is_retried_twice(index: Index, tmp_path: Path) -> None:
    digest = index.add("my-pkg", "my_pkg-1.0.tar.gz", sdist())
    index.faults = 2
    assert download_source(pin(digest), tmp_path / "in", settings=index.settings).exists()
    index.faults = 3
    with pytest.raises(NetworkError, match="HTTP 503"):
        download_source(pin(digest), tmp_path / "in2", settings=index.settings)


def test_a_dead_index_is_named(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(NetworkError, match=r"127\.0\.0\.1.*\n.*refused") as caught:
        settings = PipSettings(index_url=dead_url(), timeout=2)
        download_source(pin("0" * 64), tmp_path / "in", settings=settings)
    assert "pip config debug" in caught.value.next_step
    assert time.monotonic() - started < 3
    assert list((tmp_path / "in").iterdir()) == []


def test_what_is_not_there_is_told_without_passwords(index: Index, tmp_path: Path) -> None:
    index.add("my-pkg", "my_pkg-1.1.tar.gz", sdist("1.1"))
    secret = index.url.replace("//", "//user:hunter2@") + "/simple"
    settings = replace(
        index.settings,
        index_url=secret,
        extra_index_urls=(f"{index.url}/private/simple", "http://mirror.invalid/simple"),
    )
    with pytest.raises(NetworkError, match=r"no sdist of My-Pkg 1\.0") as caught:
        download_source(pin("0" * 64), tmp_path / "in", settings=settings)
    assert "HTTP 403" in caught.value.what
    assert "trusted-host" in caught.value.what
    assert "hunter2" not in caught.value.what + repr(settings)
    with pytest.raises(NetworkError, match="no index at all"):
        nowhere = replace(index.settings, no_index=True)
        download_source(pin("0" * 64), tmp_path / "in", settings=nowhere)


def test_a_certificate_that_cannot_be_read_is_named(index: Index, tmp_path: Path) -> None:
    settings = replace(index.settings, cert=tmp_path / "absent.pem")
    with pytest.raises(NetworkError, match=r"absent\.pem"):
        download_source(pin("0" * 64), tmp_path / "in", settings=settings)


@pytest.fixture
def pip_config(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Leaves pip with the given settings, and with no other."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)

    def configure(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(f"PIP_{name}", value)

    return configure


def wheel() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in (
            ("METADATA", "Metadata-Version: 2.1\nName: my-pkg\nVersion: 1.0\n"),
            ("WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp311-cp311-linux_x86_64\n"),
            ("RECORD", ""),
        ):
            archive.writestr(f"my_pkg-1.0.dist-info/{name}", text)
    return data.getvalue()


WHEEL = "my_pkg-1.0-cp311-cp311-manylinux_2_28_x86_64.whl"


def test_a_wheel_comes_through_pip(index: Index, tmp_path: Path, pip_config: Callable[..., None]) -> None:
    pip_config(INDEX_URL=f"{index.url}/simple")
    digest = index.add("my-pkg", WHEEL, wheel())
    page = index.root / "simple/my-pkg/index.html"
    page.write_text(page.read_text().replace("99", "3"))
    fetch: Any = functools.partial(download.download_wheel, "my-pkg", "1.0", log=tmp_path / "log")
    path = fetch(digest, tmp_path / "in", **ANY)
    assert path == tmp_path / "in" / WHEEL
    assert list((tmp_path / "in").iterdir()) == [path]
    with pytest.raises(HashMismatch, match=f"{digest}, not {'0' * 64}") as caught:
        fetch("0" * 64, tmp_path / "in2", **ANY)
    assert caught.value.log == tmp_path / "log"
    assert list((tmp_path / "in2").iterdir()) == []


def test_pip_without_an_index_is_told_from_other_faults(
    tmp_path: Path, pip_config: Callable[..., None]
) -> None:
    pip_config(INDEX_URL=dead_url(), RETRIES="1")
    locked = tmp_path / "locked.txt"
    locked.write_text(f"my-pkg==1.0 --hash=sha256:{'0' * 64}\n")
    options: Any = {"log": tmp_path / "log", **ANY}
    with pytest.raises(NetworkError, match=r"cannot reach the index for locked\.txt"):
        download.download_locked(locked, tmp_path / "in", **options)
    locked.write_text("my-pkg = 1.0\n")
    with pytest.raises(NetworkError, match="pip could not fetch") as caught:
        download.download_locked(locked, tmp_path / "in", **options)
    assert caught.value.log == tmp_path / "log"
    assert "Invalid requirement" in caught.value.what
    with pytest.raises(ValueError, match="pp310"):
        download.download_locked(locked, tmp_path, **{**options, "python_tag": "pp310"})


@pytest.mark.network
def test_a_real_sdist_comes_from_the_configured_index(tmp_path: Path) -> None:
    source = SourcePin(
        pypi="packaging",
        version="24.2",
        sha256="c228a6dc5e932d346bc5739379109d49e8853dd8223571c7c5b55260edc0b97f",
    )
    path = download_source(source, tmp_path, settings=read_pip_settings(run))
    assert (unpack(path, tmp_path / "tree") / "pyproject.toml").exists()
