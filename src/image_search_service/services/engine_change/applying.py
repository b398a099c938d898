"""The transaction that binds a library to its new engine, and the report about it."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from image_search_service.core.paging import keyset_pages
from image_search_service.core.paths import LibraryPaths
from image_search_service.core.types import EngineIdentity
from image_search_service.db.models import EngineChange
from image_search_service.db.queries import clusters
from image_search_service.db.queries.batches import BATCH
from image_search_service.db.queries.engine_change import applying, changes, staging
from image_search_service.db.queries.engine_change.applying import RereadPhotoRow, StagedRow, UnfoundFace
from image_search_service.db.session import Database, Session
from image_search_service.services.engine_change.places import Origin


@dataclass(slots=True)
class EngineChangeReport:
    """What a move changed in the library's faces.

    unread: photos of which no file could be read; their faces were embedded from their crops.
    without_embedding: faces of such photos that have no crop either; `doctor --repair` embeds them when the
    photos are back. lost: faces with a decision that the new engine does not find.
    """

    former: EngineIdentity
    target: EngineIdentity
    faces: Counter[str] = field(default_factory=Counter)
    dropped: int = 0
    unread: int = 0
    without_embedding: int = 0
    lost: list[UnfoundFace] = field(default_factory=list)
    groups: set[uuid.UUID] = field(default_factory=set)
    """The clusters that there were."""


class Applying:
    """The transaction that writes the staged faces into the rows of the faces."""

    def __init__(self, session: Session, change: EngineChange) -> None:
        self._session = session
        self.report = EngineChangeReport(change.former, change.target)
        self.dropped: list[uuid.UUID] = []

    def run(self) -> list[uuid.UUID]:
        """Returns photos that must be read once more, because a decision was made meanwhile about a face that
        would be deleted; if there are any, the transaction must not be committed.

        ⌈n ÷ 500⌉ times a fixed number of statements for n photos.
        """
        session = self._session
        again: list[uuid.UUID] = []
        kept: list[uuid.UUID] = []
        self.report.groups = clusters.every_cluster(session)
        for page in _staged_photos(session):
            rows = applying.staged_faces(session, [photo.id for photo in page])
            kept += [row.id for row in rows if row.origin == Origin.KEPT]
            again += self._apply_page(page, rows)
        applying.forget_comparisons(session)
        self.report.lost = applying.unfound_faces(session, kept)
        return again

    def _apply_page(self, page: Sequence[RereadPhotoRow], rows: Sequence[StagedRow]) -> list[uuid.UUID]:
        session, report = self._session, self.report
        readable = [photo.id for photo in page if photo.was_read]
        unreadable = [photo.id for photo in page if not photo.was_read]
        by_origin = {origin: [row for row in rows if row.origin == origin] for origin in Origin}
        staged = {row.id for row in rows}
        before = applying.faces_in(session, readable)
        unfound = [face_id for face_id in before if face_id not in staged]
        spoken = staging.spoken_of(session, unfound)
        applying.clear_positions(session, readable)
        dropped = [face_id for face_id in unfound if face_id not in spoken]
        applying.drop_faces(session, dropped)
        self.dropped += dropped
        applying.replace_places(session, [*by_origin[Origin.FOUND_AGAIN], *by_origin[Origin.KEPT]])
        applying.insert_faces(session, by_origin[Origin.NEW])
        applying.replace_recognizable(session, by_origin[Origin.FROM_CROP])
        report.faces.update({origin.value: len(rows) for origin, rows in by_origin.items()})
        report.dropped += len(dropped)
        report.unread += sum(not photo.was_read and not photo.replaced for photo in page)
        without = applying.faces_in(session, unreadable).keys() - staged
        report.without_embedding += len(without)
        return sorted({before[face_id] for face_id in spoken})


def give_up(database: Database, paths: LibraryPaths) -> EngineChange | None:
    """Forget what a move has found so far, if one has begun and not been applied; its row, or None.

    The new engine's collections are the caller's to remove.
    """
    with database.write() as session:
        change = changes.unfinished_change(session)
        if change is None or change.applied_at is not None:
            return None
        new = list(_new_faces(session))
        changes.clear_staging(session)
        session.expunge_all()
    for face_id in new:
        paths.crop(face_id).unlink(missing_ok=True)
    return change


def count_kept_groups(database: Database, groups: set[uuid.UUID]) -> int:
    """How many of the clusters from before the move are there after the faces were grouped again."""
    with database.read() as session:
        return len(groups & clusters.every_cluster(session))


def _new_faces(session: Session) -> Iterator[uuid.UUID]:
    for page in _staged_photos(session):
        rows = applying.staged_faces(session, [photo.id for photo in page])
        yield from (row.id for row in rows if row.origin == Origin.NEW)


def _staged_photos(session: Session) -> Iterator[list[RereadPhotoRow]]:
    return keyset_pages(
        lambda after: applying.staged_photo_page(session, after), lambda photo: photo.id, BATCH
    )
