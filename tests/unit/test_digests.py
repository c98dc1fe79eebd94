"""Digests of our own code leave out nothing that judges."""

from __future__ import annotations

import ast

from spokeshave.own_code import JUDGE_CODE, package_root

# What judging code imports and what has no say: values, places of files, how things are run.
NO_JUDGES = {"context", "digests", "errors", "fetch", "files", "kit", "model", "recipes", "run", "tables"}
NO_JUDGES |= {"containers", "engines"}  # where tests run; the digest of the place counts
COUNTED_ELSEWHERE = {"prove"}  # `prove_digest`


def test_judge_digest_covers_what_judging_code_imports() -> None:
    root = package_root()
    assert all((root / name).is_file() for name in JUDGE_CODE)
    imported: set[tuple[str, ...]] = set()
    for name in JUDGE_CODE:
        for node in ast.walk(ast.parse((root / name).read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("spokeshave"):
                below = (node.module or "").split(".")[1:]
                imported |= {tuple(below)} if below else {(one.name,) for one in node.names}
    wanted = {one for one in imported if one[0] not in NO_JUDGES | COUNTED_ELSEWHERE}
    assert {"/".join(one) + ".py" for one in wanted} <= set(JUDGE_CODE)
