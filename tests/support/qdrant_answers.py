"""What both protocols of the stand-in server have in common: calling the engine, telling errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qdrant_client import models

from image_search_service.core.errors import (
    ConflictError,
    ImageSearchError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)
from image_search_service.vector.errors import translate

if TYPE_CHECKING:
    from tests.support.qdrant_server import Gate

STATUS: list[tuple[type[ImageSearchError], int, str]] = [
    (NotFoundError, 404, "NOT_FOUND"),
    (ConflictError, 409, "ALREADY_EXISTS"),
    (InvalidInputError, 400, "INVALID_ARGUMENT"),
    (UnavailableError, 503, "UNAVAILABLE"),
    (ImageSearchError, 500, "INTERNAL"),
]

WRITES = frozenset({"upsert", "delete", "delete_collection"})


def status_of(error: Exception) -> tuple[int, str, str]:
    """HTTP status, gRPC code and text for what the engine raised."""
    ours = translate(error, "in the engine")
    for kind, status, code in STATUS:
        if isinstance(ours, kind):
            return status, code, str(ours)
    return 500, "INTERNAL", repr(error)


def collection_info(gate: Gate, name: str) -> models.CollectionInfo:
    """What a server tells of a collection; an engine in this process has nothing to say of its settings."""
    info = run(gate, "get_collection", name)
    return models.CollectionInfo(
        status=models.CollectionStatus.GREEN,
        optimizer_status=models.OptimizersStatusOneOf.OK,
        segments_count=info.segments_count,
        points_count=info.points_count,
        payload_schema={},
        config=models.CollectionConfig(
            params=models.CollectionParams(vectors=info.config.params.vectors),
            hnsw_config=models.HnswConfig(m=16, ef_construct=100, full_scan_threshold=10000),
            optimizer_config=models.OptimizersConfig(
                deleted_threshold=0.2,
                vacuum_min_vector_number=1000,
                default_segment_number=0,
                flush_interval_sec=5,
            ),
            wal_config=models.WalConfig(wal_capacity_mb=32, wal_segments_ahead=0),
        ),
    )


def run(gate: Gate, method: str, *args: Any, **kwargs: Any) -> Any:
    """One call of the engine; one at a time, since qdrant-client's local mode is not safe in threads."""
    with gate.lock:
        if method in WRITES:
            gate.encoded.clear()
        return getattr(gate.engine, method)(*args, **kwargs)
