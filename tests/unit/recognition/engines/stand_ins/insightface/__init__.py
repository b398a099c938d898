"""Stands in for the optional package ``insightface`` where it is not installed: the part that is used."""
