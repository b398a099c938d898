"""What grouping all faces without a person again would change."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from image_search_service.api.schemas.common import Answer
from image_search_service.api.schemas.faces import FacePicture
from image_search_service.core.records.grouping import GroupingChange, ProposalRecord, ShownGroup


class GroupBeforeOrAfter(Answer):
    """A group as it is or as it would be."""

    cluster_id: UUID | None = Field(description="Null: these faces are in no group.")
    size: int = Field(description="Number of faces.", examples=[34])
    faces: list[FacePicture] = Field(description="Some of them, at most six.")

    @classmethod
    def of(cls, group: ShownGroup) -> GroupBeforeOrAfter:
        faces = [FacePicture.of(face_id) for face_id in group.faces]
        return cls(cluster_id=group.cluster_id, size=group.size, faces=faces)


class GroupChange(Answer):
    """Groups that would exchange faces, the largest first; faces in no group last."""

    before: list[GroupBeforeOrAfter]
    after: list[GroupBeforeOrAfter]

    @classmethod
    def of(cls, change: GroupingChange) -> GroupChange:
        before, after = (
            [GroupBeforeOrAfter.of(group) for group in groups] for groups in (change.before, change.after)
        )
        return cls(before=before, after=after)


class ProposedGrouping(Answer):
    """A grouping that was computed and waits to be applied or dropped."""

    id: UUID
    created_at: datetime
    is_stale: bool = Field(description="Something was decided or grouped since: it can only be dropped.")
    faces: int = Field(description="Faces that were compared.", examples=[60_000])
    joined: int = Field(description="Groups that take in faces of two groups or more.", examples=[12])
    split: int = Field(description="Groups whose faces come into two or more.", examples=[3])
    new: int = Field(description="Groups of faces that were alone.", examples=[7])
    dissolved: int = Field(description="Groups whose faces would all be alone.", examples=[0])
    moved: int = Field(description="Faces whose group changes.", examples=[140])
    changes: list[GroupChange] = Field(description="The largest changes, at most thirty.")

    @classmethod
    def of(cls, proposal: ProposalRecord) -> ProposedGrouping:
        counts = proposal.counts
        return cls(
            id=proposal.id,
            created_at=proposal.created_at,
            is_stale=proposal.is_stale,
            faces=proposal.faces,
            joined=counts.joined,
            split=counts.split,
            new=counts.new,
            dissolved=counts.dissolved,
            moved=counts.moved,
            changes=[GroupChange.of(change) for change in proposal.changes],
        )


class WaitingGrouping(Answer):
    """The grouping that waits, if one does."""

    proposal: ProposedGrouping | None

    @classmethod
    def of(cls, proposal: ProposalRecord | None) -> WaitingGrouping:
        return cls(proposal=None if proposal is None else ProposedGrouping.of(proposal))
