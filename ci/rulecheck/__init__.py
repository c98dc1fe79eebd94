"""`ci/rules`: runs the tests of recipes/rules with PyPI's wheels, and records the bytes saved."""
