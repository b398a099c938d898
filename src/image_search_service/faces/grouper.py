"""Groups faces without a person into clusters: load, decide, save.

``group`` compares all of them. ``grow`` puts new ones to what is there: it compares them with the faces that
they resemble and with the rest of these faces' clusters, and leaves every other cluster alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from image_search_service.core.errors import LostEmbeddingsError
from image_search_service.core.parallel import chunks
from image_search_service.core.records.grouping import ProposalRecord
from image_search_service.core.types import DEFAULT_METHOD, JsonObject, Progress
from image_search_service.db.models import GroupingProposal
from image_search_service.db.queries import (
    clusters,
    differences,
    face_moves,
    faces,
    grouping,
    library,
    proposals,
)
from image_search_service.db.queries.batches import BATCH
from image_search_service.db.queries.differences import Side
from image_search_service.db.queries.faces import GroupableFace
from image_search_service.db.session import Session
from image_search_service.faces.grouping_change import count_changes, largest_changes
from image_search_service.faces.grouping_plan import (
    ClusterOf,
    ComparedFaces,
    GroupingPlan,
    photo_codes,
    plan_grouping,
)
from image_search_service.faces.reached import reached_faces
from image_search_service.library.stores import Stores
from image_search_service.recognition.clustering.clustering import (
    Clustering,
    ClusteringParameters,
    cluster_embeddings,
)
from image_search_service.vector.batching import FETCH_BATCH

SEARCHED = 1 / 8
"""Of all unnamed faces at most this share is searched for as new; for more, comparing all with all costs
less (docs/performance.md, "Grouping grows")."""
SHOWN_CHANGES = 30
"""Changes of a proposal that are kept to be shown."""
GROWTH = 2
"""When there are so many times the faces that were there when all were compared, all are compared again: the
similarity that makes neighbours rises with their number, and is applied to what new faces touch."""


@dataclass(frozen=True, slots=True)
class GroupingResult:
    """The result of a grouping. faces: those compared; noise_faces: of these, faces in no cluster."""

    faces: int
    clusters: int
    noise_faces: int
    seconds: float
    parameters: ClusteringParameters


@dataclass(frozen=True, slots=True)
class _Part:
    """The faces to compare, and how to read them, and the sides of differences, when the result is saved."""

    faces: Sequence[GroupableFace]
    parameters: ClusteringParameters
    read_again: Callable[[Session], list[GroupableFace]]
    read_sides: Callable[[Session], list[Side]]
    is_all: bool

    @property
    def full_grouping(self) -> library.FullGrouping | None:
        return library.FullGrouping(_choice(self.parameters), len(self.faces)) if self.is_all else None


class FaceGrouper:
    """Groups the faces without a name into clusters."""

    def __init__(self, stores: Stores) -> None:
        self._database = stores.database
        self._vectors = stores.faces
        self._thresholds = stores.thresholds
        self._memory = stores.settings.grouping_memory

    def check(self, method: str, min_cluster_size: int) -> None:
        """Raises InvalidInputError for what ``group`` would not accept."""
        self._parameters(0, method, min_cluster_size)

    def group(
        self,
        *,
        method: str = DEFAULT_METHOD,
        min_cluster_size: int = 2,
        progress: Progress | None = None,
    ) -> GroupingResult:
        """Cluster all unnamed faces again; a cluster with essentially the same faces keeps its id.

        A face whose embedding Qdrant lacks stays in its cluster. Raises InvalidInputError for an unknown
        method or a size below 2, UnavailableError when the embeddings cannot all be read, LostEmbeddingsError
        when Qdrant lacks most of them: nothing is changed then.
        """
        return self._compare(self._all(method, min_cluster_size), progress)

    def grow(
        self,
        *,
        method: str = DEFAULT_METHOD,
        min_cluster_size: int = 2,
        progress: Progress | None = None,
    ) -> GroupingResult:
        """Cluster the faces that no grouping has compared yet, together with what they resemble.

        Clusters that no new face reaches stay as they are. What it reaches is clustered as ``group`` would,
        with the similarity for the number of all unnamed faces. Where there are too many new faces for that
        (``SEARCHED``, ``GROWTH``), all are clustered. Raises what ``group`` raises.
        """
        with self._database.read() as session:
            new, unnamed = grouping.ungrouped_faces(session), faces.count_unnamed(session)
            row = library.get_library(session)
            compared = 0 if row is None else row.faces_at_full_grouping
        if len(new) > SEARCHED * unnamed or unnamed >= GROWTH * compared:
            return self.group(method=method, min_cluster_size=min_cluster_size, progress=progress)
        parameters = self._parameters(unnamed, method, min_cluster_size)
        reached = reached_faces(self._database, self._vectors, new, parameters)
        ids = [face.id for face in reached]
        part = _Part(
            reached,
            parameters,
            lambda session: grouping.groupable_among(session, ids),
            lambda session: differences.sides_with(session, ids),
            False,
        )
        return self._compare(part, progress)

    def propose(
        self,
        *,
        method: str = DEFAULT_METHOD,
        min_cluster_size: int = 2,
        progress: Progress | None = None,
    ) -> ProposalRecord:
        """Compute what ``group`` would do, and store it instead of doing it. Raises what ``group`` raises."""
        part = self._all(method, min_cluster_size)
        compared = self._embedded(part.faces)
        clustering = self._cluster(part, compared, progress)
        with self._database.write() as session:
            state = proposals.current_state(session)
            now, sides = part.read_again(session), part.read_sides(session)
            plan = plan_grouping(compared, clustering, part.parameters, now, sides)
            proposals.replace_proposal(session, _proposal(part, now, plan, state))
            stored = proposals.read_proposal(session)
        assert stored is not None  # noqa: S101 - it was stored in this transaction
        return stored

    def _all(self, method: str, min_cluster_size: int) -> _Part:
        self.check(method, min_cluster_size)
        with self._database.read() as session:
            unnamed = faces.groupable_faces(session)
        parameters = self._parameters(len(unnamed), method, min_cluster_size)
        return _Part(unnamed, parameters, faces.groupable_faces, differences.sides_without_person, True)

    def _parameters(self, faces: int, method: str, min_cluster_size: int) -> ClusteringParameters:
        return ClusteringParameters.for_engine(self._thresholds, faces, method, min_cluster_size)

    def _compare(self, part: _Part, progress: Progress | None) -> GroupingResult:
        started = time.monotonic()
        compared = self._embedded(part.faces)
        clustering = self._cluster(part, compared, progress)
        with self._database.write() as session:
            # The library's row is written first: of two groupings at once, the second waits here and then
            # sees the first one's clusters.
            library.set_grouped(session, part.full_grouping, grown=bool(part.faces))
            now, sides = part.read_again(session), part.read_sides(session)
            plan = plan_grouping(compared, clustering, part.parameters, now, sides)
            _save(session, part, compared, now, plan)
        return GroupingResult(
            faces=len(part.faces),
            clusters=len(plan.clusters),
            noise_faces=len(part.faces) - len(compared.faces) + plan.noise,
            seconds=time.monotonic() - started,
            parameters=part.parameters,
        )

    def _cluster(self, part: _Part, compared: ComparedFaces, progress: Progress | None) -> Clustering:
        photos = photo_codes(compared.faces)
        return cluster_embeddings(compared.matrix, photos, part.parameters, self._memory, progress)

    def _embedded(self, groupable: Sequence[GroupableFace]) -> ComparedFaces:
        """Those faces whose embeddings are there."""
        batch = self._vectors.get_embeddings_by_point_ids([face.point_id for face in groupable], FETCH_BATCH)
        comparable = [face for face in groupable if face.point_id in batch]
        if len(comparable) < len(groupable) / 2:
            raise LostEmbeddingsError(len(comparable), len(groupable))
        return ComparedFaces(comparable, batch.matrix)


def _save(
    session: Session, part: _Part, compared: ComparedFaces, now: Sequence[GroupableFace], plan: GroupingPlan
) -> None:
    """The clusters, the faces that move, and which faces have been compared.

    Faces found since they were read wait for the next grouping.
    """
    clusters.save_clusters(session, plan.clusters)
    face_moves.set_clusters(session, plan.moves, compared=True)
    grouping.mark_grouped(
        session, [face.id for face in part.faces if not face.grouped and face.id not in plan.moves]
    )
    former = {face.id: face.cluster_id for face in now}
    _keep_without_embedding(session, former, compared.faces)
    if part.is_all:
        clusters.delete_empty_clusters(session)
        has_new = not former.keys() <= {face.id for face in part.faces}
    else:
        now_in = {row["id"] for row in plan.clusters}
        clusters.mend_clusters(session, now_in | {cluster for cluster in former.values() if cluster})
        has_new = grouping.has_ungrouped(session)
    if has_new:
        library.set_grouping_stale(session)


def _keep_without_embedding(session: Session, now: ClusterOf, comparable: Sequence[GroupableFace]) -> None:
    """Let faces that could not be compared stay in their clusters, unless a difference forbids it."""
    compared = {face.id for face in comparable}
    left = {face: cluster for face, cluster in now.items() if cluster is not None and face not in compared}
    if left:
        for part in chunks(sorted(left), BATCH):
            differences.leave_clusters(session, differences.faces_with_side(session, part))
        clusters.mend_clusters(session, {cluster for cluster in left.values() if cluster is not None})


def apply_proposal(session: Session, row: GroupingProposal) -> None:
    """Save what was proposed. The caller has made sure that it still holds."""
    clusters.save_clusters(session, proposals.clusters_of(row))
    face_moves.set_clusters(session, proposals.moves_of(row))
    clusters.delete_empty_clusters(session)
    if grouping.has_ungrouped(session):
        library.set_grouping_stale(session)


def _proposal(
    part: _Part, now: Sequence[GroupableFace], plan: GroupingPlan, state: proposals.State
) -> GroupingProposal:
    before = {face.id: face.cluster_id for face in now}
    after = before | plan.moves
    changes = largest_changes(before, after, SHOWN_CHANGES)
    return proposals.new_row(
        state,
        faces=len(part.faces),
        parameters=_choice(part.parameters),
        clusters=plan.clusters,
        moves=plan.moves,
        counts=count_changes(before, after),
        changes=changes,
    )


def _choice(parameters: ClusteringParameters) -> JsonObject:
    """The parameters stored for the next run; the others follow from the engine."""
    return {"method": parameters.method, "min_cluster_size": parameters.min_cluster_size}
