"""The centroids in memory are those that would be computed and stored, whoever changes what."""

from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import ANY
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import delete, select, update

from image_search_service.core.errors import DataIntegrityError, UnavailableError
from image_search_service.db.models import FaceInstance, FaceSuggestion, ImageAsset, PersonCentroid, PersonRow
from image_search_service.library.centroids_in_memory import CentroidsInMemory
from image_search_service.library.opening import Library
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.decisions.service import ReviewService
from tests.support.given_stores import with_collections
from tests.support.round_trips import round_trips
from tests.support.served import add_faces, add_person, alike, directions, store_embeddings
from tests.support.stores import STORES, library_on
from tests.support.world import World

PEOPLE, FACES_EACH, UNNAMED = 4, 3, 4


@pytest.fixture(scope="module", params=STORES)
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Some people with a few faces each, and faces of nobody."""
    with library_on(request.param, tmp_path_factory.mktemp("library")) as opened:
        with opened.database.write() as session:
            world = World(session)
            for number, look in enumerate(directions(PEOPLE)):
                person = add_person(world, f"Person {number}")
                add_faces(opened, world, alike(look, FACES_EACH, seed=number), person_id=person.id)
            add_faces(opened, world, directions(UNNAMED, seed=9))
        yield opened


def ids(library: Library) -> tuple[list[UUID], list[UUID]]:
    with library.database.read() as session:
        faces = list(session.scalars(select(FaceInstance.id).order_by(FaceInstance.id)))
        people = list(session.scalars(select(PersonRow.id).where(~PersonRow.deleted).order_by(PersonRow.id)))
    return faces, people


def change(library: Library, kind: str, face: UUID, person: UUID, other: UUID) -> None:
    """Change something in one of the ways that a library is changed: by decisions, jobs or statements."""
    review = ReviewService(library.database, "test")
    with library.database.read() as session:
        owner = session.scalars(select(FaceInstance.person_id).where(FaceInstance.id == face)).one()
    match kind:
        case "assign":
            review.assign_faces([face], person)
        case "unassign" if owner is not None:
            review.unassign_faces([face])
        case "not_a_face":
            review.not_a_face([face])
        case "hide":
            review.set_hidden(person, hidden=True)
        case "merge" if person != other:
            review.merge_persons([other], person)
        case "undo":
            undone = review.assign_faces([face], person).id
            if undone is not None:
                review.undo(undone)
        case "replace":
            with library.database.write() as session:
                photo = select(FaceInstance.asset_id).where(FaceInstance.id == face).scalar_subquery()
                session.execute(
                    update(ImageAsset).where(ImageAsset.id == photo).values(replaced=~ImageAsset.replaced)
                )
        case "remove" if owner is not None:
            with library.database.write() as session:
                session.execute(delete(FaceSuggestion).where(FaceSuggestion.face_instance_id == face))
                session.execute(update(FaceInstance).where(FaceInstance.id == face).values(person_id=None))
        case "store":
            CentroidService(library.stores).compute_centroids([person])


KINDS = ("assign", "unassign", "not_a_face", "hide", "merge", "undo", "replace", "remove", "store")
CHANGES = st.lists(
    st.tuples(st.sampled_from(KINDS), *(st.integers(0, 99) for _ in range(3))), min_size=1, max_size=4
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES)
def test_they_are_what_would_be_stored(library: Library, changes: list[tuple[str, int, int, int]]) -> None:
    """After any changes, an array that has seen all of them and one that has seen none are what is stored."""
    kept = library.stores.centroids_in_memory
    for kind, *numbers in changes:
        faces, people = ids(library)
        face, person, other = numbers
        if len(people) > 2:
            one, another = people[person % len(people)], people[other % len(people)]
            change(library, kind, faces[face % len(faces)], one, another)
        kept.now()
    new = CentroidsInMemory(library.database, library.collections)
    without_storing = kept.now(), new.now()
    CentroidService(library.stores).compute_centroids()
    stored = CentroidService(library.stores).active_centroids()
    for matrix in (*without_storing, kept.now()):
        assert matrix.person_ids == stored.person_ids
        assert np.allclose(matrix.matrix, stored.matrix, atol=1e-5)


def test_only_what_changed_is_read(library: Library) -> None:
    """The same again costs one statement; one more face costs its person's faces, and stores nothing."""
    kept = library.stores.centroids_in_memory
    kept.now()
    with round_trips(library.database.engine) as again:
        kept.now()
    assert (again.requests, [one for one in again.sql if one != "BEGIN"]) == (0, [ANY])
    with library.database.write() as session:
        changed = add_faces(library, World(session), directions(1, seed=77))[0]
        session.execute(
            update(FaceInstance)
            .where(FaceInstance.id == changed.id)
            .values(person_id=select(PersonRow.id).where(~PersonRow.deleted).limit(1).scalar_subquery())
        )
    with library.database.read() as session:
        before = set(session.scalars(select(PersonCentroid.id)))
    with round_trips(library.database.engine) as once:
        kept.now()
    assert once.requests <= 2
    with library.database.read() as session:
        assert set(session.scalars(select(PersonCentroid.id))) == before


class AwayFaces:
    """A collection that does not answer."""

    def get_embeddings_by_point_ids(self, *_: object) -> None:
        raise UnavailableError("Qdrant does not answer.")


def test_an_outage_leaves_what_is_there(library: Library) -> None:
    """Without Qdrant a change cannot be followed, which is an error; nothing is made of a part."""
    away = with_collections(library.stores, faces=AwayFaces()).centroids_in_memory
    CentroidService(library.stores).compute_centroids()
    whole = away.now()
    with library.database.write() as session:
        face = add_faces(library, World(session), directions(1, seed=78))[0]
        face.person_id = whole.person_ids[0]
    with pytest.raises(UnavailableError):
        away.now()
    assert len(library.stores.centroids_in_memory.now().person_ids) == len(whole.person_ids)


def test_who_is_in_replaced_photos_only_has_no_centroid(library: Library) -> None:
    """And Qdrant is not asked for the embeddings of no faces."""
    with library.database.write() as session:
        world = World(session)
        person = add_person(world, "Replaced").id
        face = add_faces(library, world, directions(1, seed=80), person_id=person)[0]
        session.execute(update(ImageAsset).where(ImageAsset.id == face.asset_id).values(replaced=True))
    CentroidService(library.stores).compute_centroids()
    away = with_collections(library.stores, faces=AwayFaces()).centroids_in_memory
    assert person not in away.now().person_ids


def test_a_lost_centroid_is_an_error(library: Library) -> None:
    """A stored centroid without its point is not somebody without a centroid."""
    CentroidService(library.stores).compute_centroids()
    with library.database.read() as session:
        stored = session.scalars(
            select(PersonCentroid.id)
            .join(PersonRow, PersonRow.id == PersonCentroid.person_id)
            .where(PersonCentroid.state == "active", ~PersonRow.deleted)
        ).all()
    library.centroids.delete_centroids(stored[:1])
    with pytest.raises(DataIntegrityError, match="did not give 1"):
        CentroidsInMemory(library.database, library.collections).now()
    CentroidService(library.stores).compute_centroids(force=True)


def test_a_face_without_embedding_is_looked_for_again(library: Library) -> None:
    """A centroid of a part of the faces is not kept, so that the face counts once its embedding is back."""
    with library.database.write() as session:
        world = World(session)
        owner = add_person(world, "Half").id
        add_faces(library, world, directions(1, seed=81), person_id=owner)
        face = add_faces(library, world, directions(1, seed=79), person_id=owner)[0]
        point = face.qdrant_point_id
    library.faces.delete_faces([point])
    kept = library.stores.centroids_in_memory
    before = kept.of(owner)
    store_embeddings(library, [face], directions(1, seed=79))
    after = kept.of(owner)
    assert before is not None
    assert after is not None
    assert not np.allclose(before, after, atol=1e-5)
