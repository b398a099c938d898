"""Finds the people in a photo library and helps its owner name them."""

__version__ = "0.1.0"
