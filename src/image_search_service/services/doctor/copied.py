"""Two copies of a library on the same stores: each is asked which one it is, before anything is compared."""

from __future__ import annotations

import uuid
from contextlib import suppress
from enum import StrEnum

from image_search_service.core.errors import CopiedLibraryError, LostCollectionError
from image_search_service.db.queries import store_marks
from image_search_service.library.engine import identity_of
from image_search_service.library.stores import Stores
from image_search_service.services.doctor.context import DoctorContext
from image_search_service.services.doctor.findings import DoctorProblem, DoctorReport, Kind
from image_search_service.services.doctor.vector_files import stored_faces


class WhichLibrary(StrEnum):
    """What a human says of a library of which there are two."""

    ORIGINAL = "original"
    COPY = "copy"


class CopyCheck:
    """A request and a statement."""

    def __init__(self, context: DoctorContext, stores: Stores) -> None:
        self._report = context.report
        self._stores = stores

    def run(self) -> bool:
        """Whether the stores are this library's. Else nothing is compared: what is another copy's would count
        as too much, and be removed."""
        try:
            self._stores.require_own()
        except CopiedLibraryError as error:
            self._report.add([DoctorProblem(Kind.COPIED_LIBRARY, error.message)])
            self._report.give_up(Kind.COPIED_LIBRARY, error.hint or "")
            return False
        return True


def say_which(stores: Stores, which: WhichLibrary) -> None:
    """Let a library of which there are two be the original, or a copy with embeddings of its own; those in
    its own folder are so already. Raises UnavailableError."""
    if which is WhichLibrary.COPY and stores.settings.qdrant_url is not None:
        _part(stores)
    else:
        stores.collections.marks.take_over()


def _part(stores: Stores) -> None:
    """Give the library an identity of its own, and copy its embeddings to where that one's are.

    The identity follows from what the library knows, so that a second attempt after a broken off one goes on
    with the same collections. SQL comes last: until then the library is asked again.
    """
    row = stores.binding.require_row()
    with stores.database.read() as session:
        marks = store_marks.store_marks(session)
    uid = uuid.uuid5(row.uid, marks[-1].value if marks else "unmarked")
    former, own = (stores.collections.faces_of(identity_of(row), each) for each in (row.uid, uid))
    own.ensure_collection()
    context = DoctorContext(stores.database, DoctorReport(), repair=True, alone=False)
    with suppress(LostCollectionError):  # the other one has gone; the doctor makes the embeddings again
        for page in stored_faces(context, former):
            own.upsert_faces(page)
    with stores.database.write() as session:
        store_marks.become_another_library(session, uid)
    stores.use_bound_engine()
    stores.collections.marks.take_over()
