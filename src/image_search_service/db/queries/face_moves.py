"""Gives faces persons, clusters and groups, many at a time; each that changes is due (the outbox)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Update, Uuid, and_, bindparam, case, select, update
from sqlalchemy.orm import Session

from image_search_service.core.decisions import NameOrigin
from image_search_service.core.parallel import chunks
from image_search_service.db.models import FaceInstance, ImageAsset
from image_search_service.db.queries import prepared
from image_search_service.db.queries.batches import BATCH
from image_search_service.db.queries.conditions import HAS_NO_PERSON_OF_THESE
from image_search_service.db.queries.faces import HUMAN, MACHINE

_GROUPED = (
    update(FaceInstance).where(FaceInstance.id == bindparam("face")).values(group_id=bindparam("group"))
)


class _FaceChange:
    """A change of faces, by ``ids`` or each by itself as ``face``, each of which is then due. ``owner`` is
    whose they are then: a person, or a cluster."""

    def __init__(self, change: Update) -> None:
        change = change.values(payload_version=FaceInstance.payload_version + 1)
        self.of_all = change.where(prepared.among(FaceInstance.id))
        self.of_each = change.where(FaceInstance.id == bindparam("face"))


def _given(by: str, origin: Any) -> Update:
    return update(FaceInstance).values(
        person_id=bindparam("owner"), cluster_id=None, assigned_by=by, name_origin=origin
    )


def _in_cluster() -> dict[str, Any]:
    """The cluster ``owner``, or none, as for a face of a replaced photo; a face without one waits for the
    next grouping."""
    shown = select(ImageAsset.id).where(ImageAsset.id == FaceInstance.asset_id, ~ImageAsset.replaced).exists()
    where = case((shown, bindparam("owner", type_=Uuid)), else_=None)
    return {"cluster_id": where, "grouped": and_(FaceInstance.grouped, where.is_not(None))}


_move = update(FaceInstance).where(HAS_NO_PERSON_OF_THESE).values(cluster_id=bindparam("owner"))
_NAMED = _FaceChange(_given(HUMAN, bindparam("origin")))
_ASSIGNED = _FaceChange(_given(MACHINE, None).where(HAS_NO_PERSON_OF_THESE))
_FREE = _FaceChange(
    update(FaceInstance).values(person_id=None, assigned_by=None, name_origin=None, **_in_cluster())
)
_PUT_BACK = _FaceChange(update(FaceInstance).where(HAS_NO_PERSON_OF_THESE).values(**_in_cluster()))
_MOVED = _FaceChange(_move)
_CLUSTERED = _FaceChange(_move.values(grouped=True))


def set_persons(
    session: Session, persons: Mapping[uuid.UUID, uuid.UUID], origin: NameOrigin = NameOrigin.HERE
) -> None:
    """Assign faces to persons on a human's word. They leave their clusters, which hold only unnamed faces."""
    _update_faces(session, _NAMED, persons, origin=origin.value)


def assign_persons(session: Session, persons: Mapping[uuid.UUID, uuid.UUID]) -> None:
    """Assign faces to persons on the machine's account; a face that has a person keeps it."""
    _update_faces(session, _ASSIGNED, persons)


def set_free(session: Session, clusters: Mapping[uuid.UUID, uuid.UUID | None]) -> None:
    """Take each face away from its person, and put it into a cluster or none; faces of replaced photos get
    none."""
    _update_faces(session, _FREE, clusters)


def put_back(session: Session, clusters: Mapping[uuid.UUID, uuid.UUID | None]) -> None:
    """Put faces into clusters as ``set_free`` does; a face that has a person stays where it is."""
    _update_faces(session, _PUT_BACK, clusters)


def set_clusters(
    session: Session, clusters: Mapping[uuid.UUID, uuid.UUID | None], *, compared: bool = False
) -> None:
    """Put each face into its cluster, or into none; one that was named meanwhile stays where it is.

    compared: by a grouping.
    """
    _update_faces(session, _CLUSTERED if compared else _MOVED, clusters)


def set_groups(session: Session, groups: Mapping[uuid.UUID, uuid.UUID | None]) -> None:
    """Store into which cluster a human put each face; None: into none."""
    if groups:
        rows = [{"face": face, "group": group} for face, group in groups.items()]
        prepared.run(session, _GROUPED, rows)


def _update_faces(
    session: Session,
    change: _FaceChange,
    targets: Mapping[uuid.UUID, uuid.UUID] | Mapping[uuid.UUID, uuid.UUID | None],
    **same: Any,
) -> None:
    """One statement for all faces, or for each ``BATCH`` of them if all have one target, which is faster.

    same: further parameters of the change.
    """
    if not targets:
        return
    if len({*targets.values()}) == 1:
        owner = next(iter(targets.values()))
        for part in chunks(sorted(targets), BATCH):
            prepared.run(session, change.of_all, {"ids": part, "owner": owner, **same})
        return
    by_owner = sorted(targets.items(), key=lambda target: (str(target[1]), target[0]))
    rows = [{"face": face, "owner": owner, **same} for face, owner in by_owner]
    prepared.run(session, change.of_each, rows)
