"""The generated parts of README.md and docs/: tables from recipes, records and docs/data."""
