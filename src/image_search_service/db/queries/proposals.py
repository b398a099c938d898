"""The full grouping that waits to be applied, and whether it still holds."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from image_search_service.core.records.grouping import (
    GroupingChange,
    GroupingCounts,
    ProposalRecord,
    ShownGroup,
)
from image_search_service.db.models import GroupingProposal, LibraryRow
from image_search_service.db.queries import events
from image_search_service.db.queries.batches import Row

State = tuple[int, int]
"""The numbers of the last decision and of the last grouping."""


def current_state(session: Session) -> State:
    """What a proposal depends on."""
    return events.latest_id(session), session.scalar(select(LibraryRow.groupings)) or 0


def replace_proposal(session: Session, row: GroupingProposal) -> None:
    """Store a proposal instead of the one before."""
    drop_proposal(session)
    session.add(row)
    session.flush()


def proposal_row(session: Session) -> GroupingProposal | None:
    return session.scalar(select(GroupingProposal))


def drop_proposal(session: Session) -> None:
    session.execute(delete(GroupingProposal))


def is_stale(session: Session, row: GroupingProposal) -> bool:
    """Whether something was decided or grouped since it was computed."""
    return (row.at_decision, row.at_grouping) != current_state(session)


def read_proposal(session: Session) -> ProposalRecord | None:
    """The proposal that waits, without the faces that would move: three statements."""
    row = proposal_row(session)
    if row is None:
        return None
    return ProposalRecord(
        id=row.id,
        created_at=row.created_at,
        is_stale=is_stale(session, row),
        faces=row.faces,
        counts=GroupingCounts(**row.counts),
        changes=[_change(change) for change in row.changes],
    )


def new_row(
    state: State,
    *,
    faces: int,
    parameters: dict[str, Any],
    clusters: Sequence[Row],
    moves: Mapping[uuid.UUID, uuid.UUID | None],
    counts: GroupingCounts,
    changes: Sequence[GroupingChange],
) -> GroupingProposal:
    """The row of a proposal, whose lists JSON can hold. clusters: rows as ``save_clusters`` takes them."""
    return GroupingProposal(
        at_decision=state[0],
        at_grouping=state[1],
        faces=faces,
        parameters=parameters,
        clusters=[
            {**row, "id": str(row["id"]), "representative_face_id": str(row["representative_face_id"])}
            for row in clusters
        ],
        moves={str(face): None if cluster is None else str(cluster) for face, cluster in moves.items()},
        counts=asdict(counts),
        changes=[_stored_change(change) for change in changes],
    )


def clusters_of(row: GroupingProposal) -> list[Row]:
    """The clusters as ``save_clusters`` takes them."""
    return [
        {
            **cluster,
            "id": uuid.UUID(cluster["id"]),
            "representative_face_id": uuid.UUID(cluster["representative_face_id"]),
        }
        for cluster in row.clusters
    ]


def moves_of(row: GroupingProposal) -> dict[uuid.UUID, uuid.UUID | None]:
    """The cluster, or None, of each face that would move."""
    return {
        uuid.UUID(face): None if cluster is None else uuid.UUID(cluster)
        for face, cluster in row.moves.items()
    }


def _stored_change(change: GroupingChange) -> dict[str, Any]:
    return {side: [_stored(group) for group in groups] for side, groups in asdict(change).items()}


def _stored(group: dict[str, Any]) -> dict[str, Any]:
    cluster_id = group["cluster_id"]
    return {
        "cluster_id": None if cluster_id is None else str(cluster_id),
        "size": group["size"],
        "faces": [str(face_id) for face_id in group["faces"]],
    }


def _change(stored: dict[str, Any]) -> GroupingChange:
    return GroupingChange(*([_group(group) for group in stored[side]] for side in ("before", "after")))


def _group(stored: dict[str, Any]) -> ShownGroup:
    cluster_id = stored["cluster_id"]
    return ShownGroup(
        cluster_id=None if cluster_id is None else uuid.UUID(cluster_id),
        size=stored["size"],
        faces=[uuid.UUID(face_id) for face_id in stored["faces"]],
    )
