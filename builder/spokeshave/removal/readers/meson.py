"""What meson.build files say about modules: extension modules, and files that are installed elsewhere."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

_COMMENT_OR_STRING = re.compile(r"'''.*?'''|'(?:\\.|[^'\\\n])*'|#[^\n]*", re.DOTALL)
_SUBDIR = re.compile(r"\bsubdir:\s*'(?P<folder>[^']+)'")
_STRING = re.compile(r"'([^']+)'")
_LOOP = re.compile(r"\bforeach\s+\w+(?:\s*,\s*\w+)?\s*:\s*(?P<over>[\w]+|\[)")
_PAIRS = {"(": ")", "[": "]", "{": "}"}


def extension_modules(text: str, folder: str) -> frozenset[str]:
    """The dotted names of the extension modules of a meson.build in `folder`, without those of tests."""
    text = _without_comments(text)
    found: set[str] = set()
    for start, call in _calls(text, "extension_module"):
        if "install_tag: 'tests'" in call:
            continue
        subdir = _SUBDIR.search(call)
        prefix = (subdir["folder"] if subdir else folder).strip("/").replace("/", ".")
        literal = re.match(r"\s*'([\w]+)'", call)
        names = [literal[1]] if literal else _loop_names(text, start)
        found.update(f"{prefix}.{name}" for name in names)
    return frozenset(found)


def shared_modules(text: str) -> frozenset[str]:
    """The modules that hold what all Cython modules of a package share at run time (`--shared=`)."""
    return frozenset(re.findall(r"'--shared=([\w.]+)'", text))


def relocations(text: str, folder: str) -> dict[str, str]:
    """Source file -> installed file, for the files of `install_sources` in a folder below `folder`."""
    moved: dict[str, str] = {}
    for _, call in _calls(_without_comments(text), "install_sources"):
        subdir = _SUBDIR.search(call)
        if not subdir:
            continue
        for name in _STRING.findall(call[: subdir.start()]):
            if "/" in name:
                target = posixpath.join(subdir["folder"], posixpath.basename(name))
                moved[posixpath.join(folder, name)] = posixpath.normpath(target)
    return moved


def _without_comments(text: str) -> str:
    return _COMMENT_OR_STRING.sub(lambda found: "" if found[0].startswith("#") else found[0], text)


def _calls(text: str, function: str) -> Iterator[tuple[int, str]]:
    """Where each call of a function stands, and the text between its brackets."""
    for found in re.finditer(rf"\b{function}\s*\(", text):
        yield found.start(), _bracketed(text, found.end() - 1)


def _bracketed(text: str, start: int) -> str:
    """The text inside the bracket that opens at `start`; brackets in strings are balanced in practice."""
    opening, closing = text[start], _PAIRS[text[start]]
    depth = 0
    for index in range(start, len(text)):
        depth += (text[index] == opening) - (text[index] == closing)
        if depth == 0:
            return text[start + 1 : index]
    return text[start + 1 :]


def _loop_names(text: str, position: int) -> list[str]:
    """The names over which the `foreach` around `position` runs: keys, first elements or the strings."""
    loops = list(_LOOP.finditer(text, 0, position))
    if not loops:
        return []
    over = loops[-1]["over"]
    if over == "[":
        start = loops[-1].end() - 1
    else:
        assigned = list(re.finditer(rf"\b{over}\s*=\s*[\[{{]", text[:position]))
        if not assigned:
            return []
        start = assigned[-1].end() - 1
    values = _bracketed(text, start)
    if text[start] == "{":
        return re.findall(r"'(\w+)'\s*:\s*\{", values)
    return re.findall(r"\[\s*'(\w+)'" if "[" in values else r"'(\w+)'", values)
