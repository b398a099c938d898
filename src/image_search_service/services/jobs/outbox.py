"""Tells Qdrant what SQL has decided: the person and the cluster of each face, in batches.

SQL marks a face as due in the same transaction that changes it. Sending is idempotent and ends only when
nothing is due, so that a crash, or a Qdrant that was down, delays it and loses nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import count

from image_search_service.core.errors import UnavailableError, VectorStoreError
from image_search_service.core.logging import get_logger
from image_search_service.db.queries import faces
from image_search_service.library.stores import Stores

log = get_logger(__name__)

BATCH = 1_000
"""Faces told of in one request."""
WAIT_SECONDS = 5
"""Seconds after which whoever waits for another sender leaves it to that one."""


class PayloadSender:
    """Sends what is due. One sender at a time for a library, in whatever process: two would overtake each
    other, and an older payload could arrive last.

    Qdrant is opened only if there is something to send.
    """

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._database = stores.database
        self._wanted = threading.Event()
        self._sending = threading.Lock()

    def send(self) -> int:
        """Send until nothing is due; returns the number of faces. Raises UnavailableError, also when another
        sender is slow: it goes on."""
        if not self._due(1):
            return 0
        with self._database.turn("payloads", _raise_after_wait()):
            return self._send_all()

    def send_if_it_answers(self) -> None:
        """The same, unless Qdrant is away: then it is told later; until then SQL is asked what is true.

        Returns at once if another thread sends; that one looks again when it is done. So requests do not
        queue up behind a Qdrant that takes long to say nothing.
        """
        self._wanted.set()
        while self._wanted.is_set() and self._sending.acquire(blocking=False):
            try:
                self._wanted.clear()
                self.send()
            except (UnavailableError, VectorStoreError) as error:
                log.warning("Qdrant is told of a decision later", error=error.message)
            finally:
                self._sending.release()

    def _send_all(self) -> int:
        sent = 0
        while due := self._due(BATCH):
            vectors = self._stores.faces
            vectors.update_person_ids({face.point_id: face.person_id for face in due})
            vectors.update_cluster_ids({face.point_id: face.cluster_id for face in due})
            with self._database.write() as session:
                faces.mark_payloads_sent(session, due)
            sent += len(due)
        return sent

    def _due(self, limit: int) -> list[faces.DuePayload]:
        with self._database.read() as session:
            return faces.due_payloads(session, limit)


def _raise_after_wait() -> Callable[[], None]:
    """Called every second while somebody else sends."""
    seconds = count(1)

    def waiting() -> None:
        if next(seconds) > WAIT_SECONDS:
            raise UnavailableError("Somebody else is telling Qdrant what was decided, and it takes long.")

    return waiting
