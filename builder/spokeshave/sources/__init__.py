"""Everything that comes from a network: sdists, wheels, locked requirements; and how it is unpacked."""
