"""Which faces and photos are shown: one place for each condition, beside the tables that it is about."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, false, select

from image_search_service.db.models import FaceInstance, ImageAsset


def in_replaced_photo() -> ColumnElement[bool]:
    """Of a face: an edited version has replaced its photo. These photos are few, and read from an index of
    their own; joining each face's photo would cost a look-up a face."""
    return FaceInstance.asset_id.in_(select(ImageAsset.id).where(ImageAsset.replaced))


def is_face_aside() -> ColumnElement[bool]:
    """Of a face: a human has set it aside. Nothing is yet."""
    return false()


def is_cluster_aside() -> ColumnElement[bool]:
    """Of a cluster: a human has set it aside. Nothing is yet."""
    return false()


def is_unknown() -> ColumnElement[bool]:
    """Of a face: nobody has named it, and it is not set aside."""
    return and_(FaceInstance.person_id.is_(None), FaceInstance.is_face, ~is_face_aside())


def is_listed_photo() -> ColumnElement[bool]:
    """Of a photo: it can be read, and no edited version has replaced it."""
    return and_(ImageAsset.failure.is_(None), ~ImageAsset.replaced)
