"""The present state against the events that it follows from: compared, and rebuilt from them alone."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from image_search_service.core.decisions import PERSON_FACTS, Change, Fact, Key, said
from image_search_service.core.parallel import chunks
from image_search_service.db.queries import decided, decisions, persons
from image_search_service.db.session import Database, Session

PAGE = 5_000
EXAMPLES = 20

_WITH_A_PERSON = frozenset({Fact.REJECTED, Fact.PINNED, Fact.DIFFERENT})


@dataclass(slots=True)
class RebuildReport:
    """facts: compared. wrong: those that are not as the events say. repaired: whether they are by now."""

    facts: int = 0
    wrong: int = 0
    repaired: bool = False
    examples: list[str] = field(default_factory=list)


def bring_up_to_date(session: Session, facts: Collection[Fact]) -> None:
    """Give these facts the values that the events say, in the transaction at hand, a page at a time."""
    for page in chunks(list(decisions.last_values(session, facts)), PAGE):
        now = decided.current(session, [key for key, _ in page])
        _write(session, [Change(key, now.get(key), value) for key, value in page])


def _write(session: Session, changes: Sequence[Change]) -> None:
    """The changes, after a row for everybody whom they are about: of somebody whose making was taken back
    there may be no name, but that they are hidden, or whose face is not theirs, is said all the same."""
    persons.make_rows(session, {person for change in changes for person in _persons(change.key)})
    decided.write(session, changes)


def _persons(key: Key) -> Iterator[uuid.UUID]:
    if key.fact in PERSON_FACTS:
        yield key.id
    if key.fact in _WITH_A_PERSON and key.other is not None:
        yield key.other


class RebuildService:
    """Compares what humans said, as the tables have it, with what follows from the events."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def check(self) -> RebuildReport:
        """Compare everything, in pages; nothing is changed."""
        report = RebuildReport()
        for page in chunks(self._expected(), PAGE):
            self._compare(page, report)
        return report

    def rebuild(self) -> RebuildReport:
        """Bring the tables to what follows from the events, a transaction for each page."""
        report = RebuildReport(repaired=True)
        for page in chunks(self._expected(), PAGE):
            wrong = self._compare(page, report)
            if wrong:
                with self._database.write() as session:
                    decisions.take_turn(session)
                    _write(session, wrong)
        return report

    def _expected(self) -> Iterator[tuple[Key, Any]]:
        """Each fact with its last value, then facts of the tables that no event has ever been about."""
        with self._database.read() as session:
            yield from decisions.last_values(session)
            for key in decided.unaccounted(session):
                yield key, decided.UNSAID[key.fact]

    def _compare(self, page: list[tuple[Key, Any]], report: RebuildReport) -> list[Change]:
        with self._database.read() as session:
            now = decided.current(session, [key for key, _ in page])
        wrong = [
            Change(key, now.get(key), value)
            for key, value in page
            if said(key, now.get(key)) != said(key, value)
        ]
        report.facts += len(page)
        report.wrong += len(wrong)
        room = EXAMPLES - len(report.examples)
        report.examples += [_in_words(change) for change in wrong[:room]]
        return wrong


def _in_words(change: Change) -> str:
    key = change.key
    about = f"{key.fact} of {key.id}" + (f" and {key.other}" if key.other else "")
    return f"{about} is {said(key, change.old)!r}, the events say {said(key, change.new)!r}"
