"""`python -m spokeshave`."""

from spokeshave.cli import main

main()
