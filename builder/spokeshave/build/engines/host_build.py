"""Builds a wheel in another Python's environment: `python host_build.py PYTHON SOURCE OUTPUT SETTINGS`.

Run by file name with our own interpreter, which has `build`; the build backend runs in PYTHON, which has
the locked requirements and nothing else. SETTINGS are the backend's config settings as JSON.
"""

from __future__ import annotations

import json
import os
import sys

from build import BuildBackendException, BuildException, ProjectBuilder

from spokeshave.inside.run import end_session


def main(python: str, source: str, output: str, settings: str) -> None:
    """Writes the wheel into `output`; where the backend fails, its output has said why."""
    try:
        print(ProjectBuilder(source, python_executable=python).build("wheel", output, json.loads(settings)))
    except (BuildBackendException, BuildException) as fault:
        sys.exit(f"error: {fault}")
    except KeyboardInterrupt:
        end_session(os.getpid())  # run.py made us the leader of one; ninja may be dead, its compilers not
        raise


if __name__ == "__main__":
    main(*sys.argv[1:])
