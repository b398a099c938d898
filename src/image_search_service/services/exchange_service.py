"""What humans said, as JSON Lines: out of one library and into another, whatever its engine.

A face is known by the content of its photo and by its box, so that names survive another machine, a moved
folder, and an engine that finds the face a little to the left. ``docs/exchange.md`` describes the lines.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from image_search_service.core.decisions import Fact, Key, said
from image_search_service.core.errors import InvalidInputError
from image_search_service.core.names import clean_name
from image_search_service.core.parallel import chunks
from image_search_service.core.types import Box, JsonObject
from image_search_service.db.models import Person
from image_search_service.db.queries import decided, exchange, persons
from image_search_service.db.queries.exchange import SaidFace
from image_search_service.db.session import Database, Session
from image_search_service.services.decision_log import Wish, decide
from image_search_service.services.edited_photos import SAME_PLACE, overlap

FORMAT, VERSION = "image-search-service people", 1
PAGE = 500
"""Faces in one statement and one decision."""


@dataclass(slots=True)
class ImportReport:
    """persons_new: made. faces: lines. matched: found in this library. changed: facts that were new to it.

    kept: faces that a human has placed otherwise here; they stay. unmatched: lines whose photo, or a face at
    this place in it, is not here, with the first twenty.
    """

    persons: int = 0
    persons_new: int = 0
    faces: int = 0
    matched: int = 0
    changed: int = 0
    kept: int = 0
    unmatched: int = 0
    examples: list[str] = field(default_factory=list)


class ExchangeService:
    """Exports and imports what humans said."""

    def __init__(self, database: Database, actor: str) -> None:
        self._database = database
        self._actor = actor

    def export(self) -> Iterator[str]:
        """The lines, each without its end: a header, persons, faces. Reads a page at a time."""
        yield _line({"kind": "header", "format": FORMAT, "version": VERSION})
        with self._database.read() as session:
            for person in exchange.persons_there(session):
                yield _line(_person_line(person))
            last: uuid.UUID | None = None
            while page := exchange.said_faces(session, last, PAGE):
                for face in page:
                    yield _line(_face_line(face))
                last = page[-1].id

    def load(self, lines: Iterable[str]) -> ImportReport:
        """Take over what the lines say; what this library knows already is no change, so that it may be
        repeated. One decision for each 500 faces.

        Raises InvalidInputError for what is no export, with the number of the line, before anything of its
        page is changed.
        """
        report = ImportReport()
        read = _checked(lines)
        ids: dict[str, uuid.UUID] = {}
        for page in chunks(read, PAGE):
            people = [line for line in page if line["kind"] == "person"]
            faces = [line for line in page if line["kind"] == "face"]
            with self._database.write() as session:
                ids |= self._take_persons(session, people, report)
                self._take_faces(session, faces, ids, report)
        return report

    def _take_persons(
        self, session: Session, lines: list[JsonObject], report: ImportReport
    ) -> dict[str, uuid.UUID]:
        """The person here for each id there: somebody of the same name, or a new one."""
        keys = {clean_name(line["name"])[1]: line for line in lines}
        known = persons.persons_by_keys(session, list(keys)) if keys else {}
        facts: dict[Key, Any] = {}
        ids: dict[str, uuid.UUID] = {}
        for line in lines:
            shown, key = clean_name(line["name"])
            person = known.get(key)
            person_id = uuid.uuid4() if person is None else person.id
            ids[line["id"]] = person_id
            if person is None:
                facts |= {Key(Fact.PERSON_NAME, person_id): shown, Key(Fact.PERSON_GONE, person_id): False}
                report.persons_new += 1
            if line.get("hidden"):
                facts[Key(Fact.PERSON_HIDDEN, person_id)] = True
            if line.get("birth_date"):
                facts[Key(Fact.PERSON_BIRTH, person_id)] = line["birth_date"]
        report.persons += len(lines)
        report.changed += decide(session, Wish("import", self._actor, facts)).changes if facts else 0
        return ids

    def _take_faces(
        self, session: Session, lines: list[JsonObject], ids: dict[str, uuid.UUID], report: ImportReport
    ) -> None:
        here = exchange.faces_by_content(session, [line["photo"] for line in lines])
        facts: dict[Key, Any] = {}
        for line in lines:
            face = nearest(Box(*line["box"]), here.get(line["photo"], []))
            if face is None:
                report.unmatched += 1
                if len(report.examples) < 20:
                    report.examples.append(f"photo {line['photo'][:16]}…, box {line['box']}")
                continue
            report.matched += 1
            facts |= _face_facts(face, line, ids)
        report.faces += len(lines)
        facts, kept = _without_placed(facts, decided.current(session, facts))
        report.kept += kept
        report.changed += decide(session, Wish("import", self._actor, facts)).changes if facts else 0


def nearest(box: Box, faces: Iterable[tuple[uuid.UUID, Box]]) -> uuid.UUID | None:
    """The face that overlaps a box most, if they are the same face."""
    shares = [(overlap(box, other), face) for face, other in faces]
    share, face = max(shares, default=(0.0, None), key=lambda one: one[0])
    return face if share >= SAME_PLACE else None


def _without_placed(facts: Mapping[Key, Any], now: Mapping[Key, Any]) -> tuple[dict[Key, Any], int]:
    """Without faces that a human has placed otherwise, here; how many they are."""
    placed = {
        key.id
        for key, value in facts.items()
        if key.fact is Fact.FACE_PERSON and said(key, now[key]) not in (None, said(key, value))
    }
    return {key: value for key, value in facts.items() if key.id not in placed}, len(placed)


def _face_facts(face: uuid.UUID, line: JsonObject, ids: dict[str, uuid.UUID]) -> dict[Key, Any]:
    facts: dict[Key, Any] = {}
    if line.get("person"):
        facts[Key(Fact.FACE_PERSON, face)] = {"person": str(ids[line["person"]]), "by": "human"}
    if line.get("is_face") is False:
        facts[Key(Fact.FACE_IS_FACE, face)] = False
    facts |= {Key(Fact.REJECTED, face, ids[one]): True for one in line.get("rejected_for", []) if one in ids}
    return facts | {
        Key(Fact.PINNED, face, ids[one]): True for one in line.get("pinned_for", []) if one in ids
    }


def _person_line(person: Person) -> JsonObject:
    return {
        "kind": "person",
        "id": str(person.id),
        "name": person.name,
        "hidden": person.hidden,
        "birth_date": None if person.birth_date is None else person.birth_date.isoformat(),
    }


def _face_line(face: SaidFace) -> JsonObject:
    return {
        "kind": "face",
        "photo": face.content_hash,
        "box": [round(one, 6) for one in (face.box.x, face.box.y, face.box.width, face.box.height)],
        "person": None if face.person_id is None else str(face.person_id),
        "is_face": face.is_face,
        "rejected_for": [str(one) for one in face.rejected_for],
        "pinned_for": [str(one) for one in face.pinned_for],
    }


def _line(document: JsonObject) -> str:
    return json.dumps(document, ensure_ascii=False)


def _checked(lines: Iterable[str]) -> Iterator[JsonObject]:
    """The lines behind the header. Raises InvalidInputError with the number of one that is wrong."""
    ids: set[str] = set()
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
            if number == 1:
                _check_header(line)
                continue
            _check(line, ids)
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInputError(
                f"Line {number} is not what image-search export writes: {error}.",
                hint="docs/exchange.md says what a line may be.",
            ) from error
        yield line


def _check_header(line: Any) -> None:
    if line["format"] != FORMAT or line["version"] > VERSION:
        raise ValueError(f"format {line['format']!r}, version {line['version']!r}")


def _check(line: Any, ids: set[str]) -> None:
    if line["kind"] == "person":
        clean_name(line["name"])
        ids.add(str(uuid.UUID(line["id"])))
        if line.get("birth_date"):
            date.fromisoformat(line["birth_date"])
    elif line["kind"] == "face":
        box = [float(one) for one in line["box"]]
        if len(box) != 4 or not isinstance(line["photo"], str):
            raise ValueError("a face needs the SHA-256 of its photo and a box of four numbers")
        if line.get("person") and line["person"] not in ids:
            raise ValueError(f"the person {line['person']} has no line before it")
