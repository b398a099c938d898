"""Photos: the faces in one, and its thumbnail."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from image_search_service.api.deps import Browse
from image_search_service.api.errors import problems
from image_search_service.api.routes.images import IMAGE, WebP
from image_search_service.api.schemas.faces import Face, Photo, PhotoFaces

router = APIRouter(prefix="/assets", tags=["photos"])


@router.get("/{asset_id}/faces", responses=problems(404))
def get_faces_of_asset(asset_id: UUID, browse: Browse) -> PhotoFaces:
    """The faces in one photo, left to right."""
    photo, faces = browse.faces_of_asset(asset_id)
    return PhotoFaces(photo=Photo.of(photo), faces=[Face.of(face) for face in faces])


@router.get("/{asset_id}/thumbnail", response_class=WebP, responses=IMAGE | problems(404))
def get_thumbnail(asset_id: UUID, browse: Browse) -> WebP:
    """A small copy of the photo."""
    return WebP(browse.thumbnail(asset_id))
