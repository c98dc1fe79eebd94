"""Two venvs that differ in the compared wheels alone, with a runner that records the words for pip."""

from __future__ import annotations

from pathlib import Path

import pytest

from spokeshave.inside.run import Command, Finished
from spokeshave.machine.venv_pair import InstallFailed, make_venv_pair
from spokeshave.machine.venvs import Venv


class Recorder:
    """Answers each command; those whose words hold `failing` fail."""

    def __init__(self, failing: str = "") -> None:
        self.failing = failing
        self.commands: list[tuple[str, ...]] = []

    def __call__(self, command: Command) -> Finished:
        self.commands.append(command.argv)
        failed = bool(self.failing) and self.failing in command.argv
        output = "1\n2\n3\n4\nno such wheel" if failed else "other==1.0\ndemo==1.0"
        return Finished(argv=command.argv, returncode=int(failed), output=output, seconds=0.0)

    @property
    def installed(self) -> list[tuple[str, tuple[str, ...]]]:
        """For each install: the folder of the venv, and the words after pip's own options."""
        found = []
        for argv in self.commands:
            if "install" in argv:
                python = Path(argv[argv.index("--python") + 1])
                found.append((python.parents[1].name, argv[argv.index("--no-compile") + 1 :]))
        return found


def pair(folder: Path, runner: Recorder) -> tuple[Venv, Venv]:
    return make_venv_pair(
        folder,
        ("pypi", "slim"),
        reference=("--", "pypi.whl", "extra<2"),
        ours=("slim.whl",),
        replaced=("demo",),
        runner=runner,
        log=folder / "log",
        python="python9",
    )


def test_make_venv_pair_ours_gets_the_same_versions_of_all_others(tmp_path: Path) -> None:
    runner = Recorder()
    assert pair(tmp_path, runner) == (Venv(root=tmp_path / "pypi"), Venv(root=tmp_path / "slim"))
    assert [argv[0] for argv in runner.commands if "venv" in argv] == ["python9"] * 2
    reference, ours = runner.installed
    assert reference == ("pypi", ("--", "pypi.whl", "extra<2"))
    assert ours == ("slim", ("--no-deps", "--", "slim.whl", "other==1.0", "demo==1.0"))
    (freeze,) = (argv for argv in runner.commands if "freeze" in argv)
    assert freeze[freeze.index("--exclude") + 1] == "demo"


@pytest.mark.parametrize(("failing", "side"), [("pypi.whl", "reference"), ("slim.whl", "ours")])
def test_make_venv_pair_failed_install_names_the_side(tmp_path: Path, failing: str, side: str) -> None:
    with pytest.raises(InstallFailed) as caught:
        pair(tmp_path, Recorder(failing))
    assert caught.value.side == side
    assert caught.value.tail == "2\n  3\n  4\n  no such wheel"
