"""What is fetched is compared with its pin on every use, even where the store's manifest agrees with it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from smallstack import small_stack, write_sdist
from spokeshave.context import Context
from spokeshave.errors import NetworkError
from spokeshave.inside.model import Target, digest_of, file_sha256
from spokeshave.sources.fetch import fetch_locked, fetch_sdist, fetch_wheel, not_locked, not_pinned
from spokeshave.sources.stock import StockPin, stock_wheel
from support import RECIPES, demo_files, write_wheel

TARGET = Target()
EVIL = b"not what was pinned"


def rewrite(file: Path, data: bytes = EVIL) -> None:
    """Changes a stored file and the manifest of its entry together."""
    file.write_bytes(data)
    manifest = file.parent / "manifest.json"
    rows = json.loads(manifest.read_text()) | {file.name: hashlib.sha256(data).hexdigest()}
    manifest.write_text(json.dumps(rows))


@pytest.fixture
def links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all that pip and we can fetch from."""
    (tmp_path / "links").mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "links"))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return tmp_path / "links"


@pytest.fixture
def context(tmp_path: Path, links: Path) -> Context:
    return small_stack(tmp_path, {})


def test_fetch_sdist_rewritten_with_its_manifest_is_fetched_again(
    context: Context, links: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sdist = write_sdist(links / "alpha-1.0.tar.gz", "alpha", {"alpha/__init__.py": ""})
    pin = {"pypi": "alpha", "version": "1.0", "sha256": file_sha256(sdist)}
    rewrite(fetch_sdist(context, pin))
    assert fetch_sdist(context, pin).read_bytes() == sdist.read_bytes()
    evil = hashlib.sha256(EVIL).hexdigest()
    said = capsys.readouterr().err.replace("\n", " ")
    assert f"sha256 mismatch for alpha-1.0.tar.gz: expected {pin['sha256']}, got {evil}" in said


def test_fetch_sdist_rewritten_and_nowhere_else_is_an_error(context: Context, links: Path) -> None:
    sdist = write_sdist(links / "alpha-1.0.tar.gz", "alpha", {"alpha/__init__.py": ""})
    pin = {"pypi": "alpha", "version": "1.0", "sha256": file_sha256(sdist)}
    rewrite(fetch_sdist(context, pin))
    sdist.unlink()
    with pytest.raises(NetworkError, match=r"no sdist of alpha 1\.0"):
        fetch_sdist(context, pin)


def test_fetch_sdist_with_a_file_added_to_its_entry_is_fetched_again(context: Context, links: Path) -> None:
    """The first file by name is the one that is used."""
    sdist = write_sdist(links / "beta-1.0.tar.gz", "beta", {"beta/__init__.py": ""})
    pin = {"pypi": "beta", "version": "1.0", "sha256": file_sha256(sdist)}
    rewrite(fetch_sdist(context, pin).with_name("alpha-1.0.tar.gz"))
    assert fetch_sdist(context, pin).name == "beta-1.0.tar.gz"


def test_fetch_wheel_rewritten_with_its_manifest_is_fetched_again(context: Context, links: Path) -> None:
    """Upstream's wheels of prebuilt libraries and stock wheels."""
    wheel = write_wheel(links / "demo-1.0-py3-none-any.whl", demo_files())
    pin = {"pypi": "demo", "version": "1.0", "sha256": file_sha256(wheel)}
    stock = StockPin(distribution="demo", version="1.0", sha256=pin["sha256"])
    rewrite(fetch_wheel(context, pin, TARGET))
    assert fetch_wheel(context, pin, TARGET).read_bytes() == wheel.read_bytes()
    rewrite(stock_wheel(context, stock, TARGET))
    assert stock_wheel(context, stock, TARGET).read_bytes() == wheel.read_bytes()


def test_fetch_locked_rewritten_with_its_manifest_is_fetched_again(context: Context, links: Path) -> None:
    made = [write_wheel(links / f"{n}-1.0-py3-none-any.whl", demo_files(n)) for n in ("alpha", "beta")]
    text = "".join(f"{p.name.split('-')[0]}==1.0 \\\n    --hash=sha256:{file_sha256(p)}\n" for p in made)
    rewrite(fetch_locked(context, text, TARGET)[0])
    assert [p.read_bytes() for p in fetch_locked(context, text, TARGET)] == [p.read_bytes() for p in made]
    entry = context.store.root / "entries" / "wheels" / digest_of([text, TARGET.identifier])
    (entry / made[0].name).unlink()
    rows = json.loads((entry / "manifest.json").read_text())
    del rows[made[0].name]
    (entry / "manifest.json").write_text(json.dumps(rows))
    assert len(fetch_locked(context, text, TARGET)) == 2, "one that was taken out is fetched too"


def test_not_pinned_names_both_digests() -> None:
    assert not_pinned("a" * 64, {"x.tar.gz": "a" * 64}) == ""
    told = not_pinned("a" * 64, {"x.tar.gz": "b" * 64})
    assert told == f"sha256 mismatch for x.tar.gz: expected {'a' * 64}, got {'b' * 64}"
    assert not_pinned("a" * 64, {}) == "0 files where one is pinned"


def test_not_locked_takes_any_hash_of_the_same_project_alone() -> None:
    text = (
        f"# a comment\nThe_One==1.0 --hash=sha256:{'a' * 64} \\\n --hash=sha256:{'b' * 64}\n"
        f'other==2.0 ; python_version < "3" \\\n  --hash=sha256:{"c" * 64}  # only there\n'
    )
    whole = {"requirements.txt": "0" * 64, "the_one-1.0-py3-none-any.whl": "b" * 64}
    assert not_locked(text, whole) == ""
    assert not_locked(text, {**whole, "other-2.0-py3-none-any.whl": "c" * 64}) == ""
    assert "locked for other" in not_locked(text, {**whole, "other-2.0-py3-none-any.whl": "a" * 64})
    assert "locked for more" in not_locked(text, {**whole, "more-2.0-py3-none-any.whl": "a" * 64})
    assert not_locked(text, {**whole, "x.py": "a" * 64}) == "x.py is not a wheel"
    assert not_locked(text, {}) == "no wheel of the-one"


@pytest.mark.parametrize(
    "path", sorted(RECIPES.glob("*/*requirements.txt")), ids=lambda p: f"{p.parent.name}/{p.name}"
)
def test_not_locked_reads_every_lock_of_the_recipes(path: Path) -> None:
    text = path.read_text()
    projects = {line.partition("==")[0] for line in text.splitlines() if line[:1].isalnum()}
    assert not_locked(text, {}) == f"no wheel of {', '.join(sorted(projects, key=text.index))}"
