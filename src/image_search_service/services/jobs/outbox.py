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
from image_search_service.db.queries import events, payloads
from image_search_service.library.stores import Stores

log = get_logger(__name__)

BATCH = 1_000
"""Faces in one request."""
WAIT_SECONDS = 5
"""Seconds to wait for another sender before the rest is left to that one."""


class _LeftToAnother(Exception):  # noqa: N818 - not an error
    """Another sender has sent what was due, or goes on with it."""


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
        """Send until nothing is due; returns the number of faces. Raises UnavailableError.

        While another process sends, wait until it has sent what is due now; if that takes too long, it goes
        on without being waited for. No job is done again because another one is being told of.
        """
        due = set(self._due(BATCH))
        if not due:
            return 0
        try:
            with self._database.turn("payloads", self._until_sent(due)):
                self._stores.require_own()
                return self._send_all()
        except _LeftToAnother:
            return 0

    def _until_sent(self, due: set[payloads.DuePayload]) -> Callable[[], None]:
        """A function to call every second while another sender is active; raises _LeftToAnother."""
        seconds = count(1)

        def waiting() -> None:
            if next(seconds) > WAIT_SECONDS or due.isdisjoint(self._due(BATCH)):
                raise _LeftToAnother

        return waiting

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
                payloads.mark_payloads_sent(session, due)
            sent += len(due)
        return sent

    def _due(self, limit: int) -> list[payloads.DuePayload]:
        with self._database.read() as session:
            return payloads.due_payloads(session, limit)
