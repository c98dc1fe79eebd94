"""The text of a sound recipe, `demo`, and of a profile, to be changed by tests."""

from __future__ import annotations

RECIPE = """
schema = 1
name = "demo"
distribution = "demo"
import-name = "demo"
summary = "A package for tests"
license = "MIT"

[[versions]]
version = "2.0"
requires-python = ">=3.12"
source = { pypi = "demo", sha256 = "SHA" }
patches = ["one.patch"]

[[versions]]
version = "1.0"
source = { pypi = "demo", sha256 = "SHA" }

[build]
backend = "make"
requires = "lock.txt"

[[build.levels]]
match = "*/cold/*"
level = "Os"
reason = "never called in a loop"

[build.library]
archive = "lib*.a"
soname = "libdemo.so.0"
exports = ["exports.txt"]
pkg-config = "demo"

[[bundled]]
name = "Other"
version = "3"
license = "MIT"
license-file = "other/LICENSE"
source = "vendored"

[verify]
requires = "lock.txt"

[[verify.skip]]
test = "demo/tests/test_net.py"
reason = "wants the network"
""".replace("SHA", "0" * 64)
PROFILE = """
schema = 1
name = "small"
summary = "for tests"

[blas]
kernels = ["HASWELL"]

[levers]
tests = true

[budgets]
demo = 1000
"""
