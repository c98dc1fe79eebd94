"""The machine below the stages: store, containers, virtual environments, locks, progress."""
