"""Where a compile runs: a Docker container, or this machine."""
