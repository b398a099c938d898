"""Names in photos' metadata: taken from it as confirmed names, and written to sidecars; both only when asked.

A photo's own file is only read. A name in a file never overrules what was said in this library.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from functools import partial

from image_search_service.core.paging import keyset_pages
from image_search_service.core.parallel import map_ahead, thread_pool
from image_search_service.core.types import Progress
from image_search_service.db.queries import events, people_in_files, said_in_files
from image_search_service.db.queries.metadata import photo_names
from image_search_service.db.queries.metadata.photo_names import PhotoFiles
from image_search_service.db.queries.people_in_files import NamedInFile
from image_search_service.db.queries.said_in_files import Seen
from image_search_service.db.session import Database
from image_search_service.media.folder_names import Folders
from image_search_service.media.picasa import PicasaFolders
from image_search_service.services.metadata.former_pictures import (
    Comparer,
    doubtful_names,
    leave_out_former,
)
from image_search_service.services.metadata.reading import take_names, take_people
from image_search_service.services.metadata.report import ReadReport, WriteReport, add_examples
from image_search_service.services.metadata.sources import PhotoNames, names_of
from image_search_service.services.metadata.undetected import Drawer, StoreDrawn, undetected
from image_search_service.services.metadata.writing import WriteOutcome, WriteTask, write_names

PAGE = 500
"""Photos in one decision."""


class MetadataNamesService:
    """Reads names from photos' metadata and writes them to sidecars.

    drawer: makes faces of named regions where none was found; without it they are counted. comparer: tells
    whether a region that was read of another picture is of this one; without it all are believed.
    """

    def __init__(
        self,
        database: Database,
        actor: str,
        *,
        workers: int,
        drawer: Drawer | None = None,
        comparer: Comparer | None = None,
    ) -> None:
        self._database = database
        self._actor = actor
        self._workers = workers
        self._drawer = drawer
        self._comparer = comparer

    def read(self, progress: Progress | None = None) -> ReadReport:
        """Name faces from their photos' files and sidecars: one decision for each 500 photos.

        Sidecars come before the file itself. A face of which somebody said otherwise in this library stays
        as it is; a name that was read before follows its file. Reading again changes nothing more.
        """
        report, folders, picasa = ReadReport(), Folders(), PicasaFolders()
        with thread_pool(self._workers, "metadata") as pool:
            for page in self._pages():
                with self._database.read() as session:
                    ids = [photo.asset_id for photo in page]
                    seen = said_in_files.seen_names(session, ids)
                    people = people_in_files.named_in_files(session, ids)
                known = frozenset(path for of_face in seen.values() for path in of_face)
                read_names = partial(names_of, folders=folders, picasa=picasa, known=known)
                names = []
                for of_photo in map_ahead(pool, read_names, page, 4 * self._workers):
                    names.append(of_photo)
                    if progress is not None:  # may end the run; the pages before this one stay
                        progress(report.photos + len(names), None)
                self._leave_out_former(names, seen)
                _count_read(names, report)
                if people or any(of_photo.files for of_photo in names):
                    store = self._draw(names)
                    with self._database.write() as session:
                        events.take_turn(session)
                        drawn = frozenset() if store is None else frozenset(store(session))
                        report.by_hand += len(drawn)
                        take_names(session, names, seen, self._actor, report, drawn=drawn)
                        take_people(session, names, people, report)
                report.photos += len(page)
        return report

    def write(
        self, *, dry_run: bool = False, overrule: bool = False, progress: Progress | None = None
    ) -> WriteReport:
        """Write the names that humans gave into the sidecar of each file, ``photo.jpg.xmp``.

        Other content of a sidecar stays, and so do names that another program has changed since they were
        last read or written, unless ``overrule``. Files without any such name are skipped, and so are
        sidecars that are complete already or cannot be read.
        """
        report, folders = WriteReport(), Folders()
        with thread_pool(self._workers, "metadata") as pool:
            for page in self._pages():
                wanted = self._to_write(page, overrule=overrule)
                outcomes: list[WriteOutcome] = []
                write = partial(write_names, folders=folders, dry_run=dry_run)
                try:
                    for outcome in map_ahead(pool, write, wanted, 4 * self._workers):
                        outcomes.append(outcome)
                        _count_written(outcome, report)
                        if progress is not None:  # may end the run
                            progress(report.files, None)
                finally:
                    if not dry_run:
                        self._remember(outcomes)
        return report

    def _leave_out_former(self, names: Sequence[PhotoNames], seen: Seen) -> None:
        """Take regions out that were measured in another picture."""
        with_regions = [of_photo for of_photo in names if of_photo.source is not None]
        if self._comparer is None or not with_regions:
            return
        with self._database.read() as session:
            faces = photo_names.placed_faces(session, [of_photo.photo.asset_id for of_photo in with_regions])
            doubtful = doubtful_names(session, with_regions, faces, seen)
        if doubtful:
            leave_out_former(with_regions, doubtful, self._comparer)

    def _draw(self, names: Sequence[PhotoNames]) -> StoreDrawn | None:
        """Make faces of the regions that have none; their rows are stored with the names."""
        readings = {
            of_photo.photo.asset_id: of_photo.source.readings for of_photo in names if of_photo.source
        }
        if self._drawer is None or not readings:
            return None
        with self._database.read() as session:
            faces = photo_names.placed_faces(session, list(readings))
        lacking = undetected(readings, faces)
        return self._drawer.draw_regions(lacking) if lacking else None

    def _pages(self) -> Iterator[list[PhotoFiles]]:
        def read_page(after: uuid.UUID | None) -> list[PhotoFiles]:
            with self._database.read() as session:
                return photo_names.photos_page(session, after, PAGE)

        return keyset_pages(read_page, lambda photo: photo.asset_id, PAGE)

    def _to_write(self, page: Sequence[PhotoFiles], *, overrule: bool) -> list[WriteTask]:
        ids = [photo.asset_id for photo in page]
        with self._database.read() as session:
            faces = photo_names.placed_faces(session, ids)
            wrong = photo_names.rejected_names(session, ids)
            for face_id, names in photo_names.names_taken_back(session, ids).items():
                wrong.setdefault(face_id, set()).update(names)
            seen = said_in_files.seen_names(session, ids)
            changed = [
                face
                for face, of_face in seen.items()
                if any(name.changed_after is not None for name in of_face.values())
            ]
            placed_by = said_in_files.placed_by(session, changed)
            people: dict[uuid.UUID, list[NamedInFile]] = {}
            for person in people_in_files.named_in_files(session, ids):
                people.setdefault(person.asset_id, []).append(person)
        return [
            WriteTask(
                path,
                photo,
                faces.get(photo.asset_id, []),
                wrong,
                seen,
                placed_by,
                people.get(photo.asset_id, []),
                overrule,
            )
            for photo in page
            if any(face.name_to_write or face.id in wrong for face in faces.get(photo.asset_id, []))
            or any(
                person.present_name not in (None, person.name) for person in people.get(photo.asset_id, [])
            )
            for path in photo.paths
        ]

    def _remember(self, outcomes: Sequence[WriteOutcome]) -> None:
        """Store what the sidecars have now; nothing is stored while nothing is new."""
        seen = {(name.face_id, name.path): name for outcome in outcomes for name in outcome.seen}
        gone = [place for outcome in outcomes for place in outcome.gone]
        if not seen and not gone:
            return
        with self._database.write() as session:
            said_in_files.forget_seen(session, gone)
            said_in_files.save_seen(session, list(seen.values()))


def _count_read(names: Sequence[PhotoNames], report: ReadReport) -> None:
    for of_photo in names:
        report.unreadable += len(of_photo.problems)
        report.outdated += sum(of_photo.outdated.values())
        report.dropped += len(of_photo.dropped)
        report.regions += len(of_photo.misplaced)
        report.unmatched += len(of_photo.misplaced)
        report.show([*of_photo.misplaced, *of_photo.problems, *of_photo.outdated, *of_photo.dropped])


def _count_written(outcome: WriteOutcome, report: WriteReport) -> None:
    report.files += 1
    report.corrected += len(outcome.corrected)
    add_examples(report.examples, outcome.corrected)
    if outcome.problem:
        report.unreadable += 1
        add_examples(report.examples, [outcome.problem])
    elif outcome.change:
        report.written += 1
        add_examples(report.changes, [outcome.change])
    else:
        report.unchanged += 1
