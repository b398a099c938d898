"""Contradictions between faces, photos and persons: listed, never resolved by the program."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from image_search_service.api.deps import Opened
from image_search_service.api.schemas.conflicts import Conflict, Conflicts
from image_search_service.services.suggestions.conflicts import ConflictService

router = APIRouter(prefix="/conflicts", tags=["decisions"])

Each = Annotated[int, Query(ge=1, le=500, description="At most so many of each kind.")]


@router.get("")
def list_conflicts(library: Opened, limit: Each = 20) -> Conflicts:
    """Contradictions: a name that has lost its face since its photo was changed or replaced; a face for which
    a file has another name; a person twice in a photo, or in one taken before their birth; a face unlike the
    others of its person; two persons who look alike and were not marked as different."""
    if library.engine_binding.row() is None:
        return Conflicts(items=[])
    library.stores.require_embeddings()
    return Conflicts(
        items=[Conflict.of(conflict) for conflict in ConflictService(library.stores).find(limit)]
    )
