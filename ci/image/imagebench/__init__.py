"""Weighs a service's image with stock wheels and with ours: the parts of `ci/image/measure`."""
