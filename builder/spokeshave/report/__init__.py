"""Sizes and speed compared with PyPI's wheels, on a terminal and as a page."""
