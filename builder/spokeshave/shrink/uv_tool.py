"""uv: where it is, the indexes that it uses, and the two of its commands that write a pylock.toml."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spokeshave.context import Context
from spokeshave.errors import NetworkError, UsageFault
from spokeshave.inside.model import Target
from spokeshave.inside.run import Command
from spokeshave.shrink.inputs import Inputs
from spokeshave.sources.client import PipSettings, read_pip_settings

_OWN_INDEXES = (
    *("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS"),
    "UV_CONFIG_FILE",
)
_SHOWN = 12  # lines of uv's explanation


@dataclass(frozen=True, kw_only=True, slots=True)
class Uv:
    """A uv program, the environment that it runs in, and the target that it resolves for.

    With `no_index` it finds wheels in folders alone; uv has no variable for that.
    """

    program: str
    no_index: bool
    environ: Mapping[str, str]
    context: Context
    target: Target

    def version(self) -> str:
        """For example `uv 0.9.5`."""
        done = self.context.runner(Command(argv=(self.program, "--version"), env=self.environ))
        return " ".join(done.output.split()[:2])

    def compile(
        self, inputs: Inputs, scratch: Path, *, extras: tuple[str, ...], groups: tuple[str, ...], deps: bool
    ) -> Path:
        """Resolves requirements or a project for the target; returns the pylock.toml in `scratch`.

        With `deps` false the requirements are all there is. Raises UsageFault where there is no solution.
        """
        options = [
            *("--only-binary", ":all:", "--python-version", self.target.python_version),
            *("--python-platform", f"{self.target.arch}-{glibc_tag(self.target)}"),
            *([] if deps else ["--no-deps"]),
            *(["--no-index"] if self.no_index else []),
            *(word for name in extras for word in ("--extra", name)),
            *(word for name in groups for word in ("--group", name)),
        ]
        argv = ("pip", "compile", *map(str, inputs.paths), *_words_file(inputs, scratch), *options)
        return self._lock(argv, scratch, "requirements")

    def export(self, path: Path, scratch: Path, *, extras: tuple[str, ...], groups: tuple[str, ...]) -> Path:
        """A uv.lock as pylock.toml in `scratch`; raises UsageFault where uv cannot read it."""
        options = [
            *("--frozen", "--no-emit-local", "--no-default-groups", "--project", str(path.parent)),
            *(word for name in extras for word in ("--extra", name)),
            *(word for name in groups for word in ("--group", name)),
        ]
        return self._lock(("export", *options), scratch, str(path))

    def _lock(self, argv: tuple[str, ...], scratch: Path, what: str) -> Path:
        output = scratch / "pylock.toml"
        log = self.context.logs / "shrink-resolve.log"
        options = ("--format", "pylock.toml", "--no-header", "--no-progress", "--color=never", "-q")
        python = ("--python", sys.executable)
        words = (self.program, *argv, *options, *python, "-o", str(output))
        done = self.context.runner(Command(argv=words, env=self.environ, log=log))
        if not done.ok or not output.is_file():
            lines = "\n  ".join(done.output.strip().splitlines()[-_SHOWN:])
            raise _fault(f"uv cannot resolve the {what} for {self.target.identifier}:\n  {lines}", lines, log)
        return output


def _fault(what: str, lines: str, log: Path) -> NetworkError | UsageFault:
    if any(word in lines for word in ("error sending request", "Failed to fetch", "dns error")):
        return NetworkError(what, next_step="check the index that uv uses, and the network", log=log)
    step = "change the requirement that uv names"
    if "no usable wheels" in lines or "building" in lines.lower():
        step = (
            "build a wheel of the package that uv names (`pip wheel`), and name its folder in PIP_FIND_LINKS"
        )
    return UsageFault(what, next_step=step, log=log)


def uv_program(context: Context) -> str | None:
    """The path of uv: on PATH, or next to this Python; None where there is none."""
    near = Path(sys.executable).parent / "uv"
    found = shutil.which("uv", path=context.environ.get("PATH", ""))
    return found or (str(near) if near.is_file() else None)


def find_uv(context: Context, target: Target) -> Uv | None:
    """uv, set up to resolve for the target; None where there is none.

    It has the user's environment, with pip's indexes where pip has some and no variable gives uv its own. uv
    takes a project from the first index that has it, pip the best of all: with pip's indexes, as pip does.
    """
    program = uv_program(context)
    if program is None:
        return None
    environ = {key: text for key, text in context.environ.items() if not key.startswith("PYTHON")}
    environ.setdefault("UV_PYTHON_DOWNLOADS", "never")
    settings = None
    if not any(environ.get(name) for name in _OWN_INDEXES):
        settings = read_pip_settings(context.runner)
        if _is_configured(settings):
            environ |= _as_variables(settings)
    no_index = bool(settings and settings.no_index)
    return Uv(program=program, no_index=no_index, environ=environ, context=context, target=target)


def _is_configured(settings: PipSettings) -> bool:
    """Whether pip has other indexes than its default, which only pip itself names."""
    default = importlib.import_module("pip._internal.models.index").PyPI.simple_url
    others = settings.extra_index_urls or settings.find_links or settings.no_index
    return bool(others) or settings.index_url != default


def _as_variables(settings: PipSettings) -> dict[str, str]:
    """pip's settings by the names of uv's variables."""
    found = {
        "UV_DEFAULT_INDEX": settings.index_url,
        "UV_INDEX": " ".join(settings.extra_index_urls),
        "UV_FIND_LINKS": ",".join(settings.find_links),
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_INSECURE_HOST": " ".join(settings.trusted_hosts),
        "UV_HTTP_TIMEOUT": f"{settings.timeout:.0f}",
        "SSL_CERT_FILE": str(settings.cert or ""),
        "ALL_PROXY": settings.proxy or "",
    }
    return {name: text for name, text in found.items() if text}


def glibc_tag(target: Target) -> str:
    """The newest platform tag of the target without its architecture, for example `manylinux_2_31`."""
    return target.pip_platforms[0].removesuffix(f"_{target.arch}")


def _words_file(inputs: Inputs, scratch: Path) -> tuple[str, ...]:
    """The requirements given as words, as a file of them."""
    if not inputs.words:
        return ()
    path = scratch / "words.txt"
    path.write_text("".join(f"{word}\n" for word in inputs.words), "utf-8")
    return (str(path),)
