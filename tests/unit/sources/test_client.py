"""pip's settings, as the real pip tells them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from spokeshave.errors import NetworkError
from spokeshave.inside.run import run
from spokeshave.sources.client import read_pip_settings


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("PIP_", "REQUESTS_", "CURL_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)


def test_files_and_variables_are_read_as_pip_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pip.conf").write_text(
        "[global]\nindex-url = http://a.invalid/simple\ntimeout = 7\nproxy = proxy.invalid:8080\n"
        "trusted-host = a.invalid\n  b.invalid\nextra-index-url = http://b.invalid\nno-index = no\n"
        "[download]\ntimeout = 8\n[install]\nindex-url = http://install.invalid\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "http://c.invalid/it's http://d.invalid")
    monkeypatch.setenv("PIP_CERT", "/a/cert.pem")
    monkeypatch.setenv("PIP_QUIET", "1")
    found = read_pip_settings(run)
    assert found.index_url == "http://a.invalid/simple"
    assert found.extra_index_urls == ("http://c.invalid/it's", "http://d.invalid")
    assert found.trusted_hosts == ("a.invalid", "b.invalid")
    assert (found.timeout, found.no_index, found.proxy) == (8, False, "http://proxy.invalid:8080")
    assert (found.cert, found.client_cert) == (Path("/a/cert.pem"), None)


def test_of_two_files_the_one_that_pip_prefers_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`pip config list` would show both, by path: the one that counts less comes last here."""
    monkeypatch.setenv("HOME", str(tmp_path / "z"))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "z"))
    for folder, host in (("z/pip", "less"), ("a", "more")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "pip.conf").write_text(
            f"[global]\nindex-url = http://{host}.invalid\nfind-links =\n  /{host}\n  /b\n"
        )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "a" / "pip.conf"))
    found = read_pip_settings(run)
    assert found.index_url == "http://more.invalid"
    assert found.find_links == ("/more", "/b")


def test_without_settings_pip_names_its_own_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_DEFAULT_TIMEOUT", "3")
    monkeypatch.setenv("PIP_FIND_LINKS", "~/wheels /b")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/a/bundle.pem")
    found = read_pip_settings(run)
    assert found.index_url.startswith("https://")
    assert found.index_url.rstrip("/").endswith("/simple")
    assert (found.no_index, found.timeout, found.cert) == (True, 3, Path("/a/bundle.pem"))
    assert found.places() == [("find_links", str(Path.home() / "wheels")), ("find_links", "/b")]


def test_a_python_without_pip_is_named(tmp_path: Path) -> None:
    (tmp_path / "python").write_text("#!/bin/sh\necho No module named pip\nexit 1\n")
    (tmp_path / "python").chmod(0o755)
    with pytest.raises(NetworkError, match="No module named pip"):
        read_pip_settings(run, str(tmp_path / "python"))
