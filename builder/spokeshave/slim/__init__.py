"""Slims wheels that have no recipe: the levers that act on a finished wheel, and a check beside stock."""
