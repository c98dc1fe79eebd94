"""The command line: help, exit codes, stdout and stderr."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from spokeshave import __version__
from spokeshave.cli import main
from spokeshave.errors import BuildError, SpokeshaveError
from spokeshave.inside.model import file_sha256
from spokeshave.machine.owners import own_folder
from spokeshave.machine.store import Store
from support import RECIPES, demo_files, needs_compiler, shipped_plan, write_wheel

Invoke = Callable[..., Result]
NOWHERE = "unix:///nonexistent/docker.sock"


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        elif not command.hidden:
            yield (*path, name)


@pytest.fixture
def spokeshave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Invoke]:
    """Runs the command in this process, away from the checkout, with a separate cache."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    before = signal.getsignal(signal.SIGTERM)

    def invoke(*words: str, **env: str) -> Result:
        argv = ["--cache", str(tmp_path / "cache"), *words]
        return CliRunner().invoke(main, argv, env=env, catch_exceptions=False)

    yield invoke
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("path", list(commands(main)), ids=" ".join)
def test_help_of_each_command_has_an_example(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*path, "--help"])
    assert result.exit_code == 0
    assert re.search(rf"Examples?:\s+spokeshave {' '.join(path)}\b", result.output), result.output


@pytest.mark.parametrize("path", list(commands(main)), ids=" ".join)
def test_help_examples_parse(path: tuple[str, ...]) -> None:
    """Each example parses: its options exist and its arguments are allowed."""
    text = CliRunner().invoke(main, [*path, "--help"]).output
    examples = re.findall(rf"spokeshave ({' '.join(path)}[^\n]*)", text.partition("Example")[2])
    assert examples
    for example in examples:
        words = shlex.split(re.sub(r"\s*(#|>|  ).*", "", example))[len(path) :]
        command: click.Command = main
        for name in path:
            assert isinstance(command, click.Group)
            command = command.commands[name]
        command.make_context(path[-1], words, resilient_parsing=False)


def test_help_lists_every_exit_code() -> None:
    text = CliRunner().invoke(main, ["--help"]).output
    shown = {int(code) for code in re.findall(r"\b(\d+)\s[a-zA-Z]", text.partition("Exit codes")[2])}

    def codes(base: type[SpokeshaveError]) -> set[int]:
        return {base.exit_code}.union(*map(codes, base.__subclasses__()))

    assert codes(SpokeshaveError) - {1} <= shown
    assert CliRunner().invoke(main, ["--version"]).output == f"spokeshave, version {__version__}\n"


@needs_compiler
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("plan", "nunpy", "--engine", "host"), 3, "next: did you mean 'numpy'?"),
        (("plan", "numpy", "--profile", "leen", "--engine", "host"), 3, "next: did you mean 'lean'?"),
        (("plan", "numpy", "--without", "symbol", "--engine", "host"), 3, "next: did you mean 'symbols'?"),
        (("plan", "numpy", "--python", "3.11"), 2, "not a Python tag"),
        (("plan", "numpy", "--python", "cp3111"), 2, "not a Python tag; did you mean 'cp311'"),
        (("explain", "numpy", "--python", "py3"), 2, "not a Python tag; known: cp310, cp311"),
        (("doctor", "--python", "py3"), 2, "not a Python tag; known: cp310, cp311"),
        (("image", "build", "--python", "cp313"), 2, "cp313 cannot be made here; possible: cp311"),
        (("plan",), 2, "name PACKAGEs, or give --all"),
        (("verify", "notes.txt"), 41, "'notes.txt' is not a wheel's file name"),
        (("verify", "demo-1.0-py3-none-any.whl"), 41, "no such file"),
        (("report",), 41, "no wheel in ./wheelhouse"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_main_mistake_has_its_exit_code(
    spokeshave: Invoke, words: tuple[str, ...], code: int, said: str
) -> None:
    result = spokeshave(*words)
    assert result.exit_code == code, result.stderr
    assert said in result.stderr
    assert result.stdout == ""
    if code != 2:
        assert result.stderr.startswith("error: ")


@needs_compiler
def test_plan_untrained_asks_for_no_pgo_profile(spokeshave: Invoke) -> None:
    """The host engine's builds are untrained in any case, and say why."""
    words = ("plan", "numpy", "--engine", "host", "--json")
    usual, bare = spokeshave(*words), spokeshave(*words, "--untrained")
    assert "without a PGO profile: none fits" in usual.stderr
    assert "trained" not in bare.stderr
    assert bare.exit_code == 0
    assert bare.stdout == usual.stdout


@needs_compiler
def test_plan_and_build_print_store_state_and_estimate(
    spokeshave: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = spokeshave("plan", "numpy", "--engine", "host", "--json")
    rows = json.loads(planned.stdout)
    assert [row["stored"] for row in rows] == [{"wheel": False, "compile": False}] * 2
    assert all(row["estimate"]["seconds"] > 0 and row["estimate"]["source"] for row in rows)
    shown = spokeshave("plan", "numpy", "--engine", "host").stdout
    assert "nothing is in the store; building takes up to" in shown
    assert "in the store: 0 of 2 wheels; the rest takes up to" in shown
    assert "; less where ccache has object files" in shown

    def stop(*arguments: object) -> None:
        raise BuildError("stopped before the compile")

    monkeypatch.setattr("spokeshave.build.pipeline.build", stop)
    built = spokeshave("build", "numpy", "--engine", "host")
    assert "in the store: 0 of 2 wheels; the rest takes up to" in built.stderr


def test_plan_recipe_with_unknown_key_is_3(spokeshave: Invoke, tmp_path: Path) -> None:
    recipes = Path(shutil.copytree(RECIPES, tmp_path / "recipes"))
    recipe = recipes / "numpy" / "recipe.toml"
    recipe.write_text(recipe.read_text().replace("import-name", "inport-name"))
    result = spokeshave("--recipes", str(recipes), "plan", "numpy", "--engine", "host")
    if result.exit_code == 20:
        pytest.skip("no compiler for the host engine")
    assert result.exit_code == 3
    assert "inport-name: unknown key; did you mean 'import-name'?" in result.stderr
    assert str(recipe) in result.stderr


def test_plan_docker_that_does_not_answer_is_20(spokeshave: Invoke) -> None:
    result = spokeshave("plan", "numpy", "--engine", "docker", DOCKER_HOST=NOWHERE)
    assert result.exit_code == 20
    assert "next: " in result.stderr
    assert "--engine host" in result.stderr


@needs_compiler
def test_plan_auto_without_docker_uses_the_host_and_prints_why(spokeshave: Invoke) -> None:
    result = spokeshave("plan", "numpy", "--json", DOCKER_HOST=NOWHERE)
    assert result.exit_code == 0, result.stderr
    assert [plan["environment"]["engine"] for plan in json.loads(result.stdout)] == ["host", "host"]
    assert "engine: host, because" in result.stderr


def test_verify_wheel_without_its_record_is_41(spokeshave: Invoke, tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / "demo-1.0-py3-none-any.whl", demo_files())
    result = spokeshave("verify", str(wheel))
    assert result.exit_code == 41
    assert "demo-1.0-py3-none-any.record.json is not next to it" in result.stderr
    record = {"wheel": {"sha256": "0" * 64}, "build_plan": {}}
    wheel.with_suffix(".record.json").write_text(json.dumps(record))
    result = spokeshave("verify", str(wheel))
    assert result.exit_code == 41
    assert "is not the file that its record describes" in result.stderr


def test_plan_store_that_cannot_be_made_is_50(spokeshave: Invoke, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = spokeshave("--cache", str(tmp_path / "file" / "cache"), "plan", "numpy")
    assert result.exit_code == 50
    assert "next: " in result.stderr


@needs_compiler
def test_plan_json_is_alone_on_stdout(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "spokeshave", "--cache", str(tmp_path / "cache")]
    env = {**os.environ, "DOCKER_HOST": NOWHERE}  # makes `auto` say on stderr why it takes the host
    argv += ["plan", "numpy", "--json"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    plans = json.loads(done.stdout)
    assert [plan["recipe"] for plan in plans] == ["openblas", "numpy"], "in build order"
    assert all(len(plan["digest"]) == len(plan["compile_key"]) == 64 for plan in plans)
    assert "engine: host" in done.stderr


@needs_compiler
def test_recipes_option_precedes_other_folders(spokeshave: Invoke, tmp_path: Path) -> None:
    def numpy_version(*words: str) -> str:
        result = spokeshave(*words, "plan", "numpy", "--engine", "host", "--json")
        assert result.exit_code == 0, result.stderr
        return str(json.loads(result.stdout)[-1]["version"])

    shipped = numpy_version()
    for folder, version in (("named", "9.8"), ("here/recipes", "7.6")):
        copied = Path(shutil.copytree(RECIPES, tmp_path / folder)) / "numpy" / "recipe.toml"
        copied.write_text(copied.read_text().replace(f'version = "{shipped}"', f'version = "{version}"'))
    assert numpy_version() == "7.6", "./recipes precedes the built-in ones"
    assert numpy_version("--recipes", str(tmp_path / "named")) == "9.8"
    shutil.rmtree(tmp_path / "named" / "profiles")
    assert numpy_version("--recipes", str(tmp_path / "named")) == "9.8", "profiles may be in another folder"


def test_clean_without_docker_removes_entries(spokeshave: Invoke, tmp_path: Path) -> None:
    entry = tmp_path / "cache" / "entries" / "source" / ("a" * 64)
    kept = tmp_path / "cache" / "entries" / "built" / ("b" * 64)
    for folder in (entry, kept):
        folder.mkdir(parents=True)
        (folder / "x.bin").write_bytes(b"x" * 1000)
    result = spokeshave("clean", "--json", DOCKER_HOST=NOWHERE)
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == {"containers": 0, "bytes": 1000, "left": 0, "runs": 0}
    assert not entry.exists()
    assert kept.is_dir(), "only --all removes finished wheels"
    assert json.loads(spokeshave("clean", "--all", "--json", DOCKER_HOST=NOWHERE).stdout)["bytes"] >= 1000
    assert not kept.exists()


def test_clean_during_a_live_run_keeps_its_files(spokeshave: Invoke, tmp_path: Path) -> None:
    store = Store(root=tmp_path / "cache", say=print)
    entry = store.put("source", "a" * 64, lambda new: (new / "x.bin").write_bytes(b"x" * 1000))
    (tmp_path / "cache" / "tmp" / "1-abcdefgh").mkdir()  # of an earlier version, which held no lock
    with own_folder(tmp_path / "cache" / "logs", "run") as logs, store.scratch() as scratch:
        result = spokeshave("clean", DOCKER_HOST=NOWHERE)
        assert "other runs use this store now (1): its entries are kept" in result.stderr
        assert "kept 0 containers and 1 folders of runs that may be alive" in result.stderr
        result = spokeshave("clean", "--all", "--json", DOCKER_HOST=NOWHERE)
        assert json.loads(result.stdout) | {"bytes": 0} == {"containers": 0, "bytes": 0, "left": 0, "runs": 1}
        assert entry.is_dir() and logs.is_dir() and scratch.is_dir()
    assert json.loads(spokeshave("clean", "--json", DOCKER_HOST=NOWHERE).stdout)["bytes"] >= 1000
    assert not entry.exists()


def test_doctor_without_docker_prints_the_remedy(spokeshave: Invoke) -> None:
    result = spokeshave("doctor", "--json", DOCKER_HOST=NOWHERE)
    found = json.loads(result.stdout)
    checks = {check["name"]: check for check in found["checks"]}
    assert not checks["Docker"]["ok"]
    assert checks["Docker"]["mend"]
    assert "docker" not in found["engines"]
    assert result.exit_code == (0 if "host" in found["engines"] else 20)


@needs_compiler
def test_plan_interpreter_that_cannot_run_is_refused(
    spokeshave: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shim of pyenv is on PATH for Pythons that are not installed, too."""
    shim = tmp_path / "shims" / "python3.15"
    shim.parent.mkdir()
    shim.write_text("#!/bin/sh\necho 'pyenv: python3.15: command not found'\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{shim.parent}{os.pathsep}{os.environ['PATH']}")
    result = spokeshave("plan", "numpy", "--python", "cp315", "--engine", "host")
    assert result.exit_code == 2
    assert f"{shim} cannot be run (exit code 127: pyenv: python3.15: command not found)" in result.stderr
    assert f"cp3{sys.version_info[1]}" in result.stderr.partition("possible: ")[2]
    found = json.loads(spokeshave("doctor", "--python", "cp315", "--json", DOCKER_HOST=NOWHERE).stdout)
    check = next(check for check in found["checks"] if check["name"] == "Python and headers")
    assert not check["ok"]
    assert "python3.15: command not found" in check["found"]
    assert found["engines"] == []


def test_schema_prints_each_format(spokeshave: Invoke) -> None:
    assert json.loads(spokeshave("schema", "recipe").stdout)["title"] == "Recipe"
    assert json.loads(spokeshave("schema", "profile").stdout)["title"] == "Profile"
    assert spokeshave("schema", "reference").stdout.startswith("## Recipe\n")


def test_report_writes_tables_json_and_a_page(
    spokeshave: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "here" / "wheelhouse"
    plan = shipped_plan("openblas")
    files = {**demo_files("slim_openblas"), "slim_openblas/lib/libopenblas_slim.so.0": b"o" * 9000}
    ours = write_wheel(folder / "slim_openblas-1.0-py3-none-linux_x86_64.whl", files)
    bundled = {**demo_files("numpy"), "numpy.libs/libscipy_openblas-1.so": b"s" * 30_000}
    stock = write_wheel(tmp_path / "numpy-1.0-cp311-cp311-linux_x86_64.whl", bundled)
    monkeypatch.setattr("spokeshave.cli.verifying.own_stock_wheel", lambda context, one: stock)
    record = {
        **{"plan": plan.digest, "wheel": {"sha256": file_sha256(ours)}, "tests": None},
        **{"build_plan": plan.to_json(), "levers": []},
    }
    ours.with_name(ours.name.replace(".whl", ".record.json")).write_text(json.dumps(record))
    result = spokeshave("--recipes", str(RECIPES), "report", "--html", "page.html")
    assert result.exit_code == 0, result.stderr
    assert "profile lean" in result.stdout
    assert "BLAS, Fortran" in result.stdout
    page = (tmp_path / "here" / "page.html").read_text("utf-8")
    assert "spokeshave report --html page.html" in page
    shown = spokeshave("--recipes", str(RECIPES), "report", str(ours), "--html", "2.html", "--json").stdout
    assert json.loads(shown)["lean"]["parts"][-1]["name"] == "BLAS, Fortran"
    result = spokeshave("--recipes", str(RECIPES), "report", "--html", "page.html/page.html")
    assert result.exit_code == 2
    assert "page.html is not a folder" in result.stderr
