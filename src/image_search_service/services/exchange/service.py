"""Exports human decisions as JSON Lines and imports them into another library, whatever its engine.

A face is known by the content of its photo and by its box, so that names survive another machine, a moved
folder, and an engine that finds the face a little to the left. ``docs/exchange.md`` describes the lines.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import IO

from image_search_service.core.errors import ConflictError
from image_search_service.core.parallel import chunks
from image_search_service.db.models import PersonRow
from image_search_service.db.queries import events, faces as face_queries, faces_with_decisions
from image_search_service.db.queries.faces_with_decisions import DecidedFace
from image_search_service.db.session import Database, Session
from image_search_service.recognition.boxes import SAME_PLACE, overlap
from image_search_service.services.exchange.hand_faces import missing_here
from image_search_service.services.exchange.history import History, consistent
from image_search_service.services.exchange.lines import (
    FORMAT,
    VERSION,
    AnyLine,
    DecisionLine,
    DifferentLine,
    EndLine,
    FaceLine,
    HeaderLine,
    Line,
    PersonLine,
    checked,
    reread,
)
from image_search_service.services.exchange.state import PresentState
from image_search_service.services.metadata.undetected import Drawer, StoreDrawn

PAGE = 500
"""Faces in one statement and one decision."""
EXAMPLES = 20


@dataclass(slots=True)
class ImportReport:
    """persons_new: made. faces: lines. matched: found in this library. changed: facts that were new to it.

    kept: faces of which a human has said otherwise here; that stands. unmatched: lines whose photo, or a face
    at this place in it, is not here, with the first twenty. history: whether the decisions themselves were
    taken over, into a library that had none. decisions: so many. undo: else the decisions
    that were made, the newest first, as they can be taken back.
    """

    persons: int = 0
    persons_new: int = 0
    faces: int = 0
    matched: int = 0
    changed: int = 0
    kept: int = 0
    unmatched: int = 0
    history: bool = False
    decisions: int = 0
    undo: list[int] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)


class ExchangeService:
    """Exports and imports human decisions. drawer: makes faces by hand whose photos are here; without it
    their lines are unmatched."""

    def __init__(self, database: Database, actor: str, drawer: Drawer | None = None) -> None:
        self._database = database
        self._actor = actor
        self._drawer = drawer

    def export(self) -> Iterator[str]:
        """The lines, each without its end: a header, persons, faces, differences, decisions, and the last.

        Reads a page at a time, all as it was at one moment.
        """
        yield _text(HeaderLine(kind="header", format=FORMAT, version=VERSION))
        with self._database.snapshot() as session:
            for person in faces_with_decisions.every_person(session):
                yield _text(_person_line(person))
            for face in faces_with_decisions.decided_faces(session, PAGE):
                yield _text(_face_line(face))
            for pair in faces_with_decisions.differences(session):
                yield _text(DifferentLine(persons=pair))
            for event in faces_with_decisions.events(session, PAGE):
                yield _text(_decision_line(event))
        yield _text(EndLine())

    def load(self, lines: Iterable[str], *, with_authors: bool = True) -> ImportReport:
        """Take over what the lines say; what this library knows already is no change, so that it may be
        repeated.

        Into a library in which nothing was ever decided go the decisions themselves, so that each can be
        undone there. Elsewhere the present state is taken as new decisions, one for each 500 faces, and what
        a human has said here stands. with_authors: False takes the state in any case, so that nothing is
        recorded as decided by somebody else than ``actor``.
        Raises InvalidInputError for what is no export, with the number of the line, and ConflictError where
        there are no faces yet; then nothing has changed.
        """
        with TemporaryFile("w+", encoding="utf-8") as file:
            has_decisions = _spool(lines, file)
            self._require_faces()
            store = self._draw(file)
            report = self._take_history(file, store) if has_decisions and with_authors else None
            return self._take_state(file, store) if report is None else report

    def _draw(self, file: IO[str]) -> StoreDrawn | None:
        """Embed the faces by hand that are not here; their rows are stored with what was said of them."""
        if self._drawer is None:
            return None
        with self._database.read() as session:
            missing = missing_here(session, reread(file))
        return self._drawer.draw_regions(missing) if missing else None

    def _require_faces(self) -> None:
        """Refuse a library without faces: the history would be imported without its faces, which cannot be
        added later."""
        with self._database.read() as session:
            if face_queries.count_faces(session) == 0:
                raise ConflictError(
                    "This library has no faces yet on which names could be put.",
                    hint="Index the photos first, then import.",
                )

    def _take_history(self, file: IO[str], store: StoreDrawn | None) -> ImportReport | None:
        """All in one transaction: the events with their own times, and the state that follows from them.
        Nothing is done where somebody has decided already, be it a moment ago."""
        report = ImportReport(history=True)
        with consistent(), self._database.write() as session:
            events.take_turn(session)
            if events.latest_id(session):
                return None
            if store is not None:
                store(session)
            history = History(session)
            matcher = _Matcher(report)
            for page in chunks(reread(file), PAGE):
                persons = [line for line in page if isinstance(line, PersonLine)]
                faces_with_decisions.insert_gone(session, {line.id: line.name for line in persons})
                report.persons += len(persons)
                report.persons_new += sum(line.gone is False for line in persons)
                history.faces |= {
                    line.id: face for line, face in matcher.match(session, page) if line.id is not None
                }
                history.append([line for line in page if isinstance(line, DecisionLine)])
            report.changed, report.decisions = history.finish()
        return report

    def _take_state(self, file: IO[str], store: StoreDrawn | None) -> ImportReport:
        report = ImportReport()
        state = PresentState(self._actor, _shared_names(reread(file)))
        matcher = _Matcher(report)
        if store is not None:
            with self._database.write() as session:
                events.take_turn(session)
                state.make_faces(session, store(session))
        for page in chunks(reread(file), PAGE):
            with self._database.write() as session:
                events.take_turn(session)
                state.take_persons(session, [line for line in page if isinstance(line, PersonLine)])
                state.take_faces(session, matcher.match(session, page))
                state.take_differences(session, [line for line in page if isinstance(line, DifferentLine)])
        with self._database.write() as session:
            state.take_covers(session)
        report.persons, report.persons_new = len(state.persons), state.new
        report.changed, report.kept = state.changed, state.kept
        report.undo = state.decisions[::-1]
        return report


class _Matcher:
    """Finds the faces of lines in this library, each once."""

    def __init__(self, report: ImportReport) -> None:
        self._report = report
        self._taken: set[uuid.UUID] = set()

    def match(self, session: Session, page: Sequence[AnyLine]) -> list[tuple[FaceLine, uuid.UUID]]:
        lines = [line for line in page if isinstance(line, FaceLine)]
        if not lines:
            return []
        here = faces_with_decisions.faces_by_content(session, [line.photo for line in lines])
        every = [
            (overlap(line.place, box), number, face)
            for number, line in enumerate(lines)
            for face, box in here.get(line.photo, [])
        ]
        face_by_line: dict[int, uuid.UUID] = {}
        for share, number, face in sorted(
            every, key=lambda overlap_pair: (-overlap_pair[0], overlap_pair[1], overlap_pair[2])
        ):
            if share >= SAME_PLACE and number not in face_by_line and face not in self._taken:
                face_by_line[number] = face
                self._taken.add(face)
        lost = [line for number, line in enumerate(lines) if number not in face_by_line]
        self._report.faces += len(lines)
        self._report.matched += len(face_by_line)
        self._report.unmatched += len(lost)
        room = EXAMPLES - len(self._report.examples)
        self._report.examples += [f"photo {line.photo[:16]}…, box {list(line.box)}" for line in lost[:room]]
        return [(lines[number], face) for number, face in sorted(face_by_line.items())]


def _spool(lines: Iterable[str], file: IO[str]) -> bool:
    """Check all lines while they are kept for a second reading; whether there are decisions among them."""

    def kept() -> Iterator[str]:
        for line in lines:
            file.write(line.rstrip("\r\n") + "\n")
            yield line

    has_decisions = False
    for line in checked(kept()):
        has_decisions = has_decisions or isinstance(line, DecisionLine)
    return has_decisions


def _shared_names(lines: Iterable[AnyLine]) -> set[str]:
    """The names, as they are compared, that several persons of the file have."""
    names = Counter(line.key for line in lines if isinstance(line, PersonLine) and line.gone is False)
    return {key for key, number in names.items() if number > 1}


def _person_line(person: PersonRow) -> PersonLine:
    return PersonLine(
        id=person.id,
        name=person.name,
        hidden=person.hidden,
        birth_date=person.birth_date,
        note=person.note,
        cover=person.cover_face_id,
        gone=person.merged_into or person.deleted,
    )


def _face_line(face: DecidedFace) -> FaceLine:
    x, y, width, height = (
        round(value, 6) for value in (face.box.x, face.box.y, face.box.width, face.box.height)
    )
    return FaceLine.model_construct(
        id=face.id,
        photo=face.content_hash,
        box=(x, y, width, height),
        person=face.person_id,
        group=face.group_id,
        is_face=face.is_face,
        by_hand=face.by_hand,
        set_aside=face.set_aside,
        rejected_for=face.rejected_for,
        pinned_for=face.pinned_for,
        apart=face.apart,
    )


def _decision_line(event: faces_with_decisions.DecisionWithChanges) -> DecisionLine:
    decision = event.decision
    return DecisionLine(
        id=decision.id,
        what=decision.kind,
        actor=decision.actor,
        at=decision.at,
        undoes=decision.undoes,
        details=decision.details,
        changes=[
            (change.key.fact, change.key.id, change.key.other, change.old, change.new)
            for change in event.changes
        ],
    )


def _text(line: Line) -> str:
    return json.dumps(line.model_dump(mode="json"), ensure_ascii=False)
