"""Suggestions: the same as one by one, remembered once, and never what was rejected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from sqlalchemy import select, update

from benchmarks.before import get_embedding_by_point_id, get_embeddings_one_by_one
from image_search_service.core.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)
from image_search_service.db.models import FaceInstance, FaceSuggestion, PersonPrototype, utc_now
from image_search_service.db.queries import face_moves, faces as face_queries
from image_search_service.library.opening import Library
from image_search_service.recognition.centroid import trimmed_centroid
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.suggestions.prototypes import PrototypeService
from image_search_service.services.suggestions.search import SuggestionService
from image_search_service.vector.collections import FaceFilter
from tests.support.given_stores import with_collections
from tests.support.served import add_faces, add_person, alike, directions
from tests.support.stores import STORES, library_on
from tests.support.world import World

METHODS = ["find_more", "find_more_multi_prototype", "find_more_centroid"]


@pytest.fixture(params=STORES)
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Library]:
    """A library of the synthetic engine without a face."""
    with library_on(request.param, tmp_path) as opened:
        yield opened


class Album:
    """Two persons with some faces each, more faces of both that nobody has named, and strangers."""

    def __init__(self, library: Library, named: int = 8, unnamed: int = 12) -> None:
        looks = directions(2, seed=5)
        with library.database.write() as session:
            world = World(session)
            people = [add_person(world, name) for name in ("Ada", "Grace")]
            self.ada, self.grace = (person.id for person in people)
            for number, look in enumerate(looks):
                add_faces(library, world, alike(look, named, seed=number), person_id=people[number].id)
            self.of_ada, self.of_grace = (
                {face.id for face in add_faces(library, world, alike(look, unnamed, seed=10 + number))}
                for number, look in enumerate(looks)
            )
            add_faces(library, world, directions(10, seed=77))


@pytest.fixture
def album(library: Library) -> Album:
    return Album(library)


def remembered(library: Library, person_id: UUID | None = None) -> dict[UUID, FaceSuggestion]:
    """What waits for a person, or all, by face."""
    with library.database.read() as session:
        rows = session.scalars(select(FaceSuggestion).where(FaceSuggestion.state == "pending"))
        return {row.face_instance_id: row for row in rows if person_id in (None, row.person_id)}


def searched_one_by_one(library: Library, sources: list[UUID]) -> dict[UUID, float]:
    """The best similarity of each face without a name, searched for with one face after the other."""
    best: dict[UUID, float] = {}
    faces = library.faces
    for source in sources:
        embedding = get_embedding_by_point_id(faces.client, faces.collection_name, source)
        assert embedding is not None
        least = library.stores.thresholds.suggest
        for match in faces.search_similar_faces(embedding, 50, least, FaceFilter(unlabeled=True)):
            best[match.point_id] = max(match.score, best.get(match.point_id, -1))
    return best


def test_find_more_identical_before_and_after(library: Library, album: Album) -> None:
    """The best faces find what they find when fetched and searched for one by one."""
    run = SuggestionService(library.stores).find_more(album.ada, prototypes=5)
    with library.database.read() as session:
        theirs = face_queries.faces_of_persons(session, [album.ada])
    best = sorted(theirs, key=lambda face: (-face.quality, face.id))[:5]
    before = searched_one_by_one(library, [face.id for face in best])
    after = remembered(library)
    assert {face_id: row.confidence for face_id, row in after.items()} == before
    assert set(after) == album.of_ada
    assert (run.persons, run.searched, run.created) == (1, 5, len(before))


def test_find_more_multi_prototype_identical_before_and_after(library: Library, album: Album) -> None:
    """All that stand for a person find what they find one by one; the evidence names them, best first."""
    SuggestionService(library.stores).find_more_multi_prototype(album.ada)
    with library.database.read() as session:
        prototypes = list(session.scalars(select(PersonPrototype.face_instance_id)))
    after = remembered(library)
    assert {one: row.confidence for one, row in after.items()} == searched_one_by_one(library, prototypes)
    for row in after.values():
        scores = [item["similarity"] for item in row.evidence]
        assert scores == sorted(scores, reverse=True)
        assert row.confidence == scores[0]
        assert {item["face_instance_id"] for item in row.evidence} <= {str(one) for one in prototypes}
        assert row.source == "multi_prototype"


def test_find_more_centroid_identical_before_and_after(library: Library, album: Album) -> None:
    """A centroid made on demand finds what one made of embeddings fetched one by one finds."""
    SuggestionService(library.stores).find_more_centroid(album.ada)
    with library.database.read() as session:
        points = [face.point_id for face in face_queries.faces_of_persons(session, [album.ada])]
    found = get_embeddings_one_by_one(library.faces.client, library.faces.collection_name, points)
    centroid = trimmed_centroid(np.array(list(found.values()), dtype=np.float32)).vector
    least = library.stores.thresholds.suggest
    before = library.faces.search_similar_faces(centroid, 50, least, FaceFilter(unlabeled=True))
    after = remembered(library)
    assert {one: row.confidence for one, row in after.items()} == pytest.approx(
        {match.point_id: match.score for match in before}, abs=2e-6
    )
    active = CentroidService(library.stores).active_centroid(album.ada)
    assert active is not None
    assert all(item["centroid_id"] == str(active.id) for row in after.values() for item in row.evidence)


@pytest.mark.parametrize("method", METHODS)
def test_many_persons_are_the_same_as_each(library: Library, album: Album, method: str) -> None:
    """Looking for all at once gives each what looking for them alone gives."""
    service = SuggestionService(library.stores)
    run = getattr(service, method)([album.ada, album.grace])
    assert run.persons == 2
    together = {(row.person_id, one): row.confidence for one, row in remembered(library).items()}
    assert set(remembered(library, album.ada)) == album.of_ada
    assert set(remembered(library, album.grace)) == album.of_grace
    with library.database.write() as session:
        session.execute(update(FaceSuggestion).values(state="expired"))
    for person_id in (album.ada, album.grace):
        getattr(service, method)(person_id)
    assert {(row.person_id, one): row.confidence for one, row in remembered(library).items()} == together


@pytest.mark.parametrize("method", METHODS)
def test_remembered_once(library: Library, album: Album, method: str) -> None:
    """Looked for again, nothing is added; looked for otherwise, the evidence grows."""
    service = SuggestionService(library.stores)
    first = getattr(service, method)(album.ada)
    ids = {row.id for row in remembered(library).values()}
    again = getattr(service, method)(album.ada)
    assert (again.created, again.updated) == (0, first.created)
    assert {row.id for row in remembered(library).values()} == ids
    for other in METHODS:
        getattr(service, other)(album.ada)
    rows = remembered(library).values()
    assert {row.id for row in rows} == ids
    for row in rows:
        assert {"centroid_id", "face_instance_id"} <= {key for item in row.evidence for key in item}
        assert row.confidence == max(item["similarity"] for item in row.evidence)


@pytest.mark.parametrize("method", METHODS)
def test_rejected_never_comes_back(library: Library, album: Album, method: str) -> None:
    """What was rejected for a person is not suggested again, and does not take the place of what may be."""
    service = SuggestionService(library.stores)
    getattr(service, method)(album.ada, limit=5)
    rejected = set(remembered(library))
    assert len(rejected) == 5
    with library.database.write() as session:
        session.execute(update(FaceSuggestion).values(state="rejected"))
    run = getattr(service, method)(album.ada, limit=5)
    assert (run.created, run.skipped_rejected) == (5, 5)
    assert not set(remembered(library)) & rejected


@pytest.mark.parametrize("method", METHODS)
def test_sql_is_the_truth(library: Library, album: Album, method: str) -> None:
    """A face assigned in SQL is skipped though Qdrant does not know yet; so is one of a photo that shows the
    person already, and one that is gone."""
    assigned, beside, gone, *rest = sorted(album.of_ada)
    with library.database.write() as session:
        face_moves.set_persons(session, {assigned: album.grace})
        photo = session.scalars(select(FaceInstance.asset_id).where(FaceInstance.id == beside)).one()
        own = session.scalars(select(FaceInstance).where(FaceInstance.person_id == album.ada)).first()
        assert own is not None
        own.asset_id, own.position = photo, 1
        session.delete(session.scalars(select(FaceInstance).where(FaceInstance.id == gone)).one())
    run = getattr(SuggestionService(library.stores), method)(album.ada)
    assert set(remembered(library)) == set(rest)
    assert (run.skipped_assigned, run.skipped_in_photo, run.skipped_gone) == (1, 1, 1)


@pytest.mark.parametrize("method", METHODS)
def test_limit_is_the_best(library: Library, album: Album, method: str) -> None:
    """With a limit the best ones are remembered, and with a higher threshold fewer."""
    service = SuggestionService(library.stores)
    getattr(service, method)(album.ada, limit=3)
    three = {one: row.confidence for one, row in remembered(library).items()}
    getattr(service, method)(album.ada)
    every = sorted((row.confidence for row in remembered(library).values()), reverse=True)
    assert sorted(three.values(), reverse=True) == every[:3]
    assert getattr(service, method)(album.grace, min_confidence=every[0] + 0.2).created == 0
    with pytest.raises(InvalidInputError, match="1 or more"):
        getattr(service, method)(album.ada, limit=0)
    with pytest.raises(NotFoundError):
        getattr(service, method)(uuid4())
    among = getattr(service, method)([album.ada, uuid4()])  # such as one who has been merged since
    assert (among.persons, among.unknown_persons) == (1, 1)


def test_a_centroid_needs_five_faces(library: Library) -> None:
    """One person with four faces is refused with a reason; among many they are counted and passed over."""
    album = Album(library, named=4)
    service = SuggestionService(library.stores)
    with pytest.raises(ConflictError, match="fewer than 5"):
        service.find_more_centroid(album.ada)
    run = service.find_more_centroid([album.ada, album.grace])
    assert (run.persons, run.too_few_faces, run.created) == (2, 2, 0)


class Away:
    """A collection of which one method cannot be reached."""

    def __init__(self, real: Any, away: str) -> None:
        self._real, self._away = real, away

    def __getattr__(self, name: str) -> Any:
        return self._refuse if name == self._away else getattr(self._real, name)

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise UnavailableError("Qdrant does not answer.")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("away", ["get_embeddings_by_point_ids", "search_many"])
def test_unavailable_changes_nothing(library: Library, album: Album, method: str, away: str) -> None:
    """When Qdrant is away nothing is remembered; run again it succeeds."""
    faces: Any = Away(library.faces, away)
    broken = SuggestionService(with_collections(library.stores, faces=faces))
    with pytest.raises(UnavailableError):
        getattr(broken, method)(album.ada)
    assert remembered(library) == {}
    assert getattr(SuggestionService(library.stores), method)(album.ada).created == len(album.of_ada)


def test_suggestions_for_a_face(library: Library, album: Album) -> None:
    """The most similar person comes first with the margin to the next; whoever was rejected is left out."""
    CentroidService(library.stores).compute_centroids()
    service = SuggestionService(library.stores)
    face_id = min(album.of_ada)
    first = service.suggestions_for_face(face_id)[0]
    assert (first.person_id, first.name) == (album.ada, "Ada")
    assert first.similarity > library.stores.thresholds.suggest
    assert first.margin is None or first.margin > 0
    service.find_more(album.ada)
    with library.database.write() as session:
        session.execute(update(FaceSuggestion).values(state="rejected"))
    assert album.ada not in {one.person_id for one in service.suggestions_for_face(face_id)}
    library.faces.delete_faces([face_id])
    assert service.suggestions_for_face(face_id) == []
    with pytest.raises(NotFoundError):
        service.suggestions_for_face(uuid4())


def states(library: Library) -> dict[str, int]:
    """How many suggestions are in each state."""
    with library.database.read() as session:
        return dict(Counter(session.scalars(select(FaceSuggestion.state))))


def test_expire_old(library: Library, album: Album) -> None:
    """What has waited too long is withdrawn and may be found again."""
    service = SuggestionService(library.stores)
    number = service.find_more(album.ada).created
    assert service.expire_old(30) == 0
    with library.database.write() as session:
        session.execute(update(FaceSuggestion).values(created_at=utc_now() - timedelta(days=31)))
    assert service.expire_old(30) == number
    assert service.find_more(album.ada).created == number
    assert states(library) == {"expired": number, "pending": number}


def test_pinned_prototypes_stay(library: Library, album: Album) -> None:
    """What a human pinned stays when prototypes are chosen anew; what is no longer theirs goes."""
    service = PrototypeService(library.stores)
    service.compute_prototypes()
    with library.database.write() as session:
        mine = list(session.scalars(select(PersonPrototype).where(PersonPrototype.person_id == album.ada)))
        pinned, lost = mine[0], mine[1]
        pinned.pinned = True
        face_moves.set_free(session, {lost.face_instance_id: None})
    assert service.compute_prototypes([album.ada]).removed >= 1
    with library.database.read() as session:
        now = {one.face_instance_id for one in session.scalars(select(PersonPrototype))}
    assert pinned.face_instance_id in now
    assert lost.face_instance_id not in now
    again = service.compute_prototypes()
    assert (again.added, again.removed) == (0, 0)


def test_confirmed_faces_are_found_among_many_of_the_machine(library: Library) -> None:
    """The faces that a suggestion resembles are those that humans gave to the person, as SQL has it: not lost
    among a hundred that the machine gave, and known before Qdrant is told."""
    look = directions(1, seed=3)[0]
    with library.database.write() as session:
        world = World(session)
        ada = add_person(world, "Ada").id
        confirmed = {face.id for face in add_faces(library, world, alike(look, 6, seed=1))}
        add_faces(library, world, alike(look, 100, 0.1, seed=2), person_id=ada, assigned_by="machine")
        add_faces(library, world, look[None])
    ReviewService(library.database, "test").assign_faces(sorted(confirmed), ada)  # and nothing is sent
    service = SuggestionService(library.stores)
    assert service.find_more(ada).created == 1
    (row,) = remembered(library).values()
    alike_faces = service.explain(row.id).resembles
    assert len(alike_faces) == 5
    assert {one.face_id for one in alike_faces} < confirmed
    assert [one.similarity for one in alike_faces] == sorted(
        (one.similarity for one in alike_faces), reverse=True
    )
    (explained,) = service.explain_face(row.face_instance_id)
    assert explained.resembles == alike_faces


def test_what_cannot_be_any_more_does_not_wait(library: Library, album: Album) -> None:
    """A suggestion is neither listed nor counted while its face is none, its person is in the photo already
    or was merged; taken back, it waits again."""
    service, review = SuggestionService(library.stores), ReviewService(library.database, "test")
    service.find_more(album.ada)
    no_face, beside, *rest = sorted(remembered(library))
    with library.database.write() as session:
        photo = session.get_one(FaceInstance, beside).asset_id
        (twin,) = add_faces(library, World(session), directions(1, seed=42))
        twin.asset_id, twin.position = photo, 1
        twin_id = twin.id
        session.execute(
            update(FaceInstance).where(FaceInstance.person_id.is_not(None)).values(assigned_by="human")
        )
    made = [review.not_a_face([no_face]).id, review.assign_faces([twin_id], album.ada).id]
    waiting = {one.suggestion.face_instance_id for one in service.pending(album.ada)}
    assert waiting == set(rest)
    assert states(library) == {"pending": len(rest) + 1, "superseded": 1}, "one is left out when it is read"
    made.append(review.merge_persons([album.ada], album.grace).id)
    assert service.pending(album.ada) == []
    for decision in reversed(made):
        assert decision is not None
        review.undo(decision)
    assert len(service.pending(album.ada)) == len(rest) + 2
