"""Finds the people in a photo library and helps its owner name them.

What other programs may import is here (``docs/library.md``); every other module may change in any version.
A name is imported from its module when it is first used, so that importing the package itself costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from image_search_service.core.config import Settings as Settings
    from image_search_service.core.errors import (
        ConflictError as ConflictError,
        CopiedLibraryError as CopiedLibraryError,
        DamagedCollectionError as DamagedCollectionError,
        DamagedDatabaseError as DamagedDatabaseError,
        DataIntegrityError as DataIntegrityError,
        EngineMismatchError as EngineMismatchError,
        ImageSearchError as ImageSearchError,
        InvalidInputError as InvalidInputError,
        KeyNeededError as KeyNeededError,
        KeyRefusedError as KeyRefusedError,
        LibraryInUseError as LibraryInUseError,
        LostCollectionError as LostCollectionError,
        LostEmbeddingsError as LostEmbeddingsError,
        LostTurnError as LostTurnError,
        MediaError as MediaError,
        MediaUnavailableError as MediaUnavailableError,
        MigrationFailedError as MigrationFailedError,
        NameTakenError as NameTakenError,
        NewerLibraryError as NewerLibraryError,
        NoBackupError as NoBackupError,
        NotEnoughMemoryError as NotEnoughMemoryError,
        NotFoundError as NotFoundError,
        RateLimitedError as RateLimitedError,
        RequestTooLargeError as RequestTooLargeError,
        RestoreInterruptedError as RestoreInterruptedError,
        SharedNameError as SharedNameError,
        StaleVersionError as StaleVersionError,
        UnavailableError as UnavailableError,
        UnreleasedLibraryError as UnreleasedLibraryError,
        UnsupportedByEmbeddedQdrantError as UnsupportedByEmbeddedQdrantError,
        VectorStoreError as VectorStoreError,
    )
    from image_search_service.library.opening import Library as Library, open_library as open_library
    from image_search_service.services.decisions.naming import Namesake as Namesake
    from image_search_service.services.decisions.service import ReviewService as ReviewService
    from image_search_service.services.people.lookup import PeopleService as PeopleService
    from image_search_service.vector.batching import BatchReader as BatchReader
    from image_search_service.vector.embedding_batch import EmbeddingBatch as EmbeddingBatch
    from image_search_service.vector.face_qdrant import FaceQdrantClient as FaceQdrantClient

_PLACES = {
    "Settings": "core.config",
    "Library": "library.opening",
    "open_library": "library.opening",
    "Namesake": "services.decisions.naming",
    "ReviewService": "services.decisions.service",
    "PeopleService": "services.people.lookup",
    "BatchReader": "vector.batching",
    "EmbeddingBatch": "vector.embedding_batch",
    "FaceQdrantClient": "vector.face_qdrant",
    **dict.fromkeys(
        (
            "ConflictError",
            "CopiedLibraryError",
            "DamagedCollectionError",
            "DamagedDatabaseError",
            "DataIntegrityError",
            "EngineMismatchError",
            "ImageSearchError",
            "InvalidInputError",
            "KeyNeededError",
            "KeyRefusedError",
            "LibraryInUseError",
            "LostCollectionError",
            "LostEmbeddingsError",
            "LostTurnError",
            "MediaError",
            "MediaUnavailableError",
            "MigrationFailedError",
            "NameTakenError",
            "NewerLibraryError",
            "NoBackupError",
            "StaleVersionError",
            "UnreleasedLibraryError",
            "NotEnoughMemoryError",
            "NotFoundError",
            "RateLimitedError",
            "RequestTooLargeError",
            "RestoreInterruptedError",
            "SharedNameError",
            "UnavailableError",
            "UnsupportedByEmbeddedQdrantError",
            "VectorStoreError",
        ),
        "core.errors",
    ),
}
"""The module of each public name."""

__all__ = ["__version__", *_PLACES]  # noqa: PLE0604 - strings, all of them


def __getattr__(name: str) -> Any:
    """Import a public name from its module (PEP 562)."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PLACES])
