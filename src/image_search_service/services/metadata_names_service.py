"""Names in photos' metadata: taken from it as confirmed names, and written to sidecars; both only when asked.

A photo's own file is only ever read. Of what a human has said here nothing is overruled by what a file says.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from image_search_service.core.decisions import Fact, Key
from image_search_service.core.errors import InvalidInputError, MediaError
from image_search_service.core.names import clean_name
from image_search_service.core.parallel import chunks, map_ahead, thread_pool
from image_search_service.core.types import Box, Progress
from image_search_service.db.models import Person
from image_search_service.db.queries import apart, metadata, persons
from image_search_service.db.queries import suggestions as suggestion_queries
from image_search_service.db.queries.batches import BATCH
from image_search_service.db.queries.metadata import PhotoFiles, PlacedFace
from image_search_service.db.session import Database, Session
from image_search_service.media import regions, sidecars
from image_search_service.media.regions import FaceRegion, Frame, NamedRegion
from image_search_service.services.apart_faces import clashing
from image_search_service.services.decision_log import Wish, decide
from image_search_service.services.edited_photos import overlap
from image_search_service.services.review_facts import taken_out_of

PAGE = 500
"""Photos in one decision."""
LEAST_OVERLAP = 0.25
"""Intersection over union from which a region is a face's: other programs draw hair and chin into it, which
makes a box of twice the size."""
EXAMPLES = 20

T = TypeVar("T", NamedRegion, FaceRegion)


@dataclass(slots=True)
class ReadReport:
    """What reading did. regions: named ones. matched: at the place of a face. named: faces that got a name.

    kept: faces of which a human has said otherwise. unmatched: no face at this place. unreadable: files.
    """

    photos: int = 0
    regions: int = 0
    matched: int = 0
    named: int = 0
    kept: int = 0
    unmatched: int = 0
    unreadable: int = 0
    decisions: list[int] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)


@dataclass(slots=True)
class WriteReport:
    """What writing did. files: photos' files with somebody's name. written, unchanged: sidecars.

    unreadable: files that could not be read, or sidecars that could not be written, which stay as they are.
    """

    files: int = 0
    written: int = 0
    unchanged: int = 0
    unreadable: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Names:
    """What one photo's files say; problems: what could not be read of it."""

    photo: PhotoFiles
    found: list[NamedRegion]
    problems: list[str]


@dataclass(frozen=True, slots=True)
class _ToWrite:
    """A file, the faces of its photo with names, and those with names that they were said not to have."""

    path: Path
    photo: PhotoFiles
    faces: list[PlacedFace]
    rejected: Mapping[uuid.UUID, set[str]]


class MetadataNamesService:
    """Reads names from photos' metadata and writes them to sidecars."""

    def __init__(self, database: Database, actor: str, *, workers: int) -> None:
        self._database = database
        self._actor = actor
        self._workers = workers

    def read(self, progress: Progress | None = None) -> ReadReport:
        """Give faces the names that their photos' files and sidecars say: one decision for each 500 photos.

        Sidecars come before the file itself. A face that a human has given to somebody, rejected for the
        person, or said to be none, stays as it is. Reading again changes nothing more.
        """
        report = ReadReport()
        with thread_pool(self._workers, "metadata") as pool:
            for page in self._pages():
                names = list(map_ahead(pool, _names_of, page, 4 * self._workers))
                self._take(names, report)
                report.photos += len(page)
                if progress is not None:
                    progress(report.photos, None)
        return report

    def write(self, *, dry_run: bool = False, progress: Progress | None = None) -> WriteReport:
        """Write the names that humans gave into the sidecar of each file, ``photo.jpg.xmp``.

        What else a sidecar says stays. Files without any such name are left alone, and so are sidecars that
        say everything already or that cannot be read.
        """
        report = WriteReport()
        with thread_pool(self._workers, "metadata") as pool:
            for page in self._pages():
                wanted = self._to_write(page)
                for outcome in map_ahead(pool, lambda one: _write(one, dry_run), wanted, 4 * self._workers):
                    _count(outcome, report)
                if progress is not None:
                    progress(report.files, None)
        return report

    def _pages(self) -> Iterator[list[PhotoFiles]]:
        last: uuid.UUID | None = None
        while True:
            with self._database.read() as session:
                page = metadata.photos_page(session, last, PAGE)
            if not page:
                return
            yield page
            last = page[-1].asset_id

    def _take(self, names: Sequence[_Names], report: ReadReport) -> None:
        for one in names:
            report.regions += len(one.found)
            report.unreadable += len(one.problems)
            _show(report, one.problems)
        said = {one.photo.asset_id: one.found for one in names if one.found}
        if not said:
            return
        with self._database.write() as session:
            here = metadata.placed_faces(session, list(said))
            pairs: list[tuple[PlacedFace, str]] = []
            for asset_id, found in said.items():
                matched = match(found, here.get(asset_id, []))
                pairs += [(face, region.name) for region, face in matched]
                report.unmatched += len(found) - len(matched)
            report.matched += len(pairs)
            self._decide(session, pairs, report)

    def _decide(self, session: Session, pairs: Sequence[tuple[PlacedFace, str]], report: ReadReport) -> None:
        named = {face.id: (face, name) for face, name in pairs if _is_name(name)}
        people = _people(session, [name for _, name in named.values()])
        placed = {id_: people[clean_name(name)[1]][0] for id_, (face, name) in named.items() if face.is_face}
        placed = _without_said_otherwise(session, placed, {id_: face for id_, (face, _) in named.items()})
        facts: dict[Key, Any] = {}
        for person_id, new_name in people.values():
            if new_name is not None and person_id in placed.values():
                facts[Key(Fact.PERSON_NAME, person_id)] = new_name
                facts[Key(Fact.PERSON_GONE, person_id)] = False
        for face_id, person_id in placed.items():
            facts[Key(Fact.FACE_PERSON, face_id)] = {"person": str(person_id), "by": "human"}
        report.kept += len(pairs) - len(placed)
        if not facts:
            return
        details = taken_out_of(session, list(placed))
        made = decide(session, Wish("names_from_metadata", self._actor, facts, details=details))
        report.named += made.faces
        report.decisions += [] if made.id is None else [made.id]

    def _to_write(self, page: Sequence[PhotoFiles]) -> list[_ToWrite]:
        ids = [photo.asset_id for photo in page]
        with self._database.read() as session:
            faces = metadata.placed_faces(session, ids)
            rejected = metadata.rejected_names(session, ids)
        return [
            _ToWrite(path, photo, faces[photo.asset_id], rejected)
            for photo in page
            if any(face.name or face.id in rejected for face in faces.get(photo.asset_id, []))
            for path in photo.paths
        ]


def match(found: Sequence[T], faces: Sequence[PlacedFace]) -> list[tuple[T, PlacedFace]]:
    """Regions and the faces at their places, one to one, those first that overlap most."""
    every = [
        (overlap(region.box, face.box), number, place)
        for number, region in enumerate(found)
        for place, face in enumerate(faces)
        if overlap(region.box, face.box) >= LEAST_OVERLAP or _in_each_other(region.box, face.box)
    ]
    pairs: dict[int, int] = {}
    for _, number, place in sorted(every, key=lambda one: (-one[0], one[1], one[2])):
        if number not in pairs and place not in pairs.values():
            pairs[number] = place
    return [(found[number], faces[place]) for number, place in sorted(pairs.items())]


def _in_each_other(a: Box, b: Box) -> bool:
    """Whether each has the other's centre in it: a face, and a whole head around it."""
    return _holds(a, b.center) and _holds(b, a.center)


def _holds(box: Box, point: tuple[float, float]) -> bool:
    x, y = point
    return box.x <= x <= box.x + box.width and box.y <= y <= box.y + box.height


def _names_of(photo: PhotoFiles) -> _Names:
    """Of the first of its files that says any; a sidecar before the file itself."""
    problems: list[str] = []
    for path in photo.paths:
        try:
            embedded = sidecars.read_embedded(path)
        except MediaError as error:
            problems.append(f"{path}: {error.message}")
            continue
        frame = Frame(photo.width, photo.height, embedded.orientation)
        for read in (lambda path=path: _sidecar_packet(path), lambda packet=embedded.packet: packet):
            try:
                packet = read()
                found = [] if packet is None else regions.named_regions(regions.parse_packet(packet), frame)
            except MediaError as error:
                problems.append(f"{path}: {error.message}")
                continue
            if found:
                return _Names(photo, found, problems)
    return _Names(photo, [], problems)


def _sidecar_packet(path: Path) -> bytes | None:
    sidecar = sidecars.sidecar_of(path)
    return None if sidecar is None else sidecars.read_sidecar(sidecar)


def _is_name(name: str) -> bool:
    try:
        clean_name(name)
    except InvalidInputError:
        return False
    return True


def _people(session: Session, names: Sequence[str]) -> dict[str, tuple[uuid.UUID, str | None]]:
    """For each name as it is compared: the person, and how a new one is called."""
    shown = {key: name for name, key in (clean_name(one) for one in reversed(names))}
    known: dict[str, Person] = {}
    for part in chunks(shown, BATCH):
        known |= persons.persons_by_keys(session, part)
    return {
        key: (known[key].id, None) if key in known else (uuid.uuid4(), name) for key, name in shown.items()
    }


def _without_said_otherwise(
    session: Session, placed: Mapping[uuid.UUID, uuid.UUID], faces: Mapping[uuid.UUID, PlacedFace]
) -> dict[uuid.UUID, uuid.UUID]:
    """Without faces that a human has given to somebody else, rejected for them, or said to be of other people
    than their faces."""
    rejected = suggestion_queries.rejected_pairs(session, placed)
    free = {
        face: person
        for face, person in placed.items()
        if faces[face].person_id in (None, person) and (face, person) not in rejected
    }
    clash = clashing(apart.sides_with(session, free), free)
    return {face: person for face, person in free.items() if face not in clash}


def _write(wanted: _ToWrite, dry_run: bool) -> str:
    """``written``, ``unchanged``, or what is wrong."""
    try:
        embedded = sidecars.read_embedded(wanted.path)
        target = sidecars.sidecar_to_write(wanted.path)
        there = sidecars.read_sidecar(target) if target.exists() else None
        start = embedded.packet if there is None else there
        root = regions.new_packet() if start is None else regions.parse_packet(start)
        frame = Frame(wanted.photo.width, wanted.photo.height, embedded.orientation)
        new, taken_away = _difference(regions.face_regions(root, frame), wanted)
        if not new and not taken_away:
            return "unchanged"
        regions.set_regions(root, new, frame, taken_away)
        if not dry_run:
            sidecars.write_sidecar(target, regions.packet_bytes(root))
    except MediaError as error:
        return f"{wanted.path}: {error.message}"
    return "written"


def _difference(there: Sequence[FaceRegion], wanted: _ToWrite) -> tuple[list[NamedRegion], list[int]]:
    """Regions to add, and the numbers of those that are replaced or wrong."""
    region_of = {face.id: region for region, face in match(there, wanted.faces)}
    new: list[NamedRegion] = []
    taken_away: list[int] = []
    for face in wanted.faces:
        region = region_of.get(face.id)
        called = None if region is None or not _is_name(region.name) else clean_name(region.name)[1]
        wrong = called is not None and called in wanted.rejected.get(face.id, ())
        if face.name is not None and face.is_face and called != clean_name(face.name)[1]:
            new.append(NamedRegion(face.name, face.box))
            wrong = True
        if wrong and region is not None:
            taken_away.append(region.number)
    return new, taken_away


def _count(outcome: str, report: WriteReport) -> None:
    report.files += 1
    if outcome == "written":
        report.written += 1
    elif outcome == "unchanged":
        report.unchanged += 1
    else:
        report.unreadable += 1
        _show(report, [outcome])


def _show(report: ReadReport | WriteReport, problems: Sequence[str]) -> None:
    report.examples += problems[: EXAMPLES - len(report.examples)]
