"""One source of chance for the demo world: a generator that depends on its words and on nothing else."""

from __future__ import annotations

from random import Random


def dice(*words: object) -> Random:
    """A generator for ``words``, such as a seed and a purpose; the same words give the same throws."""
    return Random(" ".join(map(str, words)))  # noqa: S311 - it must be repeatable, not secret
