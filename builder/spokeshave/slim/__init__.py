"""Slims PyPI wheels that have no recipe, and compares each slim wheel with the PyPI wheel."""
