"""The imports of Cython source, by lines: its templates are no valid Cython until they are filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from spokeshave.removal.readers.reader import EdgeKind, Reference, Unit, absolute

_NOISE = re.compile(
    r"(?P<long>(?P<quote>\"\"\"|''').*?(?P=quote))"
    r"|(?P<string>\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')"
    r"|(?P<comment>\#[^\n]*)",
    re.DOTALL,
)
_STATEMENT = re.compile(
    r"from\s+(?P<dots>\.*)\s*(?P<base>[\w.{}]*)\s+c?import\b\s*(?P<names>.*)|c?import\s+(?P<modules>.*)"
)
_FUNCTION = re.compile(
    r"(async\s+)?def\s"
    r"|(cdef|cpdef)\s+(?!class\b|extern\b|struct\b|enum\b|union\b|fused\b|cppclass\b|packed\b)[^=]*\(.*:$"
)
_DYNAMIC = re.compile(
    r"\b(?P<loader>import_module|__import__|import_optional_dependency)\(\s*[\"'](?P<name>[\w.]+)[\"']"
)
_CATCHING = re.compile(r"except\b\s*(:|.*\b(ImportError|ModuleNotFoundError|Exception|BaseException)\b)")
_BREAKS_OUT = re.compile(r"(cp?def|def|class|from|c?import)\b")
_INCLUDE = re.compile(r"^\s*include\s+[\"'](?P<name>[^\"']+)[\"']", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Line:
    """A logical line: where it starts, how far it is indented, and its code without strings."""

    number: int
    indent: int
    code: str


def cython_references(unit: Unit) -> list[Reference]:
    """Every import and cimport of a .pyx, .pxd or .pxi file or a template of one."""
    lines = list(_logical_lines(_NOISE.sub(_blank, unit.text)))
    kinds = list(_kinds(lines))
    names: dict[str, str] = {}
    found: list[Reference] = []
    for line, kind in zip(lines, kinds, strict=True):
        if kind is None:
            continue
        for statement in line.code.split(";"):
            for full, local, stands_for in _imported(unit, statement.strip()):
                found.append(Reference(name=full, line=line.number, kind=kind))
                if local and "cimport" not in statement:
                    names[local] = stands_for
    return [*found, *_attributes(lines, kinds, names), *_dynamic(unit)]


def included(text: str) -> list[str]:
    """The files that a Cython source takes in, as it names them."""
    return _INCLUDE.findall(text)


def _blank(found: re.Match[str]) -> str:
    """Nothing for comments and long strings but their line breaks; an empty string for a short one."""
    return '""' if found["string"] else "\n" * found[0].count("\n")


def _keep_strings(found: re.Match[str]) -> str:
    return found["string"] or "\n" * found[0].count("\n")


def _logical_lines(text: str) -> Iterator[_Line]:
    """Joins what brackets and backslashes continue; drops blank lines and those of the template language."""
    held, start, depth = "", 0, 0
    for number, raw in enumerate(text.split("\n"), 1):
        if not held and (not raw.strip() or raw.lstrip().startswith("{{")):
            continue
        if held and _BREAKS_OUT.match(raw):  # a bracket that only the template closes
            yield _line(start, held)
            held, depth = "", 0
        start = start if held else number
        held = f"{held} {raw.strip()}" if held else raw.rstrip()
        depth = max(0, depth + sum(raw.count(b) for b in "([{") - sum(raw.count(b) for b in ")]}"))
        if depth == 0 and not held.endswith("\\"):
            yield _line(start, held)
            held = ""
        held = held.removesuffix("\\")
    if held:
        yield _line(start, held)


def _line(number: int, text: str) -> _Line:
    code = text.expandtabs().lstrip()
    return _Line(number=number, indent=len(text.expandtabs()) - len(code), code=code.rstrip())


def _kinds(lines: Sequence[_Line]) -> Iterator[EdgeKind | None]:
    """For each line what an import on it would be; None below TYPE_CHECKING, where it does not count."""
    blocks: list[tuple[int, EdgeKind | None]] = []
    for index, line in enumerate(lines):
        while blocks and blocks[-1][0] >= line.indent:
            blocks.pop()
        opened = [kind for _, kind in blocks]
        yield None if None in opened else opened[-1] if opened else "import"
        if _FUNCTION.match(line.code):
            blocks.append((line.indent, "deferred"))
        elif line.code == "try:" and _survives(lines, index):
            blocks.append((line.indent, "guarded"))
        elif re.match(r"if\s+([\w]+\.)?TYPE_CHECKING\s*:", line.code):
            blocks.append((line.indent, None))


def _survives(lines: Sequence[_Line], start: int) -> bool:
    """Whether a handler of the `try` at `start` lives on: it neither raises at its end nor imports."""
    indent = lines[start].indent
    catching, body_indent, last = False, 0, ""
    for line in lines[start + 1 :]:
        if line.indent > indent:
            body_indent = body_indent or line.indent
            if line.indent == body_indent:
                last = line.code
                catching = catching and not _STATEMENT.match(last)
            continue
        if catching and not last.startswith("raise"):
            return True
        if line.indent < indent or not line.code.startswith(("except", "else", "finally")):
            return False
        catching, body_indent, last = bool(_CATCHING.match(line.code)), 0, ""
    return catching and not last.startswith("raise")


def _imported(unit: Unit, code: str) -> Iterator[tuple[str, str, str]]:
    """Per name: what is imported, the local name that it binds, and what that stands for."""
    statement = _STATEMENT.match(code)
    if not statement:
        return
    if statement["modules"] is not None:
        for part in statement["modules"].split(","):
            name, _, alias = (word.strip() for word in part.partition(" as "))
            top = name.partition(".")[0]
            yield name, alias or top, name if alias else top
        return
    base = absolute(unit, _before_template(statement["base"]), len(statement["dots"]))
    for part in statement["names"].strip("() ").split(",") if base else ():
        name, _, alias = (word.strip() for word in part.partition(" as "))
        if name.isidentifier():
            yield f"{base}.{name}", alias or name, f"{base}.{name}"
        elif name:
            yield base, "", base


def _before_template(name: str) -> str:
    """A dotted name up to the part that a template fills in."""
    return name if "{" not in name else name.partition("{")[0].rpartition(".")[0]


def _attributes(
    lines: Sequence[_Line], kinds: Sequence[EdgeKind | None], names: dict[str, str]
) -> Iterator[Reference]:
    """Uses like `scipy.signal.x` of the names that an import bound, wherever in the file it stands."""
    if not names:
        return
    use = re.compile(rf"(?<![\w.])(?P<local>{'|'.join(map(re.escape, names))})(?P<rest>(\.[A-Za-z_]\w*)+)")
    for line, kind in zip(lines, kinds, strict=True):
        if kind is None or _STATEMENT.match(line.code):
            continue
        for found in use.finditer(line.code):
            beyond = names[found["local"]]
            yield Reference(name=beyond + found["rest"], line=line.number, kind=kind, beyond=beyond)


def _dynamic(unit: Unit) -> Iterator[Reference]:
    text = _NOISE.sub(_keep_strings, unit.text)
    for found in _DYNAMIC.finditer(text):
        name = found["name"]
        level = len(name) - len(name.lstrip("."))
        optional = found["loader"] == "import_optional_dependency"
        yield Reference(
            name=absolute(unit, name.lstrip("."), level),
            line=text.count("\n", 0, found.start()) + 1,
            kind="guarded" if optional else "deferred",
        )
