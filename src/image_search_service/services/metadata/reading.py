"""Names faces as their photos' files say.

What was read follows its file: where another program has corrected a name since, the face gets the new one.
What somebody said in this library stands, and both are kept, to be listed where they differ.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from image_search_service.core.decisions import Fact, Key, NameOrigin, named_by
from image_search_service.core.files import has_vanished
from image_search_service.core.names import clean_name, name_key
from image_search_service.core.parallel import chunks
from image_search_service.db.queries import (
    differences,
    events,
    people_in_files,
    persons,
    said_in_files,
    suggestion_states as suggestion_queries,
)
from image_search_service.db.queries.batches import BATCH
from image_search_service.db.queries.metadata import photo_names
from image_search_service.db.queries.metadata.photo_names import PlacedFace
from image_search_service.db.queries.people_in_files import NamedInFile
from image_search_service.db.queries.said_in_files import Seen, SeenName
from image_search_service.db.session import Session
from image_search_service.media.regions import NamedRegion
from image_search_service.services.decisions.differences import clashing
from image_search_service.services.decisions.facts import facts_unassigning, former_clusters
from image_search_service.services.decisions.log import DecisionDraft, decide
from image_search_service.services.metadata.persons import people_called
from image_search_service.services.metadata.region_faces import best_match
from image_search_service.services.metadata.report import ReadReport
from image_search_service.services.metadata.sources import FileNames, PhotoNames


@dataclass(frozen=True, slots=True)
class _ReadName:
    """A face's name in a file. before: the name that was last seen there, None if none was."""

    face: PlacedFace
    shown: str
    key: str
    source: FileNames
    before: SeenName | None

    @property
    def is_other(self) -> bool:
        """Whether the file has had another name for the face, or the face's name is from an unknown one."""
        return self.before is None or self.before.key != self.key


def take_names(
    session: Session,
    page: Sequence[PhotoNames],
    seen: Seen,
    actor: str,
    report: ReadReport,
    *,
    drawn: Set[uuid.UUID] = frozenset(),
) -> None:
    """Name the faces of at most ``BATCH`` photos, as one decision; a fixed number of statements.

    seen: what the files had when they were last read or written. drawn: faces that were made of regions, and
    that the decision makes faces.
    """
    faces = photo_names.placed_faces(session, [names.photo.asset_id for names in page])
    read: list[_ReadName] = []
    withdrawn: list[tuple[PlacedFace, Path]] = []
    for names in page:
        of_photo = faces.get(names.photo.asset_id, [])
        matched = _matched(names, of_photo, seen, report)
        read += matched
        taken = {name.face.id for name in matched}
        withdrawn += [
            (face, path)
            for face in of_photo
            if face.id not in taken and (path := _withdrawn_from(face, names, seen)) is not None
        ]
    report.matched += len(read)
    _decide(session, read, withdrawn, actor, report, drawn=drawn)


def _matched(
    names: PhotoNames, faces: Sequence[PlacedFace], seen: Seen, report: ReadReport
) -> list[_ReadName]:
    source = names.source
    if source is None:
        return []
    pairs = best_match(source.readings, faces)[1]
    unmatched = _unmatched(source.readings[0], pairs)
    report.regions += len(source.readings[0])
    report.unmatched += len(source.readings[0]) - len(pairs)
    ways = "" if len(source.readings) == 1 else ", whichever way its regions are turned"
    report.show([f"{source.path}: no face is at the place of {name}{ways}." for name in unmatched])
    matched: list[_ReadName] = []
    for region, face in pairs:
        shown, key = clean_name(region.name)
        matched.append(_ReadName(face, shown, key, source, _before(face, source, names, seen)))
    return matched


def _unmatched(regions: Sequence[NamedRegion], pairs: Sequence[tuple[NamedRegion, PlacedFace]]) -> list[str]:
    names = {region.name for region, _ in pairs}
    return [region.name for region in regions if region.name not in names]


def _before(face: PlacedFace, source: FileNames, names: PhotoNames, seen: Seen) -> SeenName | None:
    """What the file had for the face; of a photo that has moved, what its former file had."""
    of_face = seen.get(face.id, {})
    read = {file.path for file in names.files}
    moved = [name for path, name in of_face.items() if path not in read and has_vanished(path)]
    return of_face.get(source.path) or next(iter(moved), None)


def _withdrawn_from(face: PlacedFace, names: PhotoNames, seen: Seen) -> Path | None:
    """The file that the face's name was read from, if it still has regions, and none of this name.

    A file without any region has perhaps been written by a program that does not know them.
    """
    if face.origin != NameOrigin.METADATA or face.person_id is None:
        return None
    of_face = seen.get(face.id, {})
    source = names.source or next((file for file in names.files if file.path in of_face), None)
    if source is None or source.path not in of_face:
        return None
    is_gone = source.has_regions and of_face[source.path].key not in source.keys
    return source.path if is_gone else None


def _decide(
    session: Session,
    read: Sequence[_ReadName],
    withdrawn: Sequence[tuple[PlacedFace, Path]],
    actor: str,
    report: ReadReport,
    *,
    drawn: Set[uuid.UUID],
) -> None:
    named = {name.face.id: name for name in read}
    people = people_called(session, {name.key: name.shown for name in reversed(read)})
    # a person who was renamed or merged here is the one whom the file still calls by the former name
    settled = {
        face
        for face, name in named.items()
        if name.face.origin == NameOrigin.METADATA and name.face.person_id and not name.is_other
    }
    meant = {face: _meant(name, people) for face, name in named.items() if face not in settled}
    wanted = {
        face: person
        for face, person in meant.items()
        if person and (named[face].face.is_face or face in drawn)
    }
    placed = _without_contradictions(session, wanted, named)
    unclear = [named[face] for face, person in meant.items() if person is None]
    report.shared += len(unclear)
    report.show([f"{name.source.path}: several people are called {name.shown}." for name in unclear])
    report.kept += len(meant) - len(unclear) - len(placed)
    facts: dict[Key, Any] = {Key(Fact.FACE_IS_FACE, face): True for face in drawn}
    facts |= facts_unassigning([face.id for face, _ in withdrawn])
    facts |= _naming_facts(placed, named, people)
    last = events.latest_id(session)
    if facts:
        _show_changes(placed, named, withdrawn, report)
        details = former_clusters(session, list(placed))
        made = decide(session, DecisionDraft(photo_names.FROM_METADATA, actor, facts, details=details))
        report.named += made.faces - len(withdrawn)
        report.decisions += [] if made.id is None else [made.id]
    # so that a name stays which somebody gets back by an undo
    said_in_files.forget_seen(session, [(face.id, path) for face, path in withdrawn])
    known = {key: person for key, (person, new) in people.items() if new is None or person in placed.values()}
    said_in_files.save_seen(session, [_seen(name, known, last) for name in read if _is_news(name)])


def _naming_facts(
    placed: Mapping[uuid.UUID, uuid.UUID],
    named: Mapping[uuid.UUID, _ReadName],
    people: Mapping[str, tuple[uuid.UUID, str | None]],
) -> dict[Key, Any]:
    """That faces are these persons, and that those of them exist who are new."""
    facts: dict[Key, Any] = {}
    for person_id, new_name in people.values():
        if new_name is not None and person_id in placed.values():
            facts[Key(Fact.PERSON_NAME, person_id)] = new_name
            facts[Key(Fact.PERSON_GONE, person_id)] = False
    for face_id, person_id in placed.items():
        if named[face_id].face.person_id != person_id:
            facts[Key(Fact.FACE_PERSON, face_id)] = named_by(person_id, NameOrigin.METADATA)
    return facts


def _show_changes(
    placed: Mapping[uuid.UUID, uuid.UUID],
    named: Mapping[uuid.UUID, _ReadName],
    withdrawn: Sequence[tuple[PlacedFace, Path]],
    report: ReadReport,
) -> None:
    """Names that another program has corrected, and those that it took out."""
    corrected = [
        named[face] for face, person in placed.items() if named[face].face.person_id not in (None, person)
    ]
    report.corrected += len(corrected)
    report.withdrawn += len(withdrawn)
    report.show([f"{name.source.path}: {name.face.name} is {name.shown} now." for name in corrected])
    report.show([f"{path}: {face.name} is named there no more." for face, path in withdrawn])


def take_people(
    session: Session, page: Sequence[PhotoNames], former: Sequence[NamedInFile], report: ReadReport
) -> None:
    """Store the persons whom files name without a place, beside those of their regions.

    former: what was stored so far; of a photo with a file that cannot be read, it stays.
    """
    without_place = [
        (names.photo.asset_id, file.path, *clean_name(name))
        for names in page
        for file in names.files
        for name in file.people
        if clean_name(name)[1] not in file.keys
    ]
    report.without_place += len({(asset, key) for asset, _, _, key in without_place})
    known: dict[str, uuid.UUID] = {}
    for part in chunks(sorted({key for *_, key in without_place}), BATCH):
        having = persons.persons_by_keys(session, part)
        known |= {key: people[0].id for key, people in having.items() if len(people) == 1}
    present = [
        NamedInFile(asset, path, key, name, known.get(key)) for asset, path, name, key in without_place
    ]
    read = {names.photo.asset_id for names in page if names.photo.paths and not names.problems}
    people_in_files.replace_named(
        session,
        [name for name in former if name.asset_id in read],
        [name for name in present if name.asset_id in read],
    )


def _is_news(name: _ReadName) -> bool:
    before = name.before
    return before is None or (before.path, before.state) != (name.source.path, name.source.state)


def _seen(name: _ReadName, people: Mapping[str, uuid.UUID], last: int) -> SeenName:
    """last: the last decision before this reading."""
    before = name.before
    if before is not None and before.key == name.key:
        changed_after, person = before.changed_after, before.person_id
    else:
        changed_after, person = (None if before is None else last), people.get(name.key)
    path, state = name.source.path, name.source.state
    return SeenName(name.face.id, path, state, name.shown, name.key, person, changed_after)


def _meant(name: _ReadName, people: Mapping[str, tuple[uuid.UUID, str | None]]) -> uuid.UUID | None:
    """Whom a name means at a face; None where several people have it and the face is none of theirs."""
    if name.key in people:
        return people[name.key][0]
    face = name.face
    return face.person_id if face.name and name_key(face.name) == name.key else None


def _without_contradictions(
    session: Session, wanted: Mapping[uuid.UUID, uuid.UUID], named: Mapping[uuid.UUID, _ReadName]
) -> dict[uuid.UUID, uuid.UUID]:
    """Leave out faces of which somebody said otherwise here: that they are another person's or not this
    one's, that the same name was wrong (undone), or that they differ from the person's others."""
    rejected = suggestion_queries.rejected_pairs(session, wanted)
    undone = {face for part in chunks(wanted, BATCH) for face in photo_names.taken_back(session, part)}
    free = {
        face: person
        for face, person in wanted.items()
        if (named[face].face.person_id in (None, person) or named[face].face.origin == NameOrigin.METADATA)
        and (face, person) not in rejected
        and not (face in undone and (named[face].before is None or not named[face].is_other))
    }
    clash = clashing(differences.sides_with(session, free), free)
    return {face: person for face, person in free.items() if face not in clash}
