"""Faces: one face with its picture, and faces without a person."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from image_search_service.api.deps import Complete, Faces, Pictures
from image_search_service.api.errors import problems
from image_search_service.api.pagination import Limit, Offset
from image_search_service.api.routes.images import IMAGE, Jpeg
from image_search_service.api.schemas.faces import Face, FaceExplanation, FaceSlice
from image_search_service.api.schemas.suggestions import FaceSuggestions
from image_search_service.api.turns import READS, in_turn
from image_search_service.core.records.faces import FaceState
from image_search_service.services.suggestions.explanation import ExplanationService
from image_search_service.services.suggestions.search import SuggestionService

router = APIRouter(prefix="/faces", tags=["faces"])

CropSide = Literal["192", "512"]


@router.get("")
def list_faces(
    faces: Faces,
    state: Annotated[
        FaceState, Query(description="`alone`: without a person, and in no cluster.")
    ] = FaceState.ALONE,
    offset: Offset = 0,
    limit: Limit = 50,
) -> FaceSlice:
    """Faces that are in no list of people or clusters, the clearest first, from any place of the list."""
    page = faces.in_state(state, offset, limit)
    return FaceSlice(items=[Face.of(face) for face in page.items], total=page.total, offset=offset)


@router.get("/{face_id}", responses=problems(404))
def get_face(face_id: UUID, faces: Faces) -> Face:
    """One face: its place, its quality and its person."""
    return Face.of(faces.face(face_id))


@router.get("/{face_id}/crop", response_class=Jpeg, responses=IMAGE | problems(404))
def get_face_crop(
    face_id: UUID,
    pictures: Pictures,
    side: Annotated[CropSide, Query(description="Its longer side in pixels, at most.")] = "192",
) -> Jpeg:
    """A picture of the face with some margin. The larger one is made when it is first asked for; 404 when no
    file of the photo is there for it."""
    return Jpeg(pictures.large_crop(face_id, int(side)))


@router.get("/{face_id}/suggestions", responses=problems(404), dependencies=[in_turn(READS)])
def get_face_suggestions(face_id: UUID, faces: Faces, library: Complete, limit: Limit = 5) -> FaceSuggestions:
    """Persons whose centroids the face resembles, the most similar first."""
    faces.face(face_id)
    return FaceSuggestions.of(face_id, SuggestionService(library.stores).suggestions_for_face(face_id, limit))


@router.get("/{face_id}/explanation", responses=problems(404), dependencies=[in_turn(READS)])
def explain_face(face_id: UUID, faces: Faces, library: Complete) -> FaceExplanation:
    """The reasons why a face has no person: what rules out the persons whom it resembles, the most similar
    first."""
    faces.face(face_id)
    return FaceExplanation.of(ExplanationService(library.stores).explain(face_id))
