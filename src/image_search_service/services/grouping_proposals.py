"""A full grouping that says what it would change before it is applied."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from image_search_service.core.errors import ConflictError, NotFoundError
from image_search_service.core.records.grouping import ProposalRecord
from image_search_service.core.types import DEFAULT_METHOD, JsonObject, Progress
from image_search_service.db.models import GroupingProposal
from image_search_service.db.queries import events, library, proposals
from image_search_service.db.session import Session
from image_search_service.faces.grouper import FaceGrouper, apply_proposal
from image_search_service.library.stores import Stores

CHOICE: Final[JsonObject] = {"method": DEFAULT_METHOD, "min_cluster_size": 2}
"""What is grouped with unless somebody chose otherwise."""


class GroupingProposals:
    """Computes, shows, applies and drops the one proposal of a library."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def propose(
        self,
        *,
        method: str = DEFAULT_METHOD,
        min_cluster_size: int = 2,
        progress: Progress | None = None,
    ) -> ProposalRecord:
        """See ``FaceGrouper.propose``."""
        return FaceGrouper(self._stores).propose(
            method=method, min_cluster_size=min_cluster_size, progress=progress
        )

    def is_due(self) -> bool:
        """Whether faces were grouped by what they resemble only since all were compared, and no proposal that
        still holds waits."""
        with self._stores.database.read() as session:
            row, proposal = library.get_library(session), proposals.read_proposal(session)
        return row is not None and row.grown and (proposal is None or proposal.is_stale)

    def waiting(self) -> ProposalRecord | None:
        """The proposal that waits, None if none does."""
        with self._stores.database.read() as session:
            return proposals.read_proposal(session)

    def apply(self, proposal_id: UUID) -> None:
        """Do what was proposed.

        Raises NotFoundError if this is not the proposal that waits, ConflictError if something was decided or
        grouped since it was computed.
        """
        with self._stores.database.write() as session:
            events.take_turn(session)
            row = _require(session, proposal_id)
            if proposals.is_stale(session, row):
                raise ConflictError(
                    "Something was decided or grouped since this grouping was computed.",
                    hint="Have it computed again, and look at what it would change now.",
                )
            library.set_grouped(session, library.FullGrouping(row.parameters, row.faces))
            apply_proposal(session, row)
            proposals.drop_proposal(session)

    def drop(self, proposal_id: UUID) -> None:
        """Forget the proposal. Raises NotFoundError if this is not the one that waits."""
        with self._stores.database.write() as session:
            _require(session, proposal_id)
            proposals.drop_proposal(session)


def _require(session: Session, proposal_id: UUID) -> GroupingProposal:
    row = proposals.proposal_row(session)
    if row is None or row.id != proposal_id:
        raise NotFoundError(f"There is no grouping {proposal_id} that waits to be applied.")
    return row
