"""`spokeshave trace` and profiles named by a path, from the command line."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from smallstack import small_stack
from spokeshave.cli import main
from spokeshave.errors import RecipeError
from spokeshave.recipes.book import RecipeBook
from spokeshave.trace.record import read_record
from together import run_together

ALPHA = {"alpha/__init__.py": "", "alpha/one.py": "", "alpha/two.py": ""}
COMPONENTS = "".join(
    f'[[components]]\nname = "{name}"\nsummary = "x"\nmodules = ["alpha.{name}"]\n' for name in ("one", "two")
)
LEAN = 'schema = 1\nname = "lean"\nsummary = "small"\n[levers]\n'


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with recipes of one package, which is also there to be imported."""
    small_stack(tmp_path, {"alpha": (ALPHA, COMPONENTS)})
    (tmp_path / "recipes" / "profiles" / "lean.toml").write_text(LEAN)
    for name, text in ALPHA.items():
        path = tmp_path / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("spokeshave.cli.common.package_root", lambda: tmp_path / "none" / "none" / "none")
    return tmp_path


def spokeshave(*words: str) -> Result:
    argv = ["--cache", "cache", "--recipes", "recipes", *words]
    return CliRunner().invoke(main, argv, catch_exceptions=False)


def python(code: str) -> tuple[str, ...]:
    return ("--", sys.executable, "-c", code)


def removed(path: str) -> list[str]:
    return [row.component for row in RecipeBook([Path("recipes")]).profile(path).remove]


def test_trace_run_gives_a_profile_for_plan_and_explain(here: Path) -> None:
    result = spokeshave("trace", "--output", "app.toml", *python("import alpha.one"))
    assert result.exit_code == 0, result.output
    assert removed("app.toml") == ["alpha/two"]
    said = spokeshave("explain", "alpha.two", "--profile", "app.toml")
    assert (
        "alpha.two is removed in profile 'app': component alpha/two, traced runs: not loaded" in said.output
    )
    assert "the traced runs showed: not loaded" in said.output and "import alpha.one" in said.output
    assert "no wheel in the wheelhouse has it" in said.output


@pytest.mark.parametrize("name", ["my-app", "my_app_2"])
def test_trace_output_name_may_have_hyphens_and_underscores(here: Path, name: str) -> None:
    result = spokeshave("trace", "--output", f"{name}.toml", *python("import alpha.one"))
    assert result.exit_code == 0, result.output
    assert removed(f"{name}.toml") == ["alpha/two"]
    said = spokeshave("explain", "alpha.two", "--profile", f"{name}.toml")
    assert f"is removed in profile '{name}'" in said.output


def test_trace_output_with_the_label_of_another_profile_is_refused_before_the_run(here: Path) -> None:
    (here / "recipes" / "profiles" / "my-app.toml").write_text(LEAN.replace("lean", "my-app"))
    result = spokeshave("trace", "--output", "my_app.toml", *python("open('ran', 'w')"))
    assert result.exit_code == 3
    assert "profiles 'my_app' and 'my-app' have one label" in result.stderr
    assert not Path("ran").exists()


def test_trace_killed_command_keeps_exit_code_and_record(here: Path) -> None:
    crash = "import os, alpha.one; os.kill(os.getpid(), 9)"
    result = spokeshave("trace", "--record", "app.json", "--output", "app.toml", *python(crash))
    assert result.exit_code == 137
    assert "exit code 137" in result.stderr
    assert removed("app.toml") == ["alpha/two"]


def test_trace_failing_command_without_loads_keeps_its_exit_code(here: Path) -> None:
    result = spokeshave("trace", "--output", "app.toml", *python("raise SystemExit(7)"))
    assert result.exit_code == 7
    assert "nothing of the stack" in result.stderr
    assert not Path("app.toml").exists()


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("sh", "-c", "exit 7"), 7),
        ((sys.executable, "-I", "-c", "raise SystemExit(5)"), 5),
        ((sys.executable, "-E", "-c", "raise SystemExit(6)"), 6),
        (("sh", "-c", "kill -TERM $$"), 143),
        (("true",), 44),
    ],
)
def test_trace_command_without_the_recorder_keeps_a_failing_exit_code(
    here: Path, command: tuple[str, ...], code: int
) -> None:
    result = spokeshave("trace", "--record", "a.json", "--", *command)
    assert result.exit_code == code
    assert "no Python process" in result.stderr and "keep the recorder out" in result.stderr
    assert not Path("a.json").exists()


@pytest.mark.parametrize("option", ["--record", "--output"])
def test_trace_unwritable_path_is_refused_before_the_run(here: Path, option: str) -> None:
    Path("file").touch()
    result = spokeshave("trace", option, "file/app.toml", *python("open('ran', 'w')"))
    assert result.exit_code == 2
    assert f"{Path('file').absolute()} is not a folder; name another path" in result.stderr
    assert not Path("ran").exists()


def test_trace_folder_removed_during_the_run_keeps_the_record_in_the_logs(here: Path) -> None:
    crash = "import alpha.one, pathlib; pathlib.Path('d').touch()"
    result = spokeshave("trace", "--record", "d/a.json", *python(crash))
    assert result.exit_code == 50
    assert "d/a.json cannot be written" in result.stderr
    (kept,) = Path("cache/logs").glob("run-*/trace.json")
    assert str(kept) in result.stderr
    assert spokeshave("trace", "--record", str(kept), "--output", "app.toml").exit_code == 0
    assert removed("app.toml") == ["alpha/two"]


def test_trace_records_without_a_command_are_merged(here: Path) -> None:
    assert spokeshave("trace", "--record", "a.json", *python("import alpha.one")).exit_code == 0
    assert spokeshave("trace", "--record", "b.json", *python("import alpha.two")).exit_code == 0
    both = spokeshave("trace", "--record", "a.json", "--record", "b.json", "--output", "app.toml")
    assert both.exit_code == 0 and removed("app.toml") == []
    alone = spokeshave("trace", "--record", "a.json", "--json")
    rows = {row["component"]: row["removed"] for row in json.loads(alone.stdout)["components"]}
    assert rows == {"alpha/one": False, "alpha/two": True}


def test_trace_six_at_once_into_one_record_keeps_all_runs(here: Path) -> None:
    """The traced scripts end together, so that their runs are recorded at the same moment."""
    script = (
        "import sys, time; from pathlib import Path; import alpha.one; Path(sys.argv[1]).touch()\n"
        "while len(list(Path('ended').iterdir())) < 6: time.sleep(0.01)"
    )
    (here / "ended").mkdir()
    words = ("--cache", "cache", "--recipes", "recipes", "trace", "--record", "a.json")
    commands = [(*words, *python(script), f"ended/{number}") for number in range(6)]
    done = run_together(here, commands, site=here / "site")
    assert [one.returncode for one in done] == [0] * 6, done
    runs = json.loads((here / "a.json").read_text())["runs"]
    assert sorted(run["command"][-1] for run in runs) == [f"ended/{number}" for number in range(6)]


def test_trace_second_run_is_added_to_the_record(here: Path) -> None:
    for module in ("one", "two"):
        result = spokeshave(
            "trace", "--record", "a.json", "--output", "app.toml", *python(f"import alpha.{module}")
        )
        assert result.exit_code == 0
    assert removed("app.toml") == []


def test_trace_recheck_is_printed_and_recorded(here: Path) -> None:
    words = ("trace", "--record", "a.json", "--output", "app.toml")
    result = spokeshave(*words, *python("import alpha.one"))
    assert result.exit_code == 0
    assert "recheck 1: running the command without 1 component;" in result.stderr
    (run,) = read_record(Path("a.json"))
    assert run.recheck and (run.recheck.times, run.recheck.without) == (1, ("alpha/two",))
    assert (
        "recheck: it ended with exit code 0 again without 1 of the components" in Path("app.toml").read_text()
    )


def test_trace_no_recheck_runs_once_and_is_noted_in_the_profile(here: Path) -> None:
    once = "import alpha.one, os; os.mkdir('once')"
    assert spokeshave("trace", "--output", "app.toml", *python(once)).exit_code == 0
    assert "no recheck: the command does not end twice alike" in Path("app.toml").read_text()
    os.rmdir("once")  # noqa: PTH106
    result = spokeshave("trace", "--no-recheck", "--output", "app.toml", *python(once))
    assert result.exit_code == 0
    assert (
        "no recheck ran: what is loaded and whose use is not visible is kept" in Path("app.toml").read_text()
    )


def test_trace_profile_of_a_run_with_losses_is_refused(here: Path) -> None:
    hidden = "import alpha.one, subprocess, sys; subprocess.run([sys.executable, '-I', '-c', 'import json'])"
    words = ("trace", "--record", "a.json", "--output", "app.toml")
    refused = spokeshave(*words, *python(hidden))
    assert refused.exit_code == 44 and not Path("app.toml").exists()
    assert "app.toml is not written: parts of a run were not recorded" in refused.stderr
    assert "without the recorder" in refused.stderr and "--despite-losses" in refused.stderr
    assert spokeshave("trace", "--record", "a.json", "--json").exit_code == 0
    allowed = spokeshave("trace", "--record", "a.json", "--output", "app.toml", "--despite-losses")
    assert allowed.exit_code == 0 and removed("app.toml") == ["alpha/two"]


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (("--output", "app.toml"), "give a COMMAND", 2),
        (python("pass"), "--output, --record or --json", 2),
        (("--output", "My-App.toml", *python("pass")), "small letters and digits, begins with a letter", 2),
        (("--output", "my.app.toml", *python("pass")), "single hyphens or underscores", 2),
        (("--output", "app", *python("pass")), "'app' does not end in .toml", 2),
        (("--output", "app.toml", "--python", "cp310", *python("print('ran')")), "for Python 3.10", 3),
        (("--output", "app.toml", "--python", "cp3999999", *python("pass")), "not a Python tag", 2),
        (("--record", "none.json", "--output", "app.toml"), "there is no record none.json", 44),
        (("--output", "app.toml", "--profile", "none", *python("pass")), "no profile 'none'", 3),
        (("--output", "app.toml", "--", "nonexistent-program"), "cannot be started", 44),
    ],
)
def test_trace_bad_input_has_its_exit_code(here: Path, words: tuple[str, ...], said: str, code: int) -> None:
    result = spokeshave("trace", *words)
    assert result.exit_code == code
    assert said in result.stderr


def test_profile_path_that_is_missing_or_misnamed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "lean.toml").write_text(LEAN)
    book = RecipeBook([tmp_path])
    with pytest.raises(RecipeError, match="no profile file"):
        book.profile(str(tmp_path / "none.toml"))
    (tmp_path / "app.toml").write_text(LEAN)
    with pytest.raises(RecipeError, match="its file says 'app'"):
        book.profile(str(tmp_path / "app.toml"))
    (tmp_path / "app.toml").write_text(LEAN.replace("lean", "app") + "")
    assert book.profile(str(tmp_path / "app.toml")).name == "app"
