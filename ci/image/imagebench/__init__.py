"""Compares a service's image with PyPI wheels and with ours: the parts of `ci/image/compare`."""
