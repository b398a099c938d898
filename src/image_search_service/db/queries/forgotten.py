"""Photos that are left out because no file of them exists any more."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from image_search_service.core.decisions import Change, Fact, Key
from image_search_service.core.parallel import chunks
from image_search_service.db.models import FaceInstance, ImageAsset
from image_search_service.db.queries import clusters, face_moves, library, photos
from image_search_service.db.queries.batches import BATCH


def read_forgotten(session: Session, keys: Sequence[Key]) -> dict[Key, bool]:
    """Whether each of at most ``BATCH`` photos was forgotten."""
    rows = session.execute(
        select(ImageAsset.id, ImageAsset.forgotten).where(ImageAsset.id.in_([key.id for key in keys]))
    )
    return {Key(Fact.PHOTO_FORGOTTEN, row[0]): row[1] for row in rows}


def write_forgotten(session: Session, changes: Sequence[Change]) -> None:
    """Forget photos, or take it back."""
    for value in (True, False):
        ids = [change.key.id for change in changes if bool(change.new) is value]
        for part in chunks(ids, BATCH):
            session.execute(
                update(ImageAsset)
                .where(ImageAsset.id.in_(part))
                .values(forgotten=value)
                .execution_options(synchronize_session=False)
            )
    settle_forgotten(session, [change.key.id for change in changes])


def settle_forgotten(session: Session, asset_ids: Sequence[uuid.UUID]) -> None:
    """Hide those of these photos that were forgotten and of which no file exists; show the others.

    Faces of hidden photos leave their clusters; the next grouping places those of shown ones.
    """
    if not asset_ids:
        return
    photos.update_replaced(session, asset_ids)
    hidden = [
        face
        for part in chunks(asset_ids, BATCH)
        for face in session.scalars(
            select(FaceInstance.id)
            .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
            .where(ImageAsset.id.in_(part), ImageAsset.replaced, FaceInstance.cluster_id.is_not(None))
        )
    ]
    before = clusters.clusters_of_faces(session, hidden)
    face_moves.set_clusters(session, dict.fromkeys(hidden))
    clusters.mend_clusters(session, before)
    library.set_grouping_stale(session)
