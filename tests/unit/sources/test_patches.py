"""A patch applies exactly or the tree stays as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from spokeshave.errors import PatchError
from spokeshave.sources.archive import SOURCE_EPOCH
from spokeshave.sources.patches import apply_patches

MESON = b"project('x')\nsubdir('a')\nsubdir('b')\nsubdir('c')\n"
PLAIN = b"""Why: the module is removed.
- upstream issue 1

--- scipy-1/pkg/meson.build\t2026-01-01 10:00:00.000000000 +0000
+++ scipy-2/pkg/meson.build\t2026-01-01 10:00:01.000000000 +0000
@@ -1,4 +1,3 @@
 project('x')
 subdir('a')
-subdir('b')
 subdir('c')
"""
GIT = b"""From 0123456789 Mon Sep 17 00:00:00 2001
Subject: [PATCH] three files
---
 pkg/meson.build | 2 +-

diff --git a/pkg/meson.build b/pkg/meson.build
index 1234567..89abcde 100644
--- a/pkg/meson.build
+++ b/pkg/meson.build
@@ -2,3 +2,3 @@ project('x')
 subdir('a')
-subdir('b')
+subdir('B')
 subdir('c')
diff --git a/tool.sh b/tool.sh
new file mode 100755
index 0000000..89abcde
--- /dev/null
+++ b/tool.sh
@@ -0,0 +1,2 @@
+#!/bin/sh
+-- end
diff --git a/old.txt b/old.txt
deleted file mode 100644
index 1234567..0000000
--- a/old.txt
+++ /dev/null
@@ -1,2 +0,0 @@
-one
-two
\\ No newline at end of file
"""
GIT += b"-- \n2.43.0\n"  # the signature that `git format-patch` writes


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "pkg").mkdir(parents=True)
    (root / "pkg/meson.build").write_bytes(MESON)
    (root / "old.txt").write_bytes(b"one\ntwo")
    return root


def contents(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_plain_and_git_patches_apply_one_after_the_other(tree: Path) -> None:
    undo = GIT[: GIT.index(b"diff --git a/tool.sh")].replace(b"+subdir('B')", b"+subdir('b')")
    undo = undo.replace(b"-subdir('b')", b"-subdir('B')")
    apply_patches(tree, [("1.patch", GIT), ("2.patch", undo), ("3.patch", PLAIN)])
    assert contents(tree) == {
        "pkg/meson.build": MESON.replace(b"subdir('b')\n", b""),
        "tool.sh": b"#!/bin/sh\n-- end\n",
    }
    assert (tree / "tool.sh").stat().st_mode & 0o777 == 0o755
    assert (tree / "pkg/meson.build").stat().st_mtime == SOURCE_EPOCH
    assert list(tree.parent.iterdir()) == [tree]


def test_a_missing_newline_at_the_end_is_kept_and_made(tree: Path) -> None:
    patch = b"--- a/old.txt\n+++ b/old.txt\n@@ -1,2 +1,2 @@\n-one\n+1\n two\n\\ No newline at end of file\n"
    apply_patches(tree, [("p", patch)])
    assert (tree / "old.txt").read_bytes() == b"1\ntwo"
    apply_patches(tree, [("p", b"--- a/old.txt\n+++ b/old.txt\n@@ -2 +2 @@\n-two\n\\ No\n+two\n")])
    assert (tree / "old.txt").read_bytes() == b"1\ntwo\n"


def test_several_hunks_and_a_file_with_carriage_returns(tree: Path) -> None:
    lines = [b"%d\r\n" % n for n in range(40)]
    (tree / "crlf").write_bytes(b"".join(lines))
    patch = b"--- a/crlf\n+++ b/crlf\n@@ -1,2 +1,3 @@\n 0\r\n+new\r\n 1\r\n@@ -39,2 +40,1 @@\n 38\r\n-39\r\n"
    apply_patches(tree, [("p", patch)])
    expected = [lines[0], b"new\r\n", *lines[1:-1]]
    assert (tree / "crlf").read_bytes() == b"".join(expected)


HEAD = b"--- a/pkg/meson.build\n+++ b/pkg/meson.build\n"
BAD: dict[str, tuple[bytes, str]] = {
    "not a patch": (b"hello\n", "well-formed"),
    "empty": (b"", "well-formed"),
    "other text": (PLAIN.replace(b"-subdir('b')", b"-subdir('x')"), r"hunk 1 of pkg/meson.build.*3"),
    "other context": (PLAIN.replace(b" subdir('c')", b" subdir('d')"), "hunk 1 of pkg/meson.build"),
    "other line ends": (PLAIN.replace(b"'a')\n", b"'a')\r\n"), "hunk 1 of pkg/meson.build"),
    "shifted": (PLAIN.replace(b"@@ -1,4 +1,3 @@", b"@@ -2,4 +2,3 @@"), "hunk 1 of pkg/meson.build"),
    "beyond the end": (HEAD + b"@@ -9 +9 @@\n-x\n+y\n", "beyond the end"),
    "second hunk": (
        HEAD + b"@@ -1 +1 @@\n-project('x')\n+project('y')\n@@ -4 +4 @@\n-subdir('d')\n+x\n",
        "hunk 2 of pkg/meson.build",
    ),
    "overlapping hunks": (HEAD + b"@@ -2 +2 @@\n-subdir('a')\n+x\n" * 2, "hunk 2"),
    "too many lines": (PLAIN + b" \n+more\n", "more lines at line 11"),
    "too few lines": (PLAIN[: PLAIN.index(b" subdir('c')")], "well-formed"),
    "bad hunk header": (PLAIN + b"@@ -9,1 +9,1\n-x\n+y\n", "malformed hunk header"),
    "absent file": (PLAIN.replace(b"meson.build", b"absent"), "pkg/absent is not there"),
    "already there": (
        b"--- /dev/null\n+++ b/old.txt\n@@ -0,0 +1 @@\n+x\n",
        "creates old.txt, which is there already",
    ),
    "deletes a part": (
        b"--- a/pkg/meson.build\n+++ /dev/null\n@@ -1 +0,0 @@\n-project('x')\n",
        "deletes pkg/meson.build, but leaves 3 lines",
    ),
    "rename": (
        b"diff --git a/old.txt b/new.txt\nsimilarity index 100%\nrename from old.txt\nrename to new.txt\n",
        "renames|well-formed",
    ),
    "mode alone": (
        b"diff --git a/old.txt b/old.txt\nold mode 100644\nnew mode 100755\n" + GIT,
        "changes a mode alone",
    ),
    "two names": (b"--- a/old.txt\n+++ b/new.txt\n@@ -1 +1 @@\n-one\n+x\n", "from a/old.txt to"),
    "below a file": (b"--- /dev/null\n+++ b/old.txt/x\n@@ -0,0 +1 @@\n+x\n", "cannot be a file"),
    "through a link": (b"--- /dev/null\n+++ b/link/x\n@@ -0,0 +1 @@\n+x\n", "cannot be a file"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_apply_exactly_changes_nothing(tree: Path, name: str) -> None:
    (tree / "link").symlink_to("/tmp")
    before = contents(tree)
    patch, match = BAD[name]
    creates = b"--- /dev/null\n+++ b/made\n@@ -0,0 +1 @@\n+x\n"
    with pytest.raises(PatchError, match=match) as caught:
        apply_patches(tree, [("first.patch", creates), ("bad.patch", patch)])
    assert "bad.patch" in caught.value.what
    assert caught.value.next_step
    assert contents(tree) == before
    assert list(tree.parent.iterdir()) == [tree]
