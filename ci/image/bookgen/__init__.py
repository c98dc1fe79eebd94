"""A small service on texts, written to need every library of its image: the program of `ci/image/compare`."""
