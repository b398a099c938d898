"""A process that restores a backup, and dies by SIGKILL at a given moment; asked as ``killed_index`` is.

Each line is ``LIBRARY<TAB>FILE<TAB>STEP``. A step is the moment before or after the commit in SQL, a request
to Qdrant, or a file being written or removed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import image_search_service.vector.client
import image_search_service.vector.embedded  # noqa: F401 - imported once, before the forks
from image_search_service.core.config import Settings
from image_search_service.db import portable
from image_search_service.db.session import Database, Session
from image_search_service.library.opening import open_library
from image_search_service.services.backup import restore as restore_module
from image_search_service.services.backup.restore import RestoreService
from image_search_service.vector.centroid_qdrant import CentroidQdrantClient
from image_search_service.vector.face_qdrant import FaceQdrantClient
from image_search_service.vector.qdrant_collection import QdrantCollection
from tests.e2e.killed_index import Steps, answer
from tests.support.served import no_bar


def restore(library: str, file: str, die_at: str) -> int:
    """Restore once; the number of steps."""
    steps = Steps(int(die_at))
    rebuilding = portable.rebuilding

    @contextmanager
    def stepping(database: Database, revision: str) -> Iterator[Session]:
        with rebuilding(database, revision) as session:
            yield session
            steps.step()
        steps.step()

    portable.rebuilding = stepping
    for owner, name in (
        (QdrantCollection, "ensure_collection"),
        (QdrantCollection, "remove_collection"),
        (FaceQdrantClient, "upsert_faces"),
        (CentroidQdrantClient, "upsert_centroids"),
        (restore_module, "write_atomically"),
        (restore_module, "remove_file"),
    ):
        setattr(owner, name, steps.around(getattr(owner, name)))
    restore_module.BATCH = 16
    with open_library(Settings(library=Path(library)), lambda _: None, no_bar, restoring=True) as opened:
        RestoreService(opened.stores, opened.collections).restore(restore_module.checked_backup(Path(file)))
    return steps.count


if __name__ == "__main__":
    answer(restore)
