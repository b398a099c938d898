"""Finds the people in a photo library and helps its owner name them."""
