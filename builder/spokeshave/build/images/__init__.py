"""Build and test images: official ones, and local ones made from Debian packages."""
