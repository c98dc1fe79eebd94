"""The two venvs of the check: PyPI's wheels in one, ours in the other, all else in the same versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from spokeshave.context import Context
from spokeshave.errors import VerifyError
from spokeshave.inside.run import Command, Finished
from spokeshave.machine.venvs import Venv, install, install_alike, make_venv, run_pip
from spokeshave.shrink.lanes import side_by_side
from spokeshave.shrink.model import Chosen
from spokeshave.shrink.uv_tool import uv_program

_SHOWN = 6  # last lines of the installer's output


@dataclass(frozen=True, kw_only=True, slots=True)
class Sets:
    """Makes the venvs in `folder`, and changes that of ours."""

    context: Context
    folder: Path

    def pair(self, chosen: Sequence[Chosen], python: str, extra: Sequence[str]) -> tuple[Venv, Venv]:
        """The venvs, that of PyPI's wheels first; `extra` are requirements or files of them for both.

        Only `extra` needs an index. Raises VerifyError where one side cannot be installed.
        """
        pypi = tuple(one.stock for one in chosen if not one.extra)
        ours = tuple(one.wheel for one in chosen)
        jobs = [partial(self.venv, python, "pypi", pypi), partial(self.venv, python, "ours", ours)]
        theirs, mine = side_by_side(self.context.cpus, jobs)
        if extra:
            self.add(theirs, mine, chosen, extra)
        return theirs, mine

    def replace(self, ours: Venv, new: Chosen, unneeded: Sequence[str]) -> None:
        """Installs another wheel of a project, and removes projects; raises VerifyError where that fails."""
        self._check("ours", self._install(ours, [str(new.wheel.resolve())], again=True))
        if unneeded:
            words = ("uninstall", *(() if self._uv else ("--yes",)), *unneeded)
            self._check("ours", self._run(ours, words))

    def check_requirements(self, venv: Venv) -> Finished:
        """What `pip check` says, or uv's, which is faster."""
        return self._run(venv, ("check",))

    def venv(self, python: str, name: str, wheels: tuple[Path, ...]) -> Venv:
        """A new venv with these wheels and nothing else."""
        made = make_venv(self.folder / name, self.context.runner, self._log, python=python)
        self._check(name, self._install(made, [str(path.resolve()) for path in wheels]))
        return made

    def _install(self, venv: Venv, files: Sequence[str], *, again: bool = False) -> Finished:
        """With uv where there is one, since it is faster; its cache ends with the venvs."""
        if self._uv is None:
            words = ("--no-deps", "--no-index", *(("--force-reinstall",) if again else ()), "--", *files)
            return install(venv, words, self.context.runner, self._log)
        options = ("--no-deps", "--no-index", "--no-config", "--cache-dir", str(self.folder / "uv-cache"))
        return self._run(venv, ("install", *options, *(("--reinstall",) if again else ()), *files))

    def _run(self, venv: Venv, words: Sequence[str]) -> Finished:
        """A command of uv's pip, or of pip."""
        if self._uv is None:
            return run_pip(venv.python, tuple(words), self.context.runner, self._log)
        options = ("--python", venv.python, "--no-progress", "--color=never")
        argv = (self._uv, "pip", words[0], *options, *words[1:])
        return self.context.runner(Command(argv=argv, env=self.context.environ, log=self._log))

    @property
    def _uv(self) -> str | None:
        return uv_program(self.context)

    @property
    def _log(self) -> Path:
        return self.context.logs / "shrink-check.log"

    def add(self, theirs: Venv, ours: Venv, chosen: Sequence[Chosen], extra: Sequence[str]) -> None:
        """Installs what the tests need into both, without a change to the compared wheels."""
        pins = self.folder / "pins.txt"
        lines = [f"{one.pick.project}=={one.pick.version}\n" for one in chosen if not one.extra]
        pins.write_text("".join(lines), "utf-8")
        words = [word for text in extra for word in (("-r", text) if Path(text).is_file() else (text,))]
        self._check("pypi", install(theirs, ("-c", str(pins), *words), self.context.runner, self._log))
        names = tuple(one.pick.project for one in chosen)
        done = install_alike(ours, (), like=theirs, exclude=names, runner=self.context.runner, log=self._log)
        self._check("ours", done)

    def _check(self, side: str, done: Finished) -> None:
        if done.ok:
            return
        tail = "\n  ".join(done.output.strip().splitlines()[-_SHOWN:])
        which = "PyPI's wheels" if side == "pypi" else "these wheels"
        raise VerifyError(
            f"{which} cannot be installed together:\n  {tail}",
            next_step="change the requirement that is named; --no-check skips the check",
            log=self._log,
        )
