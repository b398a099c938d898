"""Names in photos' metadata: taken from it as confirmed names, and written to sidecars; both only when asked.

A photo's own file is only read. A name in a file never overrules a decision made in this library.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from image_search_service.core.decisions import Fact, Key
from image_search_service.core.errors import MediaError
from image_search_service.core.names import clean_name
from image_search_service.core.paging import keyset_pages
from image_search_service.core.parallel import chunks, map_ahead, thread_pool
from image_search_service.core.types import Progress
from image_search_service.db.queries import differences, persons, suggestion_states as suggestion_queries
from image_search_service.db.queries.batches import BATCH
from image_search_service.db.queries.decisions import before_decision
from image_search_service.db.queries.metadata import photo_names
from image_search_service.db.queries.metadata.photo_names import PhotoFiles, PlacedFace
from image_search_service.db.session import Database, Session
from image_search_service.media import regions, sidecars
from image_search_service.media.regions import Frame, NamedRegion
from image_search_service.services.decisions.differences import clashing
from image_search_service.services.decisions.facts import former_clusters
from image_search_service.services.decisions.log import DecisionDraft, after_merges, decide
from image_search_service.services.metadata.region_faces import apply, best_match, edit_of, is_name

PAGE = 500
"""Photos in one decision."""
EXAMPLES = 20


@dataclass(slots=True)
class ReadReport:
    """The result of reading. regions: named regions. matched: regions at the place of a face. named: faces
    that got a name.

    kept: faces with a contradicting decision. unmatched: regions without a face. outdated: named regions
    made for a picture of another shape, which are not believed. unreadable: files.
    """

    photos: int = 0
    regions: int = 0
    matched: int = 0
    named: int = 0
    kept: int = 0
    unmatched: int = 0
    outdated: int = 0
    unreadable: int = 0
    decisions: list[int] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)


@dataclass(slots=True)
class WriteReport:
    """The result of writing. files: photos' files with a named face. written, unchanged: sidecars.

    unreadable: unreadable files and unwritable sidecars, which stay as they are. changes: the changes of the
    first sidecars that were written, or would be.
    """

    files: int = 0
    written: int = 0
    unchanged: int = 0
    unreadable: int = 0
    changes: list[str] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _PhotoNames:
    """The named regions of a photo in each possible interpretation. problems: files that could not be
    read. outdated: files with regions that are not believed, and how many."""

    photo: PhotoFiles
    readings: list[list[NamedRegion]]
    problems: list[str]
    outdated: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _WriteTask:
    """A file, the named faces of its photo, and the names that are wrong for faces."""

    path: Path
    photo: PhotoFiles
    faces: list[PlacedFace]
    wrong: Mapping[uuid.UUID, set[str]]


@dataclass(frozen=True, slots=True)
class _WriteOutcome:
    """The result for a file's sidecar: its change, or the problem that prevented it; neither if unchanged."""

    change: str = ""
    problem: str = ""


class MetadataNamesService:
    """Reads names from photos' metadata and writes them to sidecars."""

    def __init__(self, database: Database, actor: str, *, workers: int) -> None:
        self._database = database
        self._actor = actor
        self._workers = workers

    def read(self, progress: Progress | None = None) -> ReadReport:
        """Name faces from their photos' files and sidecars: one decision for each 500 photos.

        Sidecars come before the file itself. A face that a human has assigned, rejected for the person, or
        marked as not a face stays as it is. Reading again changes nothing more.
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

        Other content of a sidecar stays. Files without any such name are skipped, and so are sidecars that
        are complete already or cannot be read.
        """
        report = WriteReport()
        with thread_pool(self._workers, "metadata") as pool:
            for page in self._pages():
                wanted = self._to_write(page)
                for outcome in map_ahead(pool, lambda task: _write(task, dry_run), wanted, 4 * self._workers):
                    _count(outcome, report)
                if progress is not None:
                    progress(report.files, None)
        return report

    def _pages(self) -> Iterator[list[PhotoFiles]]:
        def read_page(after: uuid.UUID | None) -> list[PhotoFiles]:
            with self._database.read() as session:
                return photo_names.photos_page(session, after, PAGE)

        return keyset_pages(read_page, lambda photo: photo.asset_id, PAGE)

    def _take(self, names: Sequence[_PhotoNames], report: ReadReport) -> None:
        for of_photo in names:
            report.unreadable += len(of_photo.problems)
            _show(report.examples, of_photo.problems)
            report.outdated += sum(of_photo.outdated.values())
            _show(report.examples, list(of_photo.outdated))
        with_names = [of_photo for of_photo in names if of_photo.readings]
        if not with_names:
            return
        with self._database.write() as session:
            faces_by_photo = photo_names.placed_faces(
                session, [of_photo.photo.asset_id for of_photo in with_names]
            )
            pairs: list[tuple[PlacedFace, str]] = []
            for of_photo in with_names:
                matched = best_match(of_photo.readings, faces_by_photo.get(of_photo.photo.asset_id, []))[1]
                pairs += [(face, region.name) for region, face in matched]
                report.regions += len(of_photo.readings[0])
                report.unmatched += len(of_photo.readings[0]) - len(matched)
            report.matched += len(pairs)
            self._decide(session, pairs, report)

    def _decide(self, session: Session, pairs: Sequence[tuple[PlacedFace, str]], report: ReadReport) -> None:
        named = {face.id: (face, name) for face, name in pairs}
        people = _people(session, [name for _, name in named.values()])
        placed = {id_: people[clean_name(name)[1]][0] for id_, (face, name) in named.items() if face.is_face}
        placed = _without_contradictions(session, placed, {id_: face for id_, (face, _) in named.items()})
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
        details = former_clusters(session, list(placed))
        made = decide(session, DecisionDraft(photo_names.FROM_METADATA, self._actor, facts, details=details))
        report.named += made.faces
        report.decisions += [] if made.id is None else [made.id]

    def _to_write(self, page: Sequence[PhotoFiles]) -> list[_WriteTask]:
        ids = [photo.asset_id for photo in page]
        with self._database.read() as session:
            faces = photo_names.placed_faces(session, ids)
            wrong = photo_names.rejected_names(session, ids)
            for face_id, names in photo_names.names_taken_back(session, ids).items():
                wrong.setdefault(face_id, set()).update(names)
        return [
            _WriteTask(path, photo, faces[photo.asset_id], wrong)
            for photo in page
            if any(face.name_to_write or face.id in wrong for face in faces.get(photo.asset_id, []))
            for path in photo.paths
        ]


def _names_of(photo: PhotoFiles) -> _PhotoNames:
    """The names from the first of the photo's files that has any; a sidecar before the file itself."""
    problems: list[str] = []
    outdated: dict[str, int] = {}
    for path in photo.paths:
        try:
            embedded = sidecars.read_embedded(path)
        except MediaError as error:
            problems.append(f"{path}: {error.message}")
            continue
        frame = Frame(photo.width, photo.height, embedded.orientation)
        for source, packet in _packets(path, embedded, problems):
            try:
                readings, note, ignored = _named(packet, frame)
            except MediaError as error:
                problems.append(f"{source}: {error.message}")
                continue
            if ignored:
                outdated[f"{source}: {note}"] = ignored
            if readings:
                return _PhotoNames(photo, readings, problems, outdated)
    return _PhotoNames(photo, [], problems, outdated)


def _packets(path: Path, embedded: sidecars.Embedded, problems: list[str]) -> Iterator[tuple[Path, bytes]]:
    """The XMP packets of the sidecar, if readable, and of the photo itself; each with its file."""
    sidecar = None
    try:
        sidecar = sidecars.sidecar_of(path)
        if sidecar is not None:
            yield sidecar, sidecars.read_sidecar(sidecar)
    except MediaError as error:
        problems.append(f"{sidecar or path}: {error.message}")
    yield from ((path, packet) for packet in (embedded.packet, embedded.extension) if packet is not None)


def _named(packet: bytes, frame: Frame) -> tuple[list[list[NamedRegion]], str, int]:
    """The named regions of a packet in each interpretation that has any; and of those that are not believed,
    why, and how many."""
    root = regions.parse_packet(packet)
    readings = regions.readings(root, frame)
    named = [
        regions_named
        for reading in readings
        if (regions_named := [region for region in reading.named if is_name(region.name)])
    ]
    ignored = {region.name for reading in readings for region in reading.outdated if is_name(region.name)}
    return named, _outdated_note(root, frame), len(ignored)


def _outdated_note(root: regions.Element, frame: Frame) -> str:
    return (
        f"Its regions were made for a picture of {regions.written_size(root)} pixels; "
        f"this one has {frame.width} × {frame.height}."
    )


def _people(session: Session, names: Sequence[str]) -> dict[str, tuple[uuid.UUID, str | None]]:
    """For each name key the person's id, and the name if the person is new."""
    shown = {key: name for name, key in (clean_name(raw_name) for raw_name in reversed(names))}
    known: dict[str, uuid.UUID] = {}
    for part in chunks(shown, BATCH):
        known |= _of_merged(session, part)
        known |= {key: person.id for key, person in persons.persons_by_keys(session, part).items()}
    return {key: (known[key], None) if key in known else (uuid.uuid4(), name) for key, name in shown.items()}


def _of_merged(session: Session, name_keys: Sequence[str]) -> dict[str, uuid.UUID]:
    """Name keys of merged persons with the persons they are now; without keys that lead to several
    persons."""
    into = before_decision.merged(session)
    now: dict[str, set[uuid.UUID]] = {}
    for person in photo_names.merged_by_keys(session, name_keys):
        now.setdefault(person.name_key, set()).add(after_merges(person.id, into))
    return {key: who for key, (who, *others) in now.items() if not others}


def _without_contradictions(
    session: Session, placed: Mapping[uuid.UUID, uuid.UUID], faces: Mapping[uuid.UUID, PlacedFace]
) -> dict[uuid.UUID, uuid.UUID]:
    """Leave out faces that a human assigned to another person or rejected, whose name was undone, or that a
    difference forbids."""
    rejected = suggestion_queries.rejected_pairs(session, placed)
    undone = {face for part in chunks(placed, BATCH) for face in photo_names.taken_back(session, part)}
    free = {
        face: person
        for face, person in placed.items()
        if faces[face].person_id in (None, person) and (face, person) not in rejected and face not in undone
    }
    clash = clashing(differences.sides_with(session, free), free)
    return {face: person for face, person in free.items() if face not in clash}


def _write(wanted: _WriteTask, dry_run: bool) -> _WriteOutcome:
    source = wanted.path
    try:
        embedded = sidecars.read_embedded(wanted.path)
        existing = sidecars.sidecar_of(wanted.path)
        target = sidecars.sidecar_to_write(wanted.path)
        source = target if target == existing else source
        former = sidecars.read_sidecar(target) if source is target else None
        start = embedded.packet if former is None else former
        root = regions.new_packet() if start is None else regions.parse_packet(start)
        frame = Frame(wanted.photo.width, wanted.photo.height, embedded.orientation)
        readings = regions.readings(root, frame)
        edit = edit_of(readings, wanted.faces, wanted.wrong)
        if not edit:
            return _WriteOutcome()
        if readings[0].outdated and former is not None:
            # another program's work, which a new size would make wrong
            return _WriteOutcome(problem=f"{source}: {_outdated_note(root, frame)}")
        regions.drop_outdated(root, readings[0].outdated)
        change = f"{target}: {edit}"
        if not dry_run:
            apply(edit, root, frame)
            sidecars.write_sidecar(target, regions.packet_bytes(root), former)
    except MediaError as error:
        return _WriteOutcome(problem=f"{source}: {error.message}")
    return _WriteOutcome(change=change)


def _count(outcome: _WriteOutcome, report: WriteReport) -> None:
    report.files += 1
    if outcome.problem:
        report.unreadable += 1
        _show(report.examples, [outcome.problem])
    elif outcome.change:
        report.written += 1
        _show(report.changes, [outcome.change])
    else:
        report.unchanged += 1


def _show(examples: list[str], more: Sequence[str]) -> None:
    examples += more[: EXAMPLES - len(examples)]
