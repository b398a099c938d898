"""Compares the present state with the events that it follows from, and counts that are kept with what they
count; rebuilds both."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from image_search_service.core.decisions import Change, Fact, Key, human_value, persons_of
from image_search_service.core.parallel import chunks
from image_search_service.db.models.kept.columns import KEPT
from image_search_service.db.queries import events, kept, persons
from image_search_service.db.queries.decisions import current_state, unaccounted
from image_search_service.db.session import Database, Session

PAGE = 5_000
EXAMPLES = 20


@dataclass(slots=True)
class RebuildReport:
    """facts: number compared. wrong: number that differ from the events. miscounted: number of kept counts
    and states that are not as they should be (``db/models/kept/``). repaired: whether all were repaired."""

    facts: int = 0
    wrong: int = 0
    miscounted: int = 0
    repaired: bool = False
    examples: list[str] = field(default_factory=list)
    miscounts: list[str] = field(default_factory=list)


def bring_up_to_date(session: Session, facts: Collection[Fact]) -> None:
    """Set these facts to the values of the events, in the present transaction, a page at a time."""
    for page in chunks(list(events.last_values(session, facts)), PAGE):
        now = current_state.current(session, [key for key, _ in page])
        _write(session, [Change(key, now.get(key), value) for key, value in page])


def _write(session: Session, changes: Sequence[Change]) -> None:
    """Write the changes, after creating missing rows of their persons: a person whose creation was undone may
    have no name but other facts, such as hidden or rejections."""
    persons.make_rows(session, {person for change in changes for person in persons_of(change)})
    current_state.write(session, changes)


class RebuildService:
    """Compares the facts in the tables with those that follow from the events."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def check(self) -> RebuildReport:
        """Compare everything, in pages; nothing is changed."""
        return self._examine(mend=False)

    def rebuild(self) -> RebuildReport:
        """Correct the tables from the events, in one transaction for each page with a difference."""
        return self._examine(mend=True)

    def _examine(self, *, mend: bool) -> RebuildReport:
        report = RebuildReport(repaired=mend)
        for page in chunks(self._expected(), PAGE):
            report.facts += len(page)
            with self._database.read() as session:
                suspects = [change.key for change in _not_as(session, page)]
            if suspects:
                self._look_again(suspects, report, mend=mend)
        self._compare_kept(report, mend=mend)
        return report

    def _compare_kept(self, report: RebuildReport, *, mend: bool) -> None:
        with self._database.read() as session:
            wrong = {each: kept.not_as_kept(session, each) for each in KEPT}
        report.miscounted = sum(map(len, wrong.values()))
        if report.miscounted and mend:
            with self._database.write() as session:
                events.take_turn(session)
                kept.keep_again(session)
        for each, ids in wrong.items():
            room = EXAMPLES - len(report.miscounts)
            report.miscounts += [f"{each.column} of {id_} in {each.table}" for id_ in ids[:room]]

    def _expected(self) -> Iterator[tuple[Key, Any]]:
        """Each fact with its last value, then facts of the tables that no event has ever been about."""
        with self._database.read() as session:
            yield from events.last_values(session)
            for key in unaccounted.unaccounted(session):
                yield key, unaccounted.UNSAID[key.fact]

    def _look_again(self, suspects: Sequence[Key], report: RebuildReport, *, mend: bool) -> None:
        """Compare again while nobody can decide: events and tables were not read at the same moment, and a
        decision in between is not an error and must not be overwritten."""
        with self._database.write() as session:
            events.take_turn(session)
            said_last = events.last_values_of(session, suspects)
            expected = [
                (key, said_last[key] if key in said_last else unaccounted.UNSAID[key.fact])
                for key in suspects
            ]
            wrong = _not_as(session, expected)
            if mend:
                _write(session, wrong)
        report.wrong += len(wrong)
        room = EXAMPLES - len(report.examples)
        report.examples += [_in_words(change) for change in wrong[:room]]


def _not_as(session: Session, expected: Sequence[tuple[Key, Any]]) -> list[Change]:
    """The changes that would give the tables the expected values."""
    now = current_state.current(session, [key for key, _ in expected])
    return [
        Change(key, now.get(key), value)
        for key, value in expected
        if human_value(key, now.get(key)) != human_value(key, value)
    ]


def _in_words(change: Change) -> str:
    key = change.key
    about = f"{key.fact} of {key.id}" + (f" and {key.other}" if key.other else "")
    return f"{about} is {human_value(key, change.old)!r}, the events say {human_value(key, change.new)!r}"
