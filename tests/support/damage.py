"""Damages a library in every way that the doctor knows, past all that would prevent it."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import qdrant_edge as edge
from qdrant_client import models as qdrant
from sqlalchemy import select

from image_search_service.db.models import FaceInstance, PersonCentroid, PersonRow
from image_search_service.db.queries import face_moves
from image_search_service.db.queries.suggestions.centroids import ACTIVE
from image_search_service.library.opening import Library
from image_search_service.services.doctor.findings import DoctorReport
from image_search_service.vector.centroid_qdrant import CentroidPoint
from image_search_service.vector.collections import FacePayload, FacePoint
from image_search_service.vector.embedded import EmbeddedQdrant
from tests.support.served import directions

Damage = Callable[[Library], dict[str, int]]
"""Damages a library and says what is to be found, by kind."""


def found(report: DoctorReport) -> dict[str, int]:
    return {finding.kind.value: finding.found for finding in report.shown}


def repaired(report: DoctorReport) -> dict[str, int]:
    return {finding.kind.value: finding.repaired for finding in report.shown}


def all_faces(library: Library) -> list[FaceInstance]:
    with library.database.read() as session:
        return list(session.scalars(select(FaceInstance).order_by(FaceInstance.id)))


def points_of(faces: Sequence[FaceInstance]) -> list[UUID]:
    return [face.qdrant_point_id for face in faces]


def raw(engine: EmbeddedQdrant, collection: str, operation: edge.UpdateOperation) -> None:
    """Past everything that checks: what another program, or a bug, could write."""
    engine._shards.shard(collection).engine.update(operation)


def tables_wrong(library: Library) -> dict[str, int]:
    """A face taken from its person, and somebody's name written over, past every decision."""
    with library.database.write() as session:
        face = session.scalars(select(FaceInstance).where(FaceInstance.person_id.is_not(None))).first()
        assert face is not None
        person = session.get_one(PersonRow, face.person_id)
        face.person_id = face.assigned_by = None
        person.name, person.name_key = "Another", "another"
    return {"not_as_decided": 2, "wrong_payload": 1, "stale_centroid": 1}


def points_gone(library: Library) -> dict[str, int]:
    faces = all_faces(library)[::7]
    library.faces.delete_faces(points_of(faces))
    return {"face_without_point": len(faces)}


def collection_gone(library: Library) -> dict[str, int]:
    library.faces.client.delete_collection(library.faces.collection_name)
    return {"face_without_point": len(all_faces(library))}


def embeddings_unusable(library: Library) -> dict[str, int]:
    """One of NaN, one of length zero, one that is not there."""
    engine = cast("EmbeddedQdrant", library.faces.client)
    return embeddings_unusable_in(engine, library)


def embeddings_unusable_in(engine: EmbeddedQdrant, library: Library) -> dict[str, int]:
    """The same where ``engine`` stands behind a server."""
    name, dimension = library.faces.collection_name, library.faces.dimension
    nan, zero, none = all_faces(library)[:3]
    for face, value in ((nan, float("nan")), (zero, 0.0)):
        vector = edge.PointVectors(str(face.qdrant_point_id), [value] * dimension)
        raw(engine, name, edge.UpdateOperation.update_vectors([vector]))
    raw(engine, name, edge.UpdateOperation.delete_vectors([str(none.qdrant_point_id)], [""]))
    return {"face_without_embedding": 3}


def stray_points(library: Library) -> dict[str, int]:
    """Of ids before, between and after those of faces, and of whole numbers; one without any payload."""
    ids = [UUID(int=1), uuid.uuid4(), UUID(int=2**128 - 1)]
    rows = directions(len(ids) + 2)
    library.faces.upsert_faces(
        FacePoint(point_id, row, FacePayload(point_id, point_id))
        for point_id, row in zip(ids, rows, strict=False)
    )
    numbers = [qdrant.PointStruct(id=n, vector=row.tolist()) for n, row in zip((0, 7), rows[3:], strict=True)]
    library.faces.client.upsert(library.faces.collection_name, numbers)
    return {"point_without_face": 5}


def payloads_wrong(library: Library) -> dict[str, int]:
    """Another person, none, one key too many, a number for an id, another score, nothing at all."""
    named = [face for face in all_faces(library) if face.person_id is not None]
    others = [face for face in all_faces(library) if face.person_id is None]
    more: list[dict[str, Any]] = [
        {"person_id": str(uuid.uuid4())},
        {"more": 1},
        {"asset_id": 7},
        {"quality_score": 2.0},
    ]
    changes: list[qdrant.UpdateOperation] = [
        qdrant.SetPayloadOperation(
            set_payload=qdrant.SetPayload(payload=payload, points=[str(face.qdrant_point_id)])
        )
        for face, payload in zip(others, more, strict=False)
    ]
    nothing = qdrant.SetPayload(payload={}, points=[str(others[-1].qdrant_point_id)])
    nobody = qdrant.DeletePayload(keys=["person_id"], points=[str(named[0].qdrant_point_id)])
    changes += [
        qdrant.OverwritePayloadOperation(overwrite_payload=nothing),
        qdrant.DeletePayloadOperation(delete_payload=nobody),
    ]
    library.faces.client.batch_update_points(library.faces.collection_name, changes)
    return {"wrong_payload": 6}


def faces_of_another_dimension(library: Library) -> dict[str, int]:
    recreate(library, library.faces.collection_name)
    return {"wrong_collection": 1}


def centroids_of_another_dimension(library: Library) -> dict[str, int]:
    recreate(library, library.centroids.collection_name)
    return {"wrong_collection": 1}


def recreate(library: Library, name: str) -> None:
    client = library.faces.client
    client.delete_collection(name)
    client.create_collection(name, qdrant.VectorParams(size=3, distance=qdrant.Distance.COSINE))
    client.upsert(name, [qdrant.PointStruct(id=str(uuid.uuid4()), vector=[1.0, 0.0, 0.0])])


def centroids_broken(library: Library) -> dict[str, int]:
    """One not there, one of another person, and one too many."""
    with library.database.read() as session:
        active = select(PersonCentroid).where(PersonCentroid.state == ACTIVE).order_by(PersonCentroid.id)
        gone, wrong = session.scalars(active)
    a, b = directions(2)
    library.centroids.delete_centroids([gone.id])
    library.centroids.upsert_centroids(
        [CentroidPoint(wrong.id, a, gone.person_id), CentroidPoint(uuid.uuid4(), b, gone.person_id)]
    )
    return {"centroid_without_point": 1, "wrong_centroid": 1, "point_without_centroid": 1}


def centroids_stale(library: Library) -> dict[str, int]:
    """The machine gave somebody another face."""
    with library.database.write() as session:
        person_id = session.scalar(select(PersonCentroid.person_id).limit(1))
        face_id = session.scalar(select(FaceInstance.id).where(FaceInstance.person_id.is_(None)).limit(1))
        assert face_id is not None
        assert person_id is not None
        face_moves.assign_persons(session, {face_id: person_id})
    return {"stale_centroid": 1}


def pictures_gone(library: Library) -> dict[str, int]:
    """Not there, empty, and a whole folder."""
    crops, thumbnails = (sorted(root.rglob("*.jpg")) for root in roots(library))
    crops[0].unlink()
    crops[1].write_bytes(b"")
    beside = [path for path in crops if path.parent == crops[-1].parent]
    shutil.rmtree(crops[-1].parent)
    thumbnails[0].unlink()
    return {"missing_crop": 2 + len(beside), "missing_thumbnail": 1}


def pictures_of_nothing(library: Library) -> dict[str, int]:
    """Of no face or photo, half written, and in a folder where nobody looks."""
    for root in roots(library):
        whole = next(root.rglob("*.jpg"))
        for name in (f"{uuid.uuid4().hex}.jpg", f".writing-12-34-{uuid.uuid4().hex}.jpg"):
            path = root / name.removeprefix(".writing-12-34-")[:2] / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"x")
        other = "00" if whole.parent.name != "00" else "01"
        (root / other).mkdir(exist_ok=True)
        shutil.copy(whole, root / other)
    return {"orphaned_crop": 3, "orphaned_thumbnail": 3}


def larger_pictures_of_nothing(library: Library) -> dict[str, int]:
    """Of no photo or face, half written, and two of what there is, which stay."""
    with library.database.read() as session:
        face = session.scalars(select(FaceInstance)).first()
        assert face is not None
    paths = library.paths
    for path in (paths.picture(face.asset_id, 640), paths.large_crop(face.id, 512)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    gone = uuid.uuid4()
    folder = paths.picture(gone, 1600).parent
    half = folder / f".writing-12-34-{gone.hex}.jpg"
    for path in (paths.picture(gone, 640), paths.picture(gone, 1600), paths.large_crop(gone, 512), half):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    for folder in (paths.pictures, *(path for path in paths.pictures.rglob("*"))):
        folder.chmod(0o700 if folder.is_dir() else 0o600)
    return {"orphaned_picture": 4}


def rights_of_others(library: Library) -> dict[str, int]:
    """On the library's folder, on one below it and on a file, of three kinds; a link leads nowhere."""
    crop = next(library.paths.crops.rglob("*.jpg"))
    library.paths.root.chmod(0o755)
    crop.parent.chmod(0o730)
    crop.chmod(0o604)
    link = crop.parent / "link"
    link.unlink(missing_ok=True)
    link.symlink_to(Path.home())
    return {"open_to_others": 3}


def roots(library: Library) -> tuple[Path, Path]:
    return library.paths.crops, library.paths.thumbnails


DAMAGE: tuple[Damage, ...] = (
    *(points_gone, collection_gone, embeddings_unusable, stray_points, payloads_wrong),
    *(faces_of_another_dimension, centroids_of_another_dimension, centroids_broken, centroids_stale),
    *(pictures_gone, pictures_of_nothing, larger_pictures_of_nothing, rights_of_others),
)
