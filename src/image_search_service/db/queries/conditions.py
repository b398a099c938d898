"""Conditions that several queries share, each written once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import InstrumentedAttribute

from image_search_service.db.models import AssetPath, FaceInstance, ImageAsset

ON_PHOTO = ImageAsset.id == FaceInstance.asset_id
"""Joins a face to its photo."""

IS_CURRENT_FACE = and_(FaceInstance.is_face, ~ImageAsset.replaced)
"""A face that is shown and counted: no human has said that it is none, and no edited version has replaced its
photo. It needs ``ImageAsset`` joined by ``ON_PHOTO``."""

IS_COMPARABLE_FACE = and_(IS_CURRENT_FACE, FaceInstance.recognizable)
"""A current face that jobs may compare with others: it can be told from other faces."""

IS_UNNAMED_FACE = and_(IS_COMPARABLE_FACE, FaceInstance.person_id.is_(None), ~FaceInstance.set_aside)
"""A face that grouping, assigning and searching look at: nobody's, and no human has set it aside."""

IS_PRESENT = AssetPath.missing_since.is_(None)
"""A file that was there when its folder was last read."""


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
