"""Compares thumbnails, crops and larger pictures on the disk with the photos and faces in SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

from image_search_service.core.parallel import chunks
from image_search_service.core.paths import LibraryPaths, fan_out
from image_search_service.db.queries.doctor import expected
from image_search_service.db.session import Session
from image_search_service.media.derived_files import DerivedFile, derived_files, is_whole, remove_file
from image_search_service.services.doctor.context import PAGE, DoctorContext
from image_search_service.services.doctor.findings import DoctorProblem, Kind, merge_ordered

Needs: TypeAlias = dict[UUID, bool]
"""Of the items that there are, whether each needs a file; one that does not may have it."""


@dataclass(frozen=True, slots=True)
class Files:
    """One kind of files: where they lie and what they are of."""

    root: Path
    path: Callable[[UUID], Path]
    rows: Callable[[DoctorContext], Iterator[tuple[UUID, bool]]]
    needs: Callable[[Session, Sequence[UUID]], Needs]
    missing: Kind
    orphaned: Kind


def crops(paths: LibraryPaths) -> Files:
    return Files(
        paths.crops,
        paths.crop,
        lambda context: (
            (key, True) for key, _ in context.rows(expected.face_id_page, lambda face_id: face_id)
        ),
        lambda session, ids: dict.fromkeys(expected.existing_faces(session, ids), True),
        Kind.MISSING_CROP,
        Kind.ORPHANED_CROP,
    )


def thumbnails(paths: LibraryPaths) -> Files:
    return Files(
        paths.thumbnails,
        paths.thumbnail,
        lambda context: (
            (key, photo.failure is None)
            for key, photo in context.rows(expected.photo_page, lambda row: row.id)
        ),
        lambda session, ids: {
            key: photo.failure is None for key, photo in expected.photos_by_id(session, ids).items()
        },
        Kind.MISSING_THUMBNAIL,
        Kind.ORPHANED_THUMBNAIL,
    )


def larger_pictures(paths: LibraryPaths) -> list[Files]:
    """Of each size that was ever made. None is missing, since it is made when somebody looks at it; so SQL is
    asked about those on the disk alone."""

    def of(folder: Path, needs: Callable[[Session, Sequence[UUID]], Needs]) -> Files:
        kind = Kind.ORPHANED_PICTURE
        return Files(folder, partial(fan_out, folder), lambda _: iter(()), needs, kind, kind)

    return [
        *(of(folder, _photos_with_picture) for folder in paths.picture_folders()),
        *(of(folder, _faces_with_picture) for folder in paths.large_crop_folders()),
    ]


def _photos_with_picture(session: Session, asset_ids: Sequence[UUID]) -> Needs:
    return dict.fromkeys(expected.photos_by_id(session, asset_ids), False)


def _faces_with_picture(session: Session, face_ids: Sequence[UUID]) -> Needs:
    return dict.fromkeys(expected.existing_faces(session, face_ids), False)


class FileCheck:
    """One pass through the files of a kind and the rows that they belong to."""

    def __init__(self, context: DoctorContext, files: Files) -> None:
        self._context = context
        self._report = context.report
        self._files = files

    def run(self) -> None:
        """⌈n ÷ 1,000⌉ statements for n rows, and one more for each page with a difference.

        Files of nothing are removed at once; those that are missing are counted.
        """
        on_disk = ((file.item_id, file) for file in derived_files(self._files.root))
        needed = ((item_id, (item_id, need)) for item_id, need in self._files.rows(self._context))
        for pairs in chunks(merge_ordered(needed, on_disk), PAGE):
            self._report.checked["files"] += sum(file is not None for _, file in pairs)
            self._look_again(
                [row[0] for row, file in pairs if row is not None and row[1] and _is_missing(file)],
                [file for row, file in pairs if file is not None and (row is None or file.is_stray)],
            )

    def _look_again(self, without_file: Sequence[UUID], without_row: Sequence[DerivedFile]) -> None:
        ids = [*without_file, *(file.item_id for file in without_row)]
        if not ids:
            return
        with self._context.database.read() as session:
            in_transit = self._context.is_in_transit(session)
            needs = self._files.needs(session, ids)
        missing = [path for path in self._paths(without_file, needs) if not is_whole(path)]
        self._report.add(DoctorProblem(self._files.missing, str(path)) for path in missing)
        orphans = [file.path for file in without_row if file.is_stray or file.item_id not in needs]
        if in_transit:
            self._report.waiting["files"] += len(orphans)
            return
        self._report.add(DoctorProblem(self._files.orphaned, str(path)) for path in orphans)
        if self._context.repair:
            self._remove(orphans)

    def _paths(self, item_ids: Iterable[UUID], needs: Needs) -> Iterator[Path]:
        return (self._files.path(item_id) for item_id in item_ids if needs.get(item_id))

    def _remove(self, orphans: Sequence[Path]) -> None:
        for path in orphans:
            remove_file(path)
        self._report.repair(self._files.orphaned, len(orphans))


def _is_missing(file: DerivedFile | None) -> bool:
    return file is None or file.is_stray or file.is_empty
