"""A small service on texts, written to need every library of its image: what `ci/image/measure` weighs."""
