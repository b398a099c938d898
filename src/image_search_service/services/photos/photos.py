"""Reads lists of photos: all of them by date, those of a person, and those that could not be read."""

from __future__ import annotations

import uuid
from datetime import datetime
from itertools import accumulate
from pathlib import Path

from image_search_service.core.records.lists import ListPage
from image_search_service.core.records.photos import (
    CountedPhoto,
    FailedPhotoRecord,
    FolderCount,
    MonthCount,
    PersonPhotoRecord,
    PhotoFilter,
    PhotoOrder,
)
from image_search_service.db.queries import absent_folders, photo_lists as queries, unread_files
from image_search_service.db.session import Database


class PhotoCatalogue:
    """Lists photos. Each method costs a fixed number of statements."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, where: PhotoFilter, order: PhotoOrder, offset: int, limit: int) -> ListPage[CountedPhoto]:
        with self._database.read() as session:
            return ListPage(
                queries.photos_page(session, where, order, offset, limit),
                queries.count_photos(session, where),
            )

    def months(self, where: PhotoFilter, order: PhotoOrder) -> list[MonthCount]:
        """How many photos each month has, in the order of ``page``, and at which offset it begins."""
        with self._database.read() as session:
            counts = queries.month_counts(session, where, order)
        begins = accumulate((count for _, count in counts), initial=0)
        return [
            MonthCount(month, count, begin) for (month, count), begin in zip(counts, begins, strict=False)
        ]

    def folders(self) -> list[FolderCount]:
        """Every folder that a photo lies in, by name."""
        with self._database.read() as session:
            return queries.folder_counts(session)

    def is_known(self, path: Path) -> bool:
        """Whether the library has a file at or below ``path``."""
        with self._database.read() as session:
            return absent_folders.is_known(session, path)

    def failed(self, after: tuple[int, bool], limit: int) -> ListPage[FailedPhotoRecord]:
        """Files that could not be read: first those whose content is the reason, then those that wait for
        another try. after: number and ``waits`` of the last one of the page before."""
        number, waits = after
        with self._database.read() as session:
            items = [] if waits else queries.failed_photos(session, number, limit)
            if len(items) < limit:
                items += unread_files.unread_page(session, number if waits else 0, limit - len(items))
            total = queries.count_failed(session) + unread_files.count_unread(session)
        return ListPage(items, total)

    def of_person(
        self, person_id: uuid.UUID, after: tuple[datetime, uuid.UUID] | None, limit: int
    ) -> ListPage[PersonPhotoRecord]:
        """Photos that show a person, the oldest first."""
        with self._database.read() as session:
            photos = queries.photos_of_person_page(session, person_id, after, limit)
            faces = queries.faces_of_person_in(session, person_id, [photo.id for photo in photos])
            total = queries.count_photos_of_person(session, person_id)
        return ListPage([PersonPhotoRecord(photo, faces.get(photo.id, [])) for photo in photos], total)
