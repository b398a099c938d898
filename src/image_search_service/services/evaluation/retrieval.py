"""Measures how long embeddings take from Qdrant by id, on the user's own server or engine."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from image_search_service.core.config import Settings
from image_search_service.library.engine import Watch
from image_search_service.library.vectors import open_qdrant
from image_search_service.vector.retrieval_bench import OURS, SAMPLE, measure, temporary_faces


@dataclass(frozen=True, slots=True)
class RetrievalTimes:
    """Median milliseconds of each way, by its name. ours: the name of this program's way. sample: so many
    embeddings the way of one id a call was measured on."""

    milliseconds: dict[str, float]
    ours: str
    sample: int


def measure_retrieval(
    settings: Settings,
    number: int,
    dimension: int,
    rounds: int,
    *,
    note: Callable[[str], None],
    watch: Watch,
) -> RetrievalTimes:
    """Measure in a collection that is removed again: on the server that the settings name, else on the
    embedded engine in a temporary folder. Raises UnavailableError, VectorStoreError."""
    with (
        tempfile.TemporaryDirectory(prefix="image-search-bench-") as folder,
        closing(open_qdrant(settings, Path(folder) / "qdrant")) as client,
        temporary_faces(client, number, dimension) as faces,
        watch("Measuring", "rounds") as progress,
    ):
        note(f"Measured in the collection {faces.collection_name}, which is removed again.")
        return RetrievalTimes(measure(faces, number, rounds, progress), OURS, min(SAMPLE, number))
