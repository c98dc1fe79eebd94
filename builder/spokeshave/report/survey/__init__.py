"""What is large in a folder, a container image or a zip archive: packages, files, duplicates, and more."""
