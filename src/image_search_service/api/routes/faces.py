"""Faces: what is known of one, and its picture."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from image_search_service.api.deps import Browse, Opened
from image_search_service.api.errors import problems
from image_search_service.api.pagination import Limit
from image_search_service.api.routes.images import IMAGE, WebP
from image_search_service.api.schemas.faces import Face, FaceExplanation
from image_search_service.api.schemas.suggestions import FaceSuggestions
from image_search_service.services.suggestions.explanation import ExplanationService
from image_search_service.services.suggestions.search import SuggestionService

router = APIRouter(prefix="/faces", tags=["faces"])


@router.get("/{face_id}", responses=problems(404))
def get_face(face_id: UUID, browse: Browse) -> Face:
    """One face: where it is, how good it is, and whose it is."""
    return Face.of(browse.face(face_id))


@router.get("/{face_id}/crop", response_class=WebP, responses=IMAGE | problems(404))
def get_face_crop(face_id: UUID, browse: Browse) -> WebP:
    """A small picture of the face with some margin."""
    return WebP(browse.crop(face_id))


@router.get("/{face_id}/suggestions", responses=problems(404))
def get_face_suggestions(face_id: UUID, browse: Browse, library: Opened, limit: Limit = 5) -> FaceSuggestions:
    """Whom a face may show: persons whose centroids it resembles, the most similar first."""
    browse.face(face_id)
    return FaceSuggestions.of(face_id, SuggestionService(library.stores).suggestions_for_face(face_id, limit))


@router.get("/{face_id}/explanation", responses=problems(404))
def explain_face(face_id: UUID, browse: Browse, library: Opened) -> FaceExplanation:
    """Why a face has no person: what stands in the way of those whom it resembles, the most similar first."""
    browse.face(face_id)
    return FaceExplanation.of(ExplanationService(library.stores).explain(face_id))
