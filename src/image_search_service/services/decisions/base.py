"""The base of services that record decisions: the actor, and a transaction that excludes other decisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from image_search_service.db.queries import events
from image_search_service.db.session import Database, Session
from image_search_service.services.decisions.facts import Facts
from image_search_service.services.decisions.log import DecisionDraft, RecordedDecision, decide


class DecisionService:
    """Records decisions of ``actor``, whose name is stored with each."""

    def __init__(self, database: Database, actor: str) -> None:
        self._database = database
        self._actor = actor

    @contextmanager
    def _deciding(self) -> Iterator[Session]:
        """A transaction in which no one else can decide, so that what it reads holds until its end."""
        with self._database.write() as session:
            events.take_turn(session)
            yield session

    def _decide(
        self,
        session: Session,
        kind: str,
        facts: Facts,
        based_on: int | None,
        details: Mapping[str, Any] | None = None,
    ) -> RecordedDecision:
        return decide(session, DecisionDraft(kind, self._actor, facts, based_on, details or {}))
