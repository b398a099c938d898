"""Many persons in groups: each fits into memory and into one ``IN (…)``."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator

from image_search_service.db.queries.batches import BATCH

GROUP_FACES = 20_000
"""Faces of one group of persons, unless one person alone has more: 40 MB of 512 numbers each."""


def person_groups(counts: Iterable[tuple[uuid.UUID, int]]) -> Iterator[list[uuid.UUID]]:
    """Persons, each with their number of faces, in groups of at most ``BATCH`` with ``GROUP_FACES`` faces."""
    group: list[uuid.UUID] = []
    faces = 0
    for person_id, count in counts:
        if group and (len(group) == BATCH or faces + count > GROUP_FACES):
            yield group
            group, faces = [], 0
        group.append(person_id)
        faces += count
    if group:
        yield group
