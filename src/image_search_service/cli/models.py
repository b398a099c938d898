"""``image-search models list | pull | check``."""
