"""Faces by hand: decisions that make faces where the detector saw none."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends

from image_search_service.api.deps import Actor, Opened
from image_search_service.api.errors import problems
from image_search_service.api.schemas.decisions import DecisionResult
from image_search_service.api.schemas.hand_faces import AddFace, DrawnFaceResult, MoveFace, RemoveFace
from image_search_service.core.errors import InvalidInputError
from image_search_service.services.decisions.naming import who_of
from image_search_service.services.indexing.by_hand import HandFaceService

router = APIRouter(prefix="/decisions", tags=["decisions"], responses=problems(404, 409))


async def _drawing(library: Opened, actor: Actor, background: BackgroundTasks) -> HandFaceService:
    """SQL has a decision when it is answered; Qdrant is told after that."""
    background.add_task(library.payload_sender.send_if_it_answers)
    return HandFaceService(library.stores, actor)


HandFaces = Annotated[HandFaceService, Depends(_drawing)]


@router.post("/add-face")
def add_face(body: AddFace, faces: HandFaces) -> DrawnFaceResult:
    """Make a face of a box in a photo: it is cropped, embedded from its own pixels, and marked `by_hand`; 409
    if a face is there already."""
    if body.name is not None and body.person_id is not None:
        raise InvalidInputError("Either name or person_id, not both.")
    whose = body.name if body.person_id is None else body.person_id
    who = who_of(body.same, body.another)
    return DrawnFaceResult.of(
        faces.add(body.asset_id, body.box, whose, who=who, based_on=body.based_on_decision)
    )


@router.post("/move-face")
def move_face(body: MoveFace, faces: HandFaces) -> DrawnFaceResult:
    """Draw a face's box elsewhere: a face with a new id has all that was said of it, and it is none any
    more."""
    return DrawnFaceResult.of(faces.move(body.face_id, body.box, body.based_on_decision))


@router.post("/remove-face")
def remove_face(body: RemoveFace, faces: HandFaces) -> DecisionResult:
    """Say that there is no face; undo brings it back."""
    return DecisionResult.of(faces.remove(body.face_id, body.based_on_decision))
