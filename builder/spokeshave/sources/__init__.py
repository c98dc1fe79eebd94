"""Everything that comes from a network: sdists, PyPI's wheels, locked requirements; and how it is unpacked."""
