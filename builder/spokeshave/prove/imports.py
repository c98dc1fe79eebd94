"""Imports every public module of a package and says what failed: `python -m … PACKAGE`."""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
import warnings


def public_modules(package: str) -> list[str]:
    """All modules below `package` that no part of whose name is private or belongs to its tests."""
    root = importlib.import_module(package)
    names = [package]
    for info in pkgutil.walk_packages(root.__path__, f"{package}.", onerror=lambda _: None):
        parts = info.name.split(".")
        if not any(part.startswith("_") or part in ("tests", "conftest") for part in parts):
            names.append(info.name)
    return names


def main(package: str) -> None:
    """Prints a JSON object: the modules imported, and the failures with their reasons."""
    warnings.simplefilter("ignore")
    imported, failed = [], {}
    for name in public_modules(package):
        try:
            importlib.import_module(name)
        except BaseException as fault:
            failed[name] = f"{type(fault).__name__}: {fault}"
        else:
            imported.append(name)
    print(json.dumps({"imported": imported, "failed": failed}))


if __name__ == "__main__":
    main(sys.argv[1])
