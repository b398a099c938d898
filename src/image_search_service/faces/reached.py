"""The faces that new ones reach: those that they resemble, and all in the clusters of these."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from uuid import UUID

from image_search_service.db.queries import grouping
from image_search_service.db.queries.faces import GroupableFace
from image_search_service.db.session import Database
from image_search_service.recognition.clustering.clustering import ClusteringParameters
from image_search_service.vector.batching import FETCH_BATCH
from image_search_service.vector.collections import UNNAMED_FACES, FaceMatch
from image_search_service.vector.face_qdrant import FaceQdrantClient

FOUND = 2
"""So many times the neighbours of a face are searched for, since some cannot be any: faces of the same photo,
and those that were named or set aside while Qdrant was not told."""


def reached_faces(
    database: Database,
    vectors: FaceQdrantClient,
    new: Sequence[GroupableFace],
    parameters: ClusteringParameters,
) -> list[GroupableFace]:
    """New faces, their neighbours, and the other faces of the clusters of both, in the order of their ids.

    Costs a request for every hundred new faces, and a statement for every ``BATCH`` of faces found and of
    their clusters. Raises UnavailableError.
    """
    batch = vectors.get_embeddings_by_point_ids([face.point_id for face in new], FETCH_BATCH)
    comparable = [face for face in new if face.point_id in batch]
    found = vectors.search_many(
        batch.matrix, FOUND * parameters.neighbours, parameters.neighbour, UNNAMED_FACES
    )
    with database.read() as session:
        matched = {match.payload.face_instance_id for matches in found for match in matches}
        groupable = {face.id: face for face in grouping.groupable_among(session, matched)}
        near = {
            face_id
            for face, matches in zip(comparable, found, strict=True)
            for face_id in islice(_of_other_photos(face, matches, groupable), parameters.neighbours)
        }
        reached = {face.id: face for face in new} | {face_id: groupable[face_id] for face_id in near}
        clusters = {face.cluster_id for face in reached.values() if face.cluster_id is not None}
        reached |= {face.id: face for face in grouping.groupable_in_clusters(session, clusters)}
    return [reached[face_id] for face_id in sorted(reached)]


def _of_other_photos(
    face: GroupableFace, matches: Sequence[FaceMatch], groupable: dict[UUID, GroupableFace]
) -> Iterator[UUID]:
    """The faces found that may be put together with one, the most similar first."""
    for match in matches:
        other = groupable.get(match.payload.face_instance_id)
        if other is not None and other.asset_id != face.asset_id:
            yield other.id
