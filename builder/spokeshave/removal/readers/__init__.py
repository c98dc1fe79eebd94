"""What each file of a source tree imports, read without importing or running it."""
