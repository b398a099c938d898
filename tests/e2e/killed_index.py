"""A process that indexes, and dies by SIGKILL at a given moment, as often as it is asked to.

It imports everything once and forks for each run. Standard input has a line ``LIBRARY<TAB>PHOTOS<TAB>STEP``
for each; standard output answers with the exit status (negative for a signal) and the number of steps made.
A step is the moment before or after a transaction in SQL, a request to Qdrant, or a file being written.
Small batches make many steps. Step 0 never comes.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import image_search_service.services.face_clustering_service
import image_search_service.services.indexing.reader
import image_search_service.vector.embedded  # noqa: F401 - imported once, before the forks
from image_search_service.cli.output import Output
from image_search_service.core.config import Settings
from image_search_service.db.session import Database, Session
from image_search_service.library.opening import open_library
from image_search_service.media import derivatives
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.indexing import indexer
from image_search_service.services.indexing.indexer import IndexService
from image_search_service.vector.face_qdrant import FaceQdrantClient


class Steps:
    """Counts moments, and dies at one of them."""

    def __init__(self, die_at: int) -> None:
        self.count = 0
        self._die_at = die_at
        self._lock = threading.Lock()

    def step(self) -> None:
        with self._lock:
            self.count += 1
            if self.count == self._die_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def stepping(*args: Any, **kwargs: Any) -> Any:
            self.step()
            result = function(*args, **kwargs)
            self.step()
            return result

        return stepping


def count_steps(die_at: int) -> Steps:
    """From now on each transaction, request to Qdrant and written file of this process is a step."""
    steps = Steps(die_at)
    write = Database.write

    @contextmanager
    def stepping_write(database: Database) -> Iterator[Session]:
        with write(database) as session:
            yield session
            steps.step()
        steps.step()

    Database.write = stepping_write  # type: ignore[assignment, method-assign]
    FaceQdrantClient.upsert_faces = steps.around(FaceQdrantClient.upsert_faces)  # type: ignore[method-assign]
    FaceQdrantClient.update_cluster_ids = steps.around(  # type: ignore[method-assign]
        FaceQdrantClient.update_cluster_ids
    )
    derivatives.write_atomically = steps.around(derivatives.write_atomically)
    return steps


def index(library: str, photos: str, die_at: str) -> int:
    """Index once; the number of steps."""
    steps = count_steps(int(die_at))
    indexer.STORE_BATCH = 16
    settings = Settings(library=Path(library), engine="synthetic", workers=2)
    out = Output(as_json=True)
    with open_library(settings, out.note, out.progress) as opened:
        opened.engine_binding.bind()
        IndexService(opened.stores).index([Path(photos)])
        FaceClusteringService(opened.stores).group_if_stale()
        opened.payload_sender.send()
    return steps.count


def answer(run: Callable[..., int]) -> None:
    """Make each run that standard input asks for, in a process of its own."""
    for line in sys.stdin:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writing, str(run(*line.rstrip("\n").split("\t"))).encode())
            os._exit(0)
        os.close(writing)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        with os.fdopen(reading) as said:
            sys.stdout.write(f"{status} {said.read() or 0}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    answer(index)
