"""The outbox: tells Qdrant what SQL says of each changed face (person, cluster, whether hidden), in batches.

The transaction that changes a face also marks it as due (``payload_version`` above ``payload_sent``).
Sending is idempotent and ends only when nothing is due, so that a crash or an outage of Qdrant only delays
it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import count

from image_search_service.core.errors import UnavailableError, VectorStoreError
from image_search_service.core.logging import get_logger
from image_search_service.db.queries import events, faces
from image_search_service.library.stores import Stores

log = get_logger(__name__)

BATCH = 1_000
"""Faces in one request."""
WAIT_SECONDS = 5
"""Seconds to wait for another sender before giving up."""


class PayloadSender:
    """Sends due payloads. Only one sender at a time for a library, over all processes: with two, an older
    payload could arrive last.

    Qdrant is opened only if there is something to send.
    """

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._database = stores.database
        self._wanted = threading.Event()
        self._sending = threading.Lock()

    def send(self) -> int:
        """Send until nothing is due; returns the number of faces. Raises UnavailableError, also when another
        sender takes too long, which then continues."""
        if not self._due(1):
            return 0
        with self._database.turn("payloads", _raise_after_wait()):
            return self._send_all()

    def send_if_it_answers(self) -> None:
        """Send unless Qdrant is unavailable; a later call sends the rest, and until then reads check SQL.

        Returns at once if another thread is sending; that thread checks again when it is done. So requests
        do not queue up behind a slow Qdrant.
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
            vectors.update_hidden({face.point_id: face.hidden for face in due})
            with self._database.write() as session:
                events.take_turn(session)
                faces.mark_payloads_sent(session, due)
            sent += len(due)
        return sent

    def _due(self, limit: int) -> list[faces.DuePayload]:
        with self._database.read() as session:
            return faces.due_payloads(session, limit)


def _raise_after_wait() -> Callable[[], None]:
    """A function to call every second while another sender is active; raises UnavailableError after a
    while."""
    seconds = count(1)

    def waiting() -> None:
        if next(seconds) > WAIT_SECONDS:
            raise UnavailableError("Another sender is still updating Qdrant.")

    return waiting
