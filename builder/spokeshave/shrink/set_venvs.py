"""The two venvs of the check: PyPI's wheels in one, ours in the other, all else in the same versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from spokeshave.context import Context
from spokeshave.errors import VerifyError
from spokeshave.inside.run import Command, Finished
from spokeshave.machine.venvs import Venv, install, install_alike, make_venv
from spokeshave.shrink.lanes import side_by_side
from spokeshave.shrink.model import Chosen
from spokeshave.shrink.uv_tool import uv_program

_SHOWN = 6  # last lines of the installer's output


def make_pair_of_sets(
    context: Context, chosen: Sequence[Chosen], python: str, extra: Sequence[str], folder: Path
) -> tuple[Venv, Venv]:
    """The venvs in `folder`, that of PyPI's wheels first; `extra` are requirements or files of them for both.

    Only `extra` needs an index. Raises VerifyError where one side cannot be installed.
    """
    sets = _Sets(context=context, chosen=tuple(chosen), folder=folder, log=context.logs / "shrink-check.log")
    pypi = tuple(one.stock for one in chosen if not one.extra)
    ours = tuple(one.wheel for one in chosen)
    jobs = [partial(sets.venv, python, "pypi", pypi), partial(sets.venv, python, "ours", ours)]
    theirs, mine = side_by_side(context.cpus, jobs)
    if extra:
        sets.add(theirs, mine, extra)
    return theirs, mine


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sets:
    """Both sets of wheels, and where their venvs and the installer's log are."""

    context: Context
    chosen: tuple[Chosen, ...]
    folder: Path
    log: Path

    def venv(self, python: str, name: str, wheels: tuple[Path, ...]) -> Venv:
        """A new venv with these wheels and nothing else."""
        made = make_venv(self.folder / name, self.context.runner, self.log, python=python)
        self._check(name, self._install(made, [str(path.resolve()) for path in wheels]))
        return made

    def _install(self, venv: Venv, files: Sequence[str]) -> Finished:
        """With uv where there is one, since it is faster; its cache ends with the venvs."""
        program = uv_program(self.context)
        if program is None:
            words = ("--no-deps", "--no-index", "--", *files)
            return install(venv, words, self.context.runner, self.log)
        cache = self.folder / f"{venv.root.name}-cache"
        argv = (program, "pip", "install", "--python", venv.python, "--cache-dir", str(cache))
        words = ("--no-deps", "--no-index", "--no-config", "--no-progress", "--color=never", *files)
        return self.context.runner(Command(argv=(*argv, *words), env=self.context.environ, log=self.log))

    def add(self, theirs: Venv, ours: Venv, extra: Sequence[str]) -> None:
        """Installs what the tests need into both, without a change to the compared wheels."""
        pins = self.folder / "pins.txt"
        lines = [f"{one.pick.project}=={one.pick.version}\n" for one in self.chosen if not one.extra]
        pins.write_text("".join(lines), "utf-8")
        words = [word for text in extra for word in (("-r", text) if Path(text).is_file() else (text,))]
        self._check("pypi", install(theirs, ("-c", str(pins), *words), self.context.runner, self.log))
        names = tuple(one.pick.project for one in self.chosen)
        done = install_alike(ours, (), like=theirs, exclude=names, runner=self.context.runner, log=self.log)
        self._check("ours", done)

    def _check(self, side: str, done: Finished) -> None:
        if done.ok:
            return
        tail = "\n  ".join(done.output.strip().splitlines()[-_SHOWN:])
        which = "PyPI's wheels" if side == "pypi" else "these wheels"
        raise VerifyError(
            f"{which} cannot be installed together:\n  {tail}",
            next_step="change the requirement that is named; --no-check skips the check",
            log=self.log,
        )
