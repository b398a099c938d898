"""Assigning: the same as one by one, never against a human's word, nobody twice in a photo."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import select

from benchmarks.before import get_embedding_by_point_id, get_embeddings_one_by_one
from image_search_service.core.config import Settings
from image_search_service.core.types import FloatArray
from image_search_service.db.models import ClusterRow, FaceInstance, FaceSuggestion, PersonRow, utc_now
from image_search_service.faces.assigner import AssignmentRun, FaceAssigner, decide
from image_search_service.library.opening import Library, open_library
from image_search_service.recognition.centroid import trimmed_centroid
from image_search_service.recognition.matching import match_faces
from image_search_service.recognition.thresholds import Thresholds
from image_search_service.services.centroid_service import CentroidService
from tests.support.served import add_faces, add_person, alike, bind, directions, no_bar
from tests.support.stores import STORES, library_on
from tests.support.world import World

LOOKS = directions(4, seed=5)
THRESHOLDS = Thresholds(same_person=0.4, assign=0.6, suggest=0.3, neighbour=0.5)


@pytest.fixture(params=STORES)
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Library]:
    """A library of the synthetic engine with Ada and Grace, who have eight faces each."""
    with library_on(request.param, tmp_path) as opened:
        with opened.database.write() as session:
            world = World(session)
            for number, name in enumerate(("Ada", "Grace")):
                person = add_person(world, name)
                faces = alike(LOOKS[number], 8, seed=number)
                add_faces(opened, world, faces, person_id=person.id, assigned_by="human")
        yield opened


def person(library: Library, name: str) -> UUID:
    with library.database.read() as session:
        return session.scalars(select(PersonRow.id).where(PersonRow.name == name)).one()


def add(library: Library, embeddings: FloatArray, **columns: Any) -> list[UUID]:
    """Faces of these embeddings, each in a photo of its own, as they are when indexed."""
    with library.database.write() as session:
        return [face.id for face in add_faces(library, World(session), embeddings, **columns)]


def assigned(library: Library, face_ids: list[UUID]) -> list[str | None]:
    """Whose each face is, by name, and ``!`` where the machine says so."""
    with library.database.read() as session:
        rows = session.execute(
            select(FaceInstance.id, PersonRow.name, FaceInstance.assigned_by)
            .outerjoin(PersonRow, PersonRow.id == FaceInstance.person_id)
            .where(FaceInstance.id.in_(face_ids))
        )
        found = {row[0]: row[1] + ("!" if row[2] == "machine" else "") if row[1] else None for row in rows}
    return [found[face_id] for face_id in face_ids]


def suggestions(library: Library) -> list[FaceSuggestion]:
    with library.database.read() as session:
        return list(session.scalars(select(FaceSuggestion).order_by(FaceSuggestion.confidence)))


def run(library: Library, **options: Any) -> AssignmentRun:
    return FaceAssigner(library.stores, CentroidService(library.stores)).assign_new_faces(**options)


def between(direction: FloatArray, similarity: float) -> FloatArray:
    """``(1, d)``: a unit vector of this similarity to a direction, and of none to the looks."""
    others = np.linalg.qr(np.vstack([direction, LOOKS, directions(1, seed=99)]).T)[0].T[-1]
    row = similarity * direction + np.sqrt(1 - similarity**2) * others
    unit: FloatArray = row.astype(np.float32)[None]
    return unit


def assigned_one_by_one(library: Library, face_ids: list[UUID]) -> dict[UUID, UUID]:
    """Who each face is given to when every embedding is fetched and compared by itself."""
    client, collection = library.faces.client, library.faces.collection_name
    with library.database.read() as session:
        named = session.execute(
            select(FaceInstance.person_id, FaceInstance.id).where(FaceInstance.person_id.is_not(None))
        ).all()
    centroids = {}
    for person_id in {row[0] for row in named if row[0] is not None}:
        ids = [row[1] for row in named if row[0] == person_id]
        rows = list(get_embeddings_one_by_one(client, collection, ids).values())
        centroids[person_id] = trimmed_centroid(np.array(rows, dtype=np.float32)).vector
    given = {}
    for face_id in face_ids:
        embedding = np.array(get_embedding_by_point_id(client, collection, face_id))
        scores = sorted(((float(embedding @ mean), one) for one, mean in centroids.items()), reverse=True)
        limits = library.stores.thresholds
        if scores[0][0] >= limits.assign_to_centroid and scores[0][0] - scores[1][0] >= limits.margin:
            given[face_id] = scores[0][1]
    return given


def test_assignments_identical_before_and_after(library: Library) -> None:
    """The faces that are given away, and to whom, are those of a loop over single embeddings."""
    faces = add(library, np.vstack([alike(look, 10, seed=20 + n) for n, look in enumerate(LOOKS)]))
    before = assigned_one_by_one(library, faces)
    did = run(library)
    with library.database.read() as session:
        rows = session.execute(
            select(FaceInstance.id, FaceInstance.person_id).where(FaceInstance.assigned_by == "machine")
        )
        after = {row[0]: row[1] for row in rows}
    assert after == before
    assert (did.faces, did.persons, did.assigned) == (40, 2, len(before))
    assert 15 <= len(before) <= 20


def test_it_reaches_qdrant(library: Library) -> None:
    """What is assigned is due to be told to Qdrant, as any change of a face's person."""
    (face,) = add(library, LOOKS[:1])
    run(library)
    library.payload_sender.send()
    page = next(library.faces.scroll_faces())
    assert page.payloads[face].person_id == person(library, "Ada")


def test_a_human_is_never_overruled(library: Library) -> None:
    """A face that a human gave to somebody stays there, whoever it resembles; nothing is suggested for it."""
    (face,) = add(library, LOOKS[:1], person_id=person(library, "Grace"), assigned_by="human")
    run(library)
    assert assigned(library, [face]) == ["Grace"]
    assert suggestions(library) == []


def test_a_rejected_pair_never_comes_back(library: Library) -> None:
    """A face that was rejected for a person is neither given to them nor suggested again."""
    (face,) = add(library, LOOKS[:1])
    with library.database.write() as session:
        session.add(
            FaceSuggestion(
                face_instance_id=face, person_id=person(library, "Ada"), state="rejected", confidence=0.9,
                source="prototype", evidence=[],
            )
        )  # fmt: skip
    did = run(library)
    assert assigned(library, [face]) == [None]
    assert (did.assigned, did.suggested) == (0, 0)


def test_nobody_is_twice_in_a_photo(library: Library) -> None:
    """Of two faces of a photo the more similar one is given to the person; the next run changes nothing."""
    with library.database.write() as session:
        world = World(session)
        rows = add_faces(library, world, np.vstack([between(LOOKS[0], 0.95), LOOKS[:1]]))
        rows[1].asset_id, rows[1].position = rows[0].asset_id, 1
        faces = [row.id for row in rows]
    for _ in range(2):
        run(library)
        assert assigned(library, faces) == [None, "Ada!"]


def test_what_is_not_sure_becomes_a_suggestion(library: Library) -> None:
    """Between showing and assigning a suggestion waits, with its centroid as evidence, remembered once."""
    ada = person(library, "Ada")
    people = FaceAssigner(library.stores, CentroidService(library.stores)).compute_person_centroids()
    look = people.matrix[people.person_ids.index(ada)]
    limits = library.stores.thresholds
    likely = (limits.assign + limits.assign_to_centroid) / 2
    (face,) = add(library, between(look, likely))
    assert (run(library).suggested, run(library).updated) == (1, 1)
    (one,) = suggestions(library)
    assert (one.face_instance_id, one.person_id, one.source, one.state) == (
        face,
        ada,
        "assignment",
        "pending",
    )
    assert one.confidence == pytest.approx(likely, abs=1e-3)
    centroid = people.centroid_ids[people.person_ids.index(ada)]
    assert one.evidence == [{"centroid_id": str(centroid), "similarity": one.confidence}]
    assert assigned(library, [face]) == [None]


def test_who_cannot_be_told_apart_is_left_alone(library: Library) -> None:
    """A face that cannot be told from others is compared with nobody; nor is one without an embedding."""
    blurred, lost = add(library, np.repeat(LOOKS[:1], 2, axis=0))
    with library.database.write() as session:
        session.get_one(FaceInstance, blurred).recognizable = False
    library.faces.delete_faces([lost])
    did = run(library)
    assert assigned(library, [blurred, lost]) == [None, None]
    assert (did.faces, did.embeddings_missing) == (1, 1)


def test_clusters_lose_what_is_assigned(library: Library) -> None:
    """A cluster that loses faces is counted again, with one of its own to stand for it; an empty one goes."""
    known = add(library, alike(LOOKS[0], 3, spread=0.1))
    other = add(library, LOOKS[2:4])
    whole = add(library, alike(LOOKS[1], 2, spread=0.1))
    with library.database.write() as session:
        world = World(session)
        mixed = world.cluster([session.get_one(FaceInstance, one) for one in [*known, *other]]).id
        world.cluster([session.get_one(FaceInstance, one) for one in whole])
    run(library)
    assert assigned(library, [*known, *other, *whole]) == ["Ada!"] * 3 + [None] * 2 + ["Grace!"] * 2
    with library.database.read() as session:
        (left,) = session.scalars(select(ClusterRow))
    assert (left.id, left.size) == (mixed, 2)
    assert left.representative_face_id in other


def test_only_what_was_found_since(library: Library) -> None:
    """With a moment given, faces that were found before it are not looked at."""
    faces = add(library, LOOKS[:2])
    with library.database.write() as session:
        session.get_one(FaceInstance, faces[0]).created_at = utc_now() - timedelta(days=9)
    assert run(library, since=utc_now() - timedelta(days=1)).faces == 1
    assert assigned(library, faces) == [None, "Grace!"]


def test_nobody_is_known(tmp_path: Path) -> None:
    """Without a person nothing is fetched and nothing decided."""
    settings = Settings(library=tmp_path / "empty", engine="synthetic", offline=True, workers=1)
    with open_library(settings, lambda _: None, no_bar) as opened:
        bind(opened)
        add(opened, LOOKS)
        assert run(opened) == AssignmentRun()


def test_too_close_to_another_person_is_not_sure() -> None:
    """A face that resembles two people almost equally is shown, not given to one of them."""
    one, twin = np.eye(3, dtype=np.float32)[:2]
    face = ((one + 0.99 * twin) / np.linalg.norm(one + 0.99 * twin))[None]
    found = match_faces(face.astype(np.float32), np.vstack([one, twin]))
    decision = decide(found, np.zeros(1, np.int64), np.ones(1, np.bool_), THRESHOLDS, 0.3)
    assert decision.person.tolist() == [0]
    assert not decision.assign.any()
    assert decision.suggest.all()
