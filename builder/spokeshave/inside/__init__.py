"""The code that runs in containers: standard library only, no import from the rest of spokeshave."""
