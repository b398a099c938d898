"""Conditions that several queries share, each written once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from image_search_service.db.models import AssetPath, FaceInstance, ImageAsset

ON_PHOTO = ImageAsset.id == FaceInstance.asset_id
"""Joins a face to its photo."""

IS_CURRENT_FACE = and_(FaceInstance.is_face, ~ImageAsset.replaced)
"""A face that is shown and counted: no human marked it as not a face, and no edited version has replaced its
photo. The statement must join ``ImageAsset`` by ``ON_PHOTO``."""

IS_COMPARABLE_FACE = and_(IS_CURRENT_FACE, FaceInstance.recognizable)
"""A current face that jobs may compare with others, since it is recognizable."""

IS_UNNAMED_FACE = and_(IS_COMPARABLE_FACE, FaceInstance.person_id.is_(None), ~FaceInstance.set_aside)
"""A face that grouping, assigning and searching consider: it has no person and is not set aside."""

HAS_NO_PERSON_OF_THESE = func.coalesce(FaceInstance.person_id, None).is_(None)
"""Of a face that is given by its id: it has no person. SQLite, which cannot see an index in it, looks up
those that are given; by the plain condition it would rather go through all that have no person."""

IS_UNNAMED_OF_THESE = and_(IS_COMPARABLE_FACE, HAS_NO_PERSON_OF_THESE, ~FaceInstance.set_aside)
"""``IS_UNNAMED_FACE``, of faces that are given by their ids."""

IS_PRESENT = AssetPath.missing_since.is_(None)
"""A file that existed when its folder was last indexed."""


def existing_file(asset_id: InstrumentedAttribute[UUID]) -> Any:
    """A scalar subquery: the first file by name that holds a photo and is present, or null.

    PostgreSQL has no ``min`` of bytes, hence order and limit. asset_id: a column of the enclosing statement.
    """
    return (
        select(AssetPath.path)
        .where(AssetPath.asset_id == asset_id, IS_PRESENT)
        .order_by(AssetPath.path)
        .limit(1)
        .correlate(asset_id.class_)
        .scalar_subquery()
    )


def in_replaced_photo() -> ColumnElement[bool]:
    """Of a face: an edited version has replaced its photo.

    Such photos are few and have an index of their own; joining the photo would cost a look-up for each face.
    """
    return FaceInstance.asset_id.in_(select(ImageAsset.id).where(ImageAsset.replaced))


def is_hidden_face() -> ColumnElement[bool]:
    """Of a face: a human has set it aside or marked it as no face, so that no search finds it."""
    return or_(~FaceInstance.is_face, FaceInstance.set_aside)


def is_face_aside() -> ColumnElement[bool]:
    """Of a face: a human has set it aside."""
    return FaceInstance.set_aside.is_(True)


def is_unknown() -> ColumnElement[bool]:
    """Of a face: nobody has named it, and it is not set aside."""
    return and_(FaceInstance.person_id.is_(None), FaceInstance.is_face, ~FaceInstance.set_aside)


def is_unnamed() -> ColumnElement[bool]:
    """Of a face: ``IS_UNNAMED_FACE``, of a statement that does not join ``ImageAsset``, so that an index has
    all of it."""
    return and_(is_unknown(), FaceInstance.recognizable, ~in_replaced_photo())


def is_listed_photo() -> ColumnElement[bool]:
    """Of a photo: it can be read, and no edited version has replaced it."""
    return and_(ImageAsset.failure.is_(None), ~ImageAsset.replaced)
