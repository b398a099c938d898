"""Whom the names in files mean here."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from image_search_service.core.parallel import chunks
from image_search_service.db.queries import persons
from image_search_service.db.queries.batches import BATCH
from image_search_service.db.queries.decisions import before_decision
from image_search_service.db.queries.metadata import photo_names
from image_search_service.db.session import Session
from image_search_service.services.decisions.log import after_merges


def people_called(session: Session, shown: Mapping[str, str]) -> dict[str, tuple[uuid.UUID, str | None]]:
    """For each name key the person's id, and the name if the person is new; none for a name that several
    people have."""
    known: dict[str, uuid.UUID] = {}
    shared: set[str] = set()
    for part in chunks(shown, BATCH):
        known |= _of_merged(session, part)
        having = persons.persons_by_keys(session, part)
        known |= {key: people[0].id for key, people in having.items()}
        shared |= {key for key, people in having.items() if len(people) > 1}
    return {
        key: (known[key], None) if key in known else (uuid.uuid4(), name)
        for key, name in shown.items()
        if key not in shared
    }


def _of_merged(session: Session, name_keys: Sequence[str]) -> dict[str, uuid.UUID]:
    """Name keys of merged persons with the persons they are now; without keys that lead to several
    persons."""
    into = before_decision.merged(session)
    now: dict[str, set[uuid.UUID]] = {}
    for person in photo_names.merged_by_keys(session, name_keys):
        now.setdefault(person.name_key, set()).add(after_merges(person.id, into))
    return {key: who for key, (who, *others) in now.items() if not others}
