"""Recipes and profiles: their schema, reading and selection."""
