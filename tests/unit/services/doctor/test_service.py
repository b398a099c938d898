"""The doctor finds exactly what was damaged, mends it, and then finds nothing."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import delete, insert, select

from image_search_service.cli.output import Output
from image_search_service.core.config import Settings
from image_search_service.db.models import FaceInstance, ImageAsset, IndexRun, PersonCentroid, PersonRow
from image_search_service.db.queries import face_moves, library as library_queries
from image_search_service.library.health import library_counts
from image_search_service.library.opening import Library, open_library
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.doctor.findings import DoctorReport
from image_search_service.services.doctor.service import DoctorService
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.indexing.indexer import IndexService
from image_search_service.services.people.lookup import PeopleService
from image_search_service.vector.collections import FacePayload, FacePoint
from image_search_service.vector.face_qdrant import FaceQdrantClient
from image_search_service.vector.limits import WRITE_BATCH
from image_search_service.vector.stored_points import StoredPoint
from tests.support.copies import copy_library
from tests.support.damage import (
    DAMAGE,
    Damage,
    all_faces,
    centroids_broken,
    embeddings_unusable,
    found,
    payloads_wrong,
    pictures_gone,
    pictures_of_nothing,
    points_of,
    repaired,
    roots,
    stray_points,
    tables_wrong,
)
from tests.support.databases import depth
from tests.support.given_stores import with_collections
from tests.support.round_trips import RoundTrips, round_trips
from tests.support.served import bind, directions, no_bar
from tests.support.world import World


def opened(folder: Path, **settings: Any) -> AbstractContextManager[Library]:
    given: dict[str, Any] = {"engine": "synthetic", "offline": True, "workers": 2} | settings
    return open_library(Settings(library=folder, **given), Output(as_json=True).note, no_bar)


@pytest.fixture(scope="module")
def indexed(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An indexed library with two named people and their centroids; neither it nor its photos are changed."""
    folder = tmp_path_factory.mktemp("indexed")
    with opened(folder) as library:
        library.engine_binding.bind()
        IndexService(library.stores).index([drawn])
        FaceClusteringService(library.stores).group_if_stale()
        people = PeopleService(library.database)
        for cluster, name in zip(people.people().clusters, ("Ada", "Grace"), strict=False):
            ReviewService(library.database, "test").name_cluster(cluster.id.hex, name)
        library.payload_sender.send()
        CentroidService(library.stores).compute_centroids()
    return folder


@pytest.fixture
def library(indexed: Path, tmp_path: Path) -> Iterator[Library]:
    """A copy of it, to be damaged."""
    copy_library(indexed, tmp_path / "library")
    with opened(tmp_path / "library") as copy:
        yield copy


def examine(library: Library, *, repair: bool = False, alone: bool = True) -> DoctorReport:
    return DoctorService(library.stores, alone=alone).examine(repair=repair)


def names_and_faces(library: Library) -> set[tuple[str, UUID]]:
    with library.database.read() as session:
        pairs = select(PersonRow.name, FaceInstance.id).join(
            PersonRow, PersonRow.id == FaceInstance.person_id
        )
        return {(row[0], row[1]) for row in session.execute(pairs)}


# Finding and mending


def test_healthy_library_has_no_findings(library: Library) -> None:
    """After indexing, grouping, naming and computing, nothing is wrong, and everything was looked at."""
    report = examine(library)
    counts = library_counts(library)
    assert (found(report), report.is_healthy) == ({}, True)
    assert report.checked["faces"] == report.checked["points"] == counts.faces
    assert report.checked["centroids"] == 2
    assert report.checked["facts"] > 2
    assert report.checked["files"] == counts.faces + counts.photos


@pytest.mark.parametrize("damage", [*DAMAGE[:4], *map(depth, DAMAGE[4:])])
def test_each_damage_is_found_and_mended(library: Library, damage: Damage) -> None:
    """Exactly what was damaged is found, nothing is changed by looking, and repaired it is as it was."""
    before = library.faces.get_embeddings_by_point_ids(points_of(all_faces(library)))
    expected = damage(library)
    assert found(examine(library)) == expected
    assert found(examine(library)) == expected
    mended = examine(library, repair=True)
    assert mended.is_healthy
    assert repaired(mended).items() >= expected.items()
    assert found(examine(library)) == {}
    after = library.faces.get_embeddings_by_point_ids(before.ids)
    np.testing.assert_allclose(after.matrix, before.matrix, atol=1e-5)


def test_all_damage_at_once_is_mended_at_once(library: Library) -> None:
    """Kinds do not get into each other's way: one repair mends all."""
    for damage in (stray_points, payloads_wrong, embeddings_unusable, centroids_broken, pictures_of_nothing):
        damage(library)
    library.faces.delete_faces(points_of(all_faces(library)[10:20]))
    pictures_gone(library)
    assert not examine(library).is_healthy
    assert examine(library, repair=True).is_healthy
    assert found(examine(library)) == {}


def test_a_face_embedded_again_is_still_somebodys(library: Library) -> None:
    """The new point says whose face it is."""
    named = [face for face in all_faces(library) if face.person_id is not None]
    library.faces.delete_faces(points_of(named))
    examine(library, repair=True)
    points = library.faces.retrieve_stored(points_of(named))
    assert {point.payload["person_id"] for point in points.values()} == {str(f.person_id) for f in named}


def test_who_is_who_follows_from_the_decisions(library: Library) -> None:
    """What the tables lost of what was decided is found, put right first, and then told to Qdrant."""
    before = names_and_faces(library)
    expected = tables_wrong(library)
    assert found(examine(library)) == expected
    mended = examine(library, repair=True)
    assert mended.is_healthy
    assert repaired(mended) == {"not_as_decided": 2}  # nothing else was wrong
    assert found(examine(library)) == {}
    assert names_and_faces(library) == before


# What is not wrong


def test_what_qdrant_is_still_to_be_told_is_not_wrong(library: Library) -> None:
    """A change that is due is counted apart; repair sends it."""
    with library.database.write() as session:
        face_moves.set_clusters(session, {face.id: None for face in all_faces(library)[:9]})
    due = sum(face.payload_sent < face.payload_version for face in all_faces(library))
    report = examine(library)
    assert (found(report), report.waiting["payloads"]) == ({}, due)
    assert due > 0
    examine(library, repair=True)
    assert examine(library).waiting["payloads"] == 0


def test_an_index_run_under_way_is_left_alone(library: Library) -> None:
    """Points and pictures without rows may be getting them, unless nobody else works on the library."""
    strays = stray_points(library) | pictures_of_nothing(library)
    with library.database.write() as session:
        session.add(IndexRun())
    report = examine(library, repair=True, alone=False)
    assert found(report) == {"point_without_face": 2}  # whole numbers are no index run's
    assert (report.waiting["points"], report.waiting["files"]) == (3, 6)
    left = strays | {"point_without_face": 3}
    assert found(examine(library, repair=True)) == left
    assert found(examine(library)) == {}


def test_other_programs_files_are_left_alone(library: Library) -> None:
    """Only files that are named as this program names them are its own."""
    theirs = [root / name for root in roots(library) for name in ("Thumbs.db", "ab/notes.txt", "ab/a.jpg")]
    for path in theirs:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    assert found(examine(library, repair=True)) == {}
    assert all(path.is_file() for path in theirs)


class BusyFaces(FaceQdrantClient):
    """Faces of a library in which somebody does something after the first rows are read, before any point."""

    meanwhile: Callable[[], None]

    def scroll_stored(self, page_size: int = WRITE_BATCH) -> Iterator[StoredPoint]:
        self.meanwhile()
        yield from super().scroll_stored(page_size)


def test_what_is_done_meanwhile_is_not_wrong(library: Library) -> None:
    """Faces that are indexed and people who are named between two pages are no findings."""
    new = next(face for face in all_faces(library) if face.person_id is None and face.cluster_id is None)
    row = {column.name: getattr(new, column.name) for column in FaceInstance.__table__.columns}
    embedding = library.faces.get_embeddings_by_point_ids([new.id]).matrix[0]
    with library.database.write() as session:
        session.execute(delete(FaceInstance).where(FaceInstance.id == new.id))
    library.faces.delete_faces([new.id])

    def index_and_name() -> None:
        payload = FacePayload(new.id, new.asset_id, None, None, new.quality_score, new.detection_confidence)
        library.faces.upsert_faces([FacePoint(new.id, embedding, payload)])
        with library.database.write() as session:
            session.execute(insert(FaceInstance), [row])
        people = PeopleService(library.database)
        ReviewService(library.database, "test").name_cluster(people.people().clusters[0].id.hex, "Emmy")
        library.payload_sender.send()

    faces = BusyFaces(library.faces.client, library.faces.collection_name, library.faces.dimension)
    faces.meanwhile = index_and_name
    doctor = DoctorService(with_collections(library.stores, faces=faces))
    with round_trips() as trips:
        assert found(doctor.examine(repair=True)) == {}
    # They were suspects; names are compared; and people: their faces, all centroids, their faces again.
    assert trips.qdrant["retrieve"] == 2 + 3
    assert found(examine(library)) == {}


# What cannot be mended


def test_what_has_no_photo_stays_a_finding_with_its_reason(
    library: Library, drawn: Path, tmp_path: Path
) -> None:
    """A face whose photo is away, or was edited, cannot be embedded again; once it is back it can."""
    album = Path(shutil.copytree(drawn, tmp_path / "album"))
    with opened(tmp_path / "other") as other:
        other.engine_binding.bind()
        IndexService(other.stores).index([album])
        faces = all_faces(other)
        other.faces.delete_faces(points_of(faces))
        away = album.rename(tmp_path / "away")
        report = examine(other, repair=True)
        assert (found(report), repaired(report)) == (
            {"face_without_point": len(faces)},
            {"face_without_point": 0},
        )
        assert not report.is_healthy
        assert "The file has vanished" in report.shown[0].reasons[0]
        away.rename(album)
        for path in album.rglob("*.jpg"):
            path.write_bytes(path.read_bytes() + b"\0")
        assert "holds another photo" in " ".join(examine(other, repair=True).shown[0].reasons)
        for path in album.rglob("*.jpg"):
            path.write_bytes(path.read_bytes()[:-1])
        assert examine(other, repair=True).is_healthy


def test_a_person_of_whom_nothing_is_left_has_no_centroid(library: Library) -> None:
    """A centroid of faces that are gone is taken away, and that is well."""
    with library.database.read() as session:
        person_id = session.scalar(select(PersonCentroid.person_id).limit(1))
    theirs = [face.id for face in all_faces(library) if face.person_id == person_id]
    ReviewService(library.database, "test").unassign_faces(theirs)
    assert examine(library).is_healthy  # whoever needs the centroid computes it again
    assert found(examine(library, repair=True)) == {"stale_centroid": 1}
    assert found(examine(library)) == {}
    assert library.centroids.count() == 1


# Cost


def filled(folder: Path, faces: int) -> AbstractContextManager[Library]:
    """A library of many faces in one photo, whole but for the photo itself."""
    with opened(folder) as library:
        bind(library)
        ids = [uuid.uuid4() for _ in range(faces)]
        with library.database.write() as session:
            photo = World(session).photo("/photos/crowd.jpg")
            library_queries.finish_runs(session)
            session.execute(insert(FaceInstance), [face_row(photo, i, each) for i, each in enumerate(ids)])
        library.faces.upsert_faces(
            FacePoint(each, row, FacePayload(each, photo.id, None, None, 0.5, 0.9))
            for each, row in zip(ids, directions(faces), strict=True)
        )
        for path in [library.paths.thumbnail(photo.id), *map(library.paths.crop, ids)]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
    return opened(folder)


def face_row(photo: ImageAsset, position: int, face_id: UUID) -> dict[str, object]:
    return {
        "id": face_id,
        "qdrant_point_id": face_id,
        "asset_id": photo.id,
        "position": position,
        "box_x": 1.0,
        "box_y": 1.0,
        "box_width": 9.0,
        "box_height": 9.0,
        "landmarks": [],
        "detection_confidence": 0.9,
        "quality_score": 0.5,
        "quality_parts": {},
    }


def asked(library: Library) -> RoundTrips:
    with round_trips(library.database.engine) as trips:
        examine(library)
    trips.sql = [statement for statement in trips.sql if statement != "BEGIN"]
    return trips


def test_round_trips_follow_pages_not_faces(tmp_path: Path) -> None:
    """For n faces ⌈n ÷ 1,000⌉ scrolls and statements; a page with differences costs a fixed number more."""
    cost = {}
    for faces in (100, 1_100):
        with filled(tmp_path / str(faces), faces) as library:
            whole = asked(library)
            library.faces.delete_faces(points_of(all_faces(library)[::2]))
            stray_points(library)
            damaged = asked(library)
        cost[faces] = whole, damaged
    small, large = cost[100], cost[1_100]
    assert small[0].qdrant["scroll"] == 1 + 1  # faces and centroids
    assert large[0].qdrant["scroll"] == 2 + 1
    assert large[0].requests - small[0].requests == 1
    assert large[0].statements - small[0].statements == 1 + 1  # faces with their points, and with their crops
    assert damaged_pages(large) == 2
    assert damaged_pages(small) == 1


def damaged_pages(cost: tuple[RoundTrips, RoundTrips]) -> int:
    """How many pages were looked at again: one request and three statements each."""
    whole, damaged = cost
    assert damaged.statements - whole.statements <= 3 * damaged.qdrant["retrieve"]
    return damaged.qdrant["retrieve"]


def test_real_photos_give_the_same_embeddings_again(photos: Path, models: Path, tmp_path: Path) -> None:
    """An embedding made again from the stored box and landmarks equals the former one to 1e-5."""
    some = sorted(photos.rglob("*.jpg"))[:40:4]
    engine = {
        "engine": "onnx",
        "detector": models / "face_detection_yunet_2023mar.onnx",
        "recognizer": models / "mobilefacenet.onnx",
    }
    with opened(tmp_path / "library", **engine) as library:
        library.engine_binding.bind()
        IndexService(library.stores).index(some)
        faces = all_faces(library)
        before = library.faces.get_embeddings_by_point_ids(points_of(faces))
        assert len(before) == len(faces) >= len(some)
        library.faces.delete_faces(before.ids)
        assert found(examine(library)) == {"face_without_point": len(faces)}
        assert examine(library, repair=True).is_healthy
        after = library.faces.get_embeddings_by_point_ids(before.ids)
        np.testing.assert_allclose(after.matrix, before.matrix, atol=1e-5)
        assert found(examine(library)) == {}
