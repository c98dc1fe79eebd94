"""Trained builds: counters of what a package runs, and compiles that are told them."""
