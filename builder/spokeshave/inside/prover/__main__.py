"""Verifies one set of wheels in this clean environment: install, import, run upstream's tests.

`python -m spokeshave.inside.prover --kit KIT --output DIR`; the job is `KIT/job.json`. Writes imports.json,
names.json or lacking.json, outcomes.json, blas.json and summary.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spokeshave.inside.run import Command, Finished, clean_environment, pytest_words, run


def main() -> int:
    """Runs the job; exits with 1 where the wheels cannot even be installed."""
    parser = argparse.ArgumentParser(prog="spokeshave.inside.prover")
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--place", type=Path, default=Path("/tmp/prove"))  # noqa: S108
    options = parser.parse_args()
    job = json.loads((options.kit / "job.json").read_text("utf-8"))
    options.output.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(options.place, ignore_errors=True)
    return Proof(job, options.kit, options.output, options.place).run()


class Proof:
    """One venv in which the wheels are installed and tested."""

    def __init__(self, job: Mapping[str, Any], kit: Path, output: Path, place: Path) -> None:
        self.job, self.kit, self.output, self.place = job, kit, output, place
        self.python = place / "venv" / "bin" / "python"
        self.summary: dict[str, Any] = {"steps": {}}

    def run(self) -> int:
        ok = self._install() and self._imports() and self._blas() and self._tests()
        (self.output / "summary.json").write_text(json.dumps(self.summary, indent=1), "utf-8")
        return 0 if ok else 1

    def _install(self) -> bool:
        """Test requirements first, since among them is what the wheels require besides their stack."""
        (self.place / "work").mkdir(parents=True)
        wheels = [str(self.kit / "wheels" / name) for name in self.job["wheels"]]
        pip = (str(self.python), "-m", "pip", "--disable-pip-version-check")
        install = (*pip, "install", "--no-index", "--no-cache-dir")
        locked = ("--find-links", str(self.kit / "test-wheels"), "-r", str(self.kit / "requirements.txt"))
        return all(
            self._step(name, argv).ok
            for name, argv in (
                ("venv", (sys.executable, "-m", "venv", str(self.place / "venv"))),
                ("test requirements", (*install, "--no-deps", "--require-hashes", *locked)),
                ("install", (*install, *wheels)),
                ("check", (*pip, "check")),
            )
        )

    def _imports(self) -> bool:
        if not self.job["import_name"]:
            return True
        argv = ("-m", "spokeshave.inside.prover.public_modules", self.job["import_name"])
        if not self.job["names"]:
            return self._json_step("imports", argv)
        stock = self.kit / "stock-names.json"
        names = (
            (str(self.output / "lacking.json"), str(stock))
            if stock.is_file()
            else (str(self.output / "names.json"),)
        )
        return self._json_step("imports", (*argv, *names))

    def _blas(self) -> bool:
        if not self.job["blas"]:
            return True
        words = (self.job["blas"], json.dumps(self.job["cpu_features"]), json.dumps(self.job["symbols"]))
        return self._json_step("blas", ("-m", "spokeshave.inside.prover.kernels", *words))

    def _json_step(self, name: str, argv: tuple[str, ...]) -> bool:
        done = self._step(name, (str(self.python), *argv))
        if done.ok:
            (self.output / f"{name}.json").write_text(done.output.splitlines()[-1], "utf-8")
        return done.ok

    def _tests(self) -> bool:
        if not self.job["tests"]:
            return True
        site = next((self.place / "venv" / "lib").glob("python3*/site-packages"))
        for name in self.job["tests_archives"]:
            with zipfile.ZipFile(self.kit / "wheels" / name) as archive:
                archive.extractall(site)
        # A file that is deselected whole is not read either: what it imports may be what is missing.
        gone = tuple(test for test in self.job["deselect"] if test.endswith((".py", "/")))
        selection = [f"{site}/{test}" for test in self.job["tests"] if not test.startswith(gone)]
        if not selection:
            return True
        options = [f"--ignore={site / test}" for test in (*self.job["ignore"], *gone)]
        options += [f"--deselect={test}" for test in self.job["deselect"] if test not in gone]
        marker = ("-m", self.job["marker"]) if self.job["marker"] else ()
        argv = (
            *(str(self.python), "-m", "pytest", "-p", "spokeshave.inside.prover.plugin"),
            *(*pytest_words(site), "-n", str(self.job["workers"]), "--tb=short", "--timeout", "600"),
            *(*marker, *self.job["options"], *options, *selection),
        )
        done = self._step("tests", argv, SPOKESHAVE_OUTCOMES=str(self.output / "outcomes.json"))
        return done.returncode in (
            0,
            1,
        )  # 1: some tests failed, which is for the comparison to judge

    def _step(self, name: str, argv: tuple[str, ...], **extra: str) -> Finished:
        env = clean_environment(
            self.place / "work",
            path=f"{self.python.parent}:{os.environ['PATH']}",
            PYTHONPATH=str(self.kit / "code"),
            PYTHONDONTWRITEBYTECODE="1",
            **extra,
        )
        print(f"== {name}", flush=True)
        done = run(
            Command(
                argv=argv,
                cwd=self.place / "work",
                env=env,
                on_line=lambda ln: print(ln, flush=True),
            )
        )
        last = done.output.splitlines()[-1:] or [""]
        self.summary["steps"][name] = {
            "returncode": done.returncode,
            "seconds": round(done.seconds, 1),
            "last": last[0],
        }
        return done


if __name__ == "__main__":
    sys.exit(main())
