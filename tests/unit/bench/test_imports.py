from collections.abc import Callable
from pathlib import Path

from spokeshave.bench.imports import measure_imports
from spokeshave.bench.model import Options, Side
from spokeshave.inside.run import Command, Finished

PYTHONS: dict[Side, Path] = {"ours": Path("/a/python"), "stock": Path("/b/python")}


def fake(answer: Callable[[Command], tuple[int, str]], seen: list[Command]) -> Callable[..., Finished]:
    def runner(command: Command) -> Finished:
        seen.append(command)
        code, output = answer(command)
        return Finished(argv=command.argv, returncode=code, output=output, seconds=1.0)

    return runner


def test_imports_take_turns_and_the_first_is_not_counted(tmp_path: Path) -> None:
    seen: list[Command] = []

    def answer(command: Command) -> tuple[int, str]:
        return 0, f"a banner\nspokeshave-import {len(seen)}.5 2048\n"

    options = Options(modules=("numpy",), import_rounds=2, cpu=0)
    ours, stock = measure_imports(PYTHONS, tmp_path, options, runner=fake(answer, seen))
    assert "".join("A" if c.argv[0] == "/a/python" else "B" for c in seen) == "AB" + "ABBA" * 2
    assert (ours.module, ours.side, stock.side) == ("numpy", "ours", "stock")
    assert ours.seconds == (3.5, 6.5, 7.5, 10.5)
    assert stock.seconds == (4.5, 5.5, 8.5, 9.5)
    assert set(ours.peak_bytes) == {2048 * 1024}
    assert all(c.argv[-2:] == ("0", "numpy") for c in seen)
    assert all(c.env and c.env["OPENBLAS_NUM_THREADS"] == "1" for c in seen)


def test_a_module_that_fails_on_one_side_is_told(tmp_path: Path) -> None:
    def answer(command: Command) -> tuple[int, str]:
        if command.argv[0] == "/a/python":
            return 1, "Traceback …\nModuleNotFoundError: no scipy.signal"
        return 0, "spokeshave-import 1 1"

    options = Options(modules=("scipy.signal",), import_rounds=1)
    ours, stock = measure_imports(PYTHONS, tmp_path, options, runner=fake(answer, []))
    assert ours.fault == "ModuleNotFoundError: no scipy.signal"
    assert ours.seconds == ()
    assert stock.fault == ""
    assert len(stock.seconds) == 2
