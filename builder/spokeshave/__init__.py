"""spokeshave: minimal, verified wheels of the scientific Python stack."""

__version__ = "0.1.0"
