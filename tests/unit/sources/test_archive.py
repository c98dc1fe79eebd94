"""Archives are refused whole: each malicious one here is real, and none may leave a single file."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from spokeshave.errors import StoreError, UnsafeArchive
from spokeshave.sources.archive import SOURCE_EPOCH, Limits, unpack

Entry = tuple[tarfile.TarInfo, bytes]


def entry(name: str, content: bytes = b"", **fields: object) -> Entry:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, content


def folder(name: str) -> Entry:
    return entry(name, type=tarfile.DIRTYPE, mode=0o700)


def link(name: str, target: str) -> Entry:
    return entry(name, type=tarfile.SYMTYPE, linkname=target)


def hard(name: str, target: str) -> Entry:
    return entry(name, type=tarfile.LNKTYPE, linkname=target)


def tar_of(path: Path, entries: Iterable[Entry], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for info, content in entries:
            tar.addfile(info, io.BytesIO(content))
    return path


def zip_of(path: Path, entries: Iterable[tuple[str, bytes, int]], packing: int = 8) -> Path:
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, content, mode in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr, info.compress_type = mode << 16, packing
            archive.writestr(info, content)
    return path


def refused(archive: Path, match: str, limits: Limits | None = None) -> UnsafeArchive:
    """Unpacking must fail, name the archive, say what to do, and write nothing at all."""
    destination = archive.parent / "out"
    with pytest.raises(UnsafeArchive, match=match) as caught:
        unpack(archive, destination, limits=limits or Limits())
    assert archive.name in caught.value.what
    assert caught.value.next_step
    assert not destination.exists()
    return caught.value


GOOD = [
    folder("pkg-1.0"),
    entry("pkg-1.0/setup.py", b"print()\n", mode=0o4755, mtime=1_700_000_000),
    entry("./pkg-1.0/src/deep/a.c", b"int a;\n" * 100_000, mode=0o600),
    link("pkg-1.0/src/b.c", "deep/./a.c"),
    hard("pkg-1.0/hard.py", "pkg-1.0/setup.py"),
    entry("pkg-1.0/" + "long/" * 30 + "näme.txt", b"x"),
    entry("pkg-1.0/twice", b"old"),
    entry("pkg-1.0/twice", b"new"),
]


@pytest.mark.parametrize("suffix", ["gz", "xz", "bz2"])
def test_a_good_tarball_round_trips(tmp_path: Path, suffix: str) -> None:
    archive = tar_of(tmp_path / f"pkg-1.0.tar.{suffix}", GOOD, f"w:{suffix}")
    top = unpack(archive, tmp_path / "out")
    assert top == tmp_path / "out" / "pkg-1.0"
    assert list((tmp_path / "out").iterdir()) == [top]
    assert (top / "src/deep/a.c").read_bytes() == b"int a;\n" * 100_000
    assert (top / "src/b.c").readlink() == Path("deep/a.c")
    assert (top / "twice").read_bytes() == b"new"
    assert (top / ("long/" * 30) / "näme.txt").read_bytes() == b"x"
    assert (top / "hard.py").read_bytes() == b"print()\n"
    assert (top / "hard.py").stat().st_nlink == 1
    modes = {path.name: stat.S_IMODE(path.lstat().st_mode) for path in top.rglob("*")}
    assert (modes["setup.py"], modes["hard.py"], modes["a.c"]) == (0o755, 0o755, 0o644)
    assert (modes["src"], modes["deep"]) == (0o755, 0o755)
    assert {path.lstat().st_mtime for path in [top, *top.rglob("*")]} == {SOURCE_EPOCH}


def test_xz_streams_in_a_row_with_padding_are_one(tmp_path: Path) -> None:
    plain = tar_of(tmp_path / "x.tar", GOOD, "w").read_bytes()
    path = tmp_path / "x.tar.xz"
    path.write_bytes(lzma.compress(plain[:700]) + bytes(8) + lzma.compress(plain[700:]) + bytes(4))
    assert (unpack(path, tmp_path / "out") / "twice").read_bytes() == b"new"


def test_a_good_zip_round_trips(tmp_path: Path) -> None:
    entries = [
        ("pkg/", b"", 0o40755),
        ("pkg/run", b"#!", 0o100755),
        ("pkg/a.txt", b"a" * 999, 0),
        ("pkg/l", b"a.txt", 0o120777),
    ]
    top = unpack(zip_of(tmp_path / "pkg.zip", entries), tmp_path / "out")
    assert (top / "l").read_bytes() == b"a" * 999
    assert stat.S_IMODE((top / "run").stat().st_mode) == 0o755
    assert stat.S_IMODE((top / "a.txt").stat().st_mode) == 0o644


DANGEROUS: dict[str, tuple[list[Entry], str]] = {
    "absolute": ([entry("/etc/evil", b"x")], "'/etc/evil' .*outside"),
    "parent": ([entry("top/../../evil", b"x")], r"'top/\.\./\.\./evil' .*outside"),
    "backslash": ([entry("top\\..\\evil", b"x")], "outside"),
    "drive": ([entry("C:evil/x", b"x")], "outside"),
    "empty": ([entry("", b"x")], "empty"),
    "nul": ([entry("top/a", b"x", pax_headers={"path": "top/a\0b"})], "NUL"),
    "long part": ([entry("top/" + "n" * 300, b"x")], "too long"),
    "link absolute": ([entry("top/a"), link("top/l", "/etc/passwd")], "'top/l' is a link to"),
    "link out": ([entry("top/a"), link("top/d/l", "../../x")], "outside of the tree"),
    "link out and back": ([entry("top/a"), link("top/l", "../top/a")], "outside of the tree"),
    "link backslash": ([entry("top/a"), link("top/l", "..\\x")], "outside of the tree"),
    "through a link": ([link("top/l", "."), entry("top/l/x", b"x")], "'top/l/x' lies below a symb"),
    "through a later link": ([entry("top/l/x", b"x"), link("top/l", ".")], "lies below a symbolic"),
    "below a file": ([entry("top/f", b"x"), entry("top/f/x", b"x")], "lies below a file"),
    "link through a link": (
        [folder("top/a/b"), link("top/up", "a/b"), link("top/out", "up/../../../x")],
        "'top/out' .* meets another link",
    ),
    "link to a link": ([link("top/a", "b"), link("top/b", "c")], "'top/a' .* another link"),
    "hard link out": ([entry("top/a"), hard("top/l", "../x")], r"'top/l' has the path '\.\./x'"),
    "hard link absolute": ([entry("top/a"), hard("top/l", "/etc/passwd")], "outside"),
    "hard link beside": ([entry("top/a"), hard("top/l", "other")], "no file before it"),
    "hard link to a link": ([link("top/a", "b"), hard("top/l", "top/a")], "no file before it"),
    "hard link forward": ([hard("top/l", "top/a"), entry("top/a")], "no file before it"),
    "file then link": ([entry("top/a", b"x"), link("top/a", "b")], "twice"),
    "link then file": ([link("top/a", "b"), entry("top/a", b"x")], "twice"),
    "link and link": ([link("top/a", "b"), link("top/a", "c")], "twice"),
    "two spellings": ([link("top/a", "b"), entry("top/./a", b"x")], "twice"),
    "hard link twice": ([entry("top/f"), hard("top/a", "top/f"), hard("top/a", "top/f")], "twice"),
    "fifo": ([entry("top/p", type=tarfile.FIFOTYPE)], "'top/p' is a device"),
    "device": ([entry("top/d", type=tarfile.BLKTYPE, devmajor=8)], "is a device"),
    "unknown type": ([entry("top/d", type=b"V")], "is a device"),
    "top is a link": ([link("top", "."), entry("top/x", b"x")], "one top folder"),
    "two tops": ([entry("top/a"), entry("other/b")], r"one top folder.*other"),
    "file at the top": ([entry("PKG-INFO", b"x")], "one top folder"),
    "nothing": ([folder("./")], "one top folder"),
    "sparse": (
        [entry("top/s", b"0\n", pax_headers={"GNU.sparse.map": "0,1", "GNU.sparse.size": "9"})],
        "sparse",
    ),
}


@pytest.mark.parametrize("name", DANGEROUS)
def test_a_dangerous_tarball_is_refused(tmp_path: Path, name: str) -> None:
    entries, match = DANGEROUS[name]
    refused(tar_of(tmp_path / "evil.tar.gz", entries), match)


@pytest.mark.parametrize(
    ("entries", "match"),
    [
        ([("../evil", b"x", 0)], "outside"),
        ([("top\\a", b"x", 0)], "outside"),
        ([("top/l", b"../../x", 0o120777)], "outside of the tree"),
        ([("top/l", b"x" * 2000, 0o120777)], "endless"),
        ([("top/p", b"", 0o010644)], "is a device"),
        ([("top/l", b"a", 0o120777), ("top/l/x", b"x", 0)], "lies below"),
    ],
)
def test_a_dangerous_zip_is_refused(
    tmp_path: Path, entries: list[tuple[str, bytes, int]], match: str
) -> None:
    refused(zip_of(tmp_path / "evil.zip", entries), match)


def test_a_zip_with_an_unbounded_compressor_is_refused(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "x.zip", [("top/a", b"x", 0)], zipfile.ZIP_LZMA)
    refused(archive, "unusual way")


def test_a_zip_name_with_a_nul_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", [("top/a#b", b"x", 0)])
    path.write_bytes(path.read_bytes().replace(b"a#b", b"a\0b"))
    refused(path, "NUL")


def test_counts_and_sizes_are_limited(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "x.tar.gz", [entry(f"top/{n}", b"x" * n) for n in range(9)])
    refused(archive, "'top/5' is one more than the 5", Limits(members=5))
    refused(archive, "'top/8' is larger than 7 bytes", Limits(member_bytes=7))
    refused(archive, "'top/3' exceeds 4000 bytes in total", Limits(total_bytes=4000))
    archive = zip_of(tmp_path / "x.zip", [("top/a", b"x" * 600, 0), ("top/b", b"x" * 600, 0)])
    refused(archive, "'top/b' exceeds 1000 bytes in total", Limits(total_bytes=1000))
    many = [entry("top/a", b"x" * 600_000), *(hard(f"top/{n}", "top/a") for n in range(9))]
    archive = tar_of(tmp_path / "hard.tar.gz", many)
    refused(archive, "exceeds", Limits(total_bytes=2_000_000))


@pytest.mark.parametrize("suffix", ["gz", "xz", "bz2"])
def test_a_bomb_is_noticed_while_it_expands(tmp_path: Path, suffix: str) -> None:
    bomb = tar_of(tmp_path / f"x.tar.{suffix}", [entry("top/0", bytes(9_000_000))], f"w:{suffix}")
    refused(bomb, "'top/0' .*more than 50 times", Limits(ratio=50, ratio_floor_bytes=1_000_000))


def test_a_zip_bomb_is_noticed_while_it_expands(tmp_path: Path) -> None:
    bomb = zip_of(tmp_path / "x.zip", [("top/0", bytes(9_000_000), 0)])
    refused(bomb, "'top/0' .*more than 50 times", Limits(ratio=50, ratio_floor_bytes=1_000_000))


def test_a_header_that_asks_for_gigabytes_is_refused_at_once(tmp_path: Path) -> None:
    info, _ = entry("top/PaxHeader", type=tarfile.XHDTYPE)
    info.size = 4 << 30
    path = tmp_path / "x.tar.gz"
    path.write_bytes(gzip.compress(info.tobuf() + bytes(10_000)))
    refused(path, "out of all proportion")
    pax = [entry("top/a", b"x", pax_headers={"comment": "c" * 2_000_000})]
    refused(tar_of(path, pax), "out of all proportion")


def test_a_zip_directory_that_claims_gigabytes_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", [("top/a", b"x", 0)])
    data = bytearray(path.read_bytes())
    end = data.rfind(b"PK\5\6")
    data[end + 12 : end + 20] = struct.pack("<LL", 64 << 20, 0)
    path.write_bytes(bytes(data))
    refused(path, "truncated|in one piece")


def cut(data: bytes) -> bytes:
    return data[:-12]


def flip(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0x55]) + data[middle + 1 :]


@pytest.mark.parametrize("damage", [cut, flip])
@pytest.mark.parametrize("suffix", ["gz", "xz", "bz2", "zip"])
def test_a_damaged_archive_is_refused(tmp_path: Path, suffix: str, damage: Callable[[bytes], bytes]) -> None:
    noise = os.urandom(200_000)
    path = tmp_path / f"x.tar.{suffix}"
    if suffix == "zip":
        zip_of(path, [("top/a", noise, 0)])
    else:
        tar_of(path, [entry("top/a", noise)], f"w:{suffix}")
    path.write_bytes(damage(path.read_bytes()))
    assert "fetch it again" in refused(path, "truncated or damaged").next_step


@pytest.mark.parametrize("keep", [2, 3])
def test_a_tarball_that_stops_inside_is_refused(tmp_path: Path, keep: int) -> None:
    """tarfile itself takes a cut or an unreadable later header for the end, without a word."""
    plain = tar_of(tmp_path / "x.tar", [entry("top/a", b"x"), entry("top/b", b"x")], "w")
    path = tmp_path / "x.tar.gz"
    path.write_bytes(gzip.compress(plain.read_bytes()[: keep * 512] + b"\1" * 512 * (keep - 2)))
    refused(path, "truncated or damaged")


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "page.tar.gz"
    path.write_bytes(b"<html>not found</html>")
    refused(path, "is not a .tar.gz")
    path.write_bytes(b"")
    refused(path, "is not a .tar.gz")


def test_what_is_there_already_is_kept(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "x.tar.gz", GOOD)
    top = unpack(archive, tmp_path / "out")
    (top / "mine").write_text("x")
    with pytest.raises(StoreError, match="there already"):
        unpack(archive, tmp_path / "out")
    assert (top / "mine").exists()


def test_a_failing_disk_leaves_nothing(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "x.tar.gz", GOOD)
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(StoreError, match="cannot unpack"):
        unpack(archive, blocked)
    with pytest.raises(StoreError, match="cannot unpack"):
        unpack(tmp_path / "absent.tar.gz", tmp_path / "out")
    assert not (tmp_path / "out").exists()
