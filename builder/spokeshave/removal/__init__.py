"""What a profile may remove: the import graph of the packages, and checks against it."""
