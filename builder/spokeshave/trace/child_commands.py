"""Whether a process that a program starts will be recorded too, as far as its command shows.

Standard library only: `inject.py` copies it into the traced program's path.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "busybox"})
_WRAPPERS = frozenset(
    {"env", "nice", "ionice", "timeout", "nohup", "setsid", "stdbuf", "taskset", "time", "xargs"}
    | {"sudo", "su", "doas", "runuser", "setpriv", "chroot", "unshare", "strace", "bwrap", "docker", "podman"}
)
_FORGETS = frozenset({"sudo", "su", "doas", "runuser"})  # variables, unless they are asked to keep them
_EMPTIES = frozenset({"-i", "-", "--ignore-environment"})  # of env
_READ = 1 << 16  # characters of a script
_ASKS = frozenset({"-V", "-VV", "--version", "-h", "--help", "-?", "--help-all", "--help-env"})

_EXPANDED = "$`*?[~"  # by the shell
_SEPARATORS = {ord(char): " " for char in "'\"();&|<>={}"}

Kind = Literal["recorded", "hidden", "other"]


def kind_of(executable: str, words: Sequence[str], variables: Mapping[str, str], folder: str) -> Kind:
    """Whether a command starts a Python with the recorder, one without, or something else.

    `folder` has the recorder. Where that would not be found, a shell counts as a Python if its command
    names one, a script of one, or what only the shell knows; where it would be, if its text starts a Python
    that passes over it.
    """
    reached = folder in variables.get("PYTHONPATH", "").split(os.pathsep) and os.access(folder, os.X_OK)
    path = _full_path(executable, variables)
    if _is_shell(executable):
        return "hidden" if _may_hide_python(words, variables, reached=reached) else "other"
    if _starts_shell(path) and _passes_over(_script(path)):
        return "hidden"
    options = _options(path, words)
    if options is None or _ASKS & set(options[:1]):
        return "other"
    if not reached or isolated(options):
        return "hidden"
    return "recorded" if path else "other"


def _may_hide_python(words: Sequence[str], variables: Mapping[str, str], *, reached: bool) -> bool:
    if not reached:
        return _may_start_python(words, variables)
    if "-c" in words[1:-1]:
        return _passes_over(words[words.index("-c") + 1])
    return any(_passes_over(_script(word)) for word in words[1:2])


def _script(path: str) -> str:
    """The beginning of a script; nothing of one that cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123  (see _first_line)
            return file.read(_READ)
    except OSError:
        return ""


def _passes_over(text: str) -> bool:
    """Whether a text of the shell starts a Python without the recorder, as far as it names one."""
    for line in re.split(r"[\n;&|()]", text):
        names = [] if line.lstrip().startswith("#") else line.translate(_SEPARATORS).split()
        for index, name in enumerate(names):
            if _is_python(name) and (isolated(names[index + 1 :]) or _forgets(names[:index])):
                return True
    return False


def _forgets(words: Sequence[str]) -> bool:
    """Whether what stands before a program in a command takes its variables away."""
    for index, word in enumerate(words):
        options = words[index + 1 :]
        if _base(word) in _FORGETS and not any(one.startswith(("-E", "--preserve-env")) for one in options):
            return True
        if _base(word) == "env" and _EMPTIES & set(options):
            return True
    return False


def _may_start_python(words: Sequence[str], variables: Mapping[str, str]) -> bool:
    if "-c" not in words[1:-1]:
        return True  # a script of the shell
    text = words[words.index("-c") + 1]
    if any(char in text for char in _EXPANDED):
        return True
    names = text.translate(_SEPARATORS).split()
    return any(_is_shell(name) or _options(_full_path(name, variables), [name]) is not None for name in names)


def isolated(options: Iterable[str]) -> bool:
    """Whether options of Python before the script have it pass over PYTHONPATH or `sitecustomize`."""
    for option in options:
        if not option.startswith("-") or option.startswith(("--", "-c", "-m")):
            return False
        if not option.startswith(("-W", "-X")) and set(option) & set("IES"):
            return True
    return False


def shown(words: Sequence[str]) -> str:
    """A command for messages: its program without folders, and the beginning of the rest."""
    name = "python" if _is_python(words[0]) else _base(words[0])
    return " ".join([name, *words[1:3]])[:60]


def _options(path: str, words: Sequence[str]) -> Sequence[str] | None:
    """The words behind a Python in a command, or None where it starts none."""
    if _is_python(words[0]) or _is_python(path):
        return words[1:]
    if _base(words[0]) in _WRAPPERS:
        indexes = [index for index, word in enumerate(words) if index and _is_python(word)]
        return words[indexes[0] + 1 :] if indexes else None
    options = _shebang(path)
    return None if options is None else [*options, *words]


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def _is_python(path: str) -> bool:
    return _base(path).startswith("python") and not _base(path).endswith("-config")


def _is_shell(path: str) -> bool:
    return _base(path) in _SHELLS


def _full_path(executable: str, variables: Mapping[str, str]) -> str:
    """Where the program of a command is; nothing where it is not there."""
    folders = [""] if "/" in executable else variables.get("PATH", os.defpath).split(os.pathsep)
    paths = (f"{folder}/{executable}" if folder else executable for folder in folders)
    return next((path for path in paths if os.access(path, os.X_OK)), "")


def _starts_shell(path: str) -> bool:
    first = _first_line(path) if path else []
    return any(_is_shell(word) for word in first)


def _shebang(path: str) -> Sequence[str] | None:
    """The options that the first line of a script gives its Python; None where that names none."""
    words = _first_line(path) if path else []
    indexes = [index for index, word in enumerate(words) if _is_python(word)]
    return words[indexes[0] + 1 :] if indexes else None


def _first_line(path: str) -> list[str]:
    """The words behind `#!` in a script; none for another file."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123  (pathlib would be loaded into the program)
            line = file.readline(256)
    except OSError:
        return []
    return line[2:].decode("utf-8", "replace").split() if line.startswith(b"#!") else []
