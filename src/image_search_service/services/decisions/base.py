"""The base of services that record decisions: the actor, and a transaction that excludes other decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

from image_search_service.db.queries import events
from image_search_service.db.session import Database, Session
from image_search_service.services.decisions.facts import Facts
from image_search_service.services.decisions.log import DecisionDraft, RecordedDecision, decide

FollowUp = Callable[[Session, RecordedDecision], object]
"""What is written in the transaction of a decision because of it."""


class DecisionService:
    """Records decisions of ``actor``, whose name is stored with each."""

    def __init__(self, database: Database, actor: str, follow_up: FollowUp | None = None) -> None:
        self._database = database
        self._actor = actor
        self._follow_up = follow_up

    def then(self, follow_up: FollowUp) -> Self:
        """The same service; this follows each of its decisions, except an undo, in its transaction."""
        return type(self)(self._database, self._actor, follow_up)

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
        made = decide(session, DecisionDraft(kind, self._actor, facts, based_on, details or {}))
        if self._follow_up is not None:
            self._follow_up(session, made)
        return made
