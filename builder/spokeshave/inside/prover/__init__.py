"""Runs upstream's tests and imports in a clean environment, and writes down each outcome."""
