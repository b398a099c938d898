"""Why a face has no person is what the assigner does with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import delete, select

from image_search_service.core.errors import DataIntegrityError
from image_search_service.core.types import Because, Box
from image_search_service.db.models import FaceInstance, FaceSuggestion, PersonCentroid
from image_search_service.faces.assigner import FaceAssigner
from image_search_service.library.opening import Library
from image_search_service.recognition.explanation import Reason
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.suggestions.explanation import ExplanationService
from image_search_service.services.suggestions.search import SuggestionService
from tests.support.round_trips import round_trips
from tests.support.served import add_faces, add_person, alike, directions
from tests.support.stores import STORES, library_on
from tests.support.world import World

LOOKS = directions(4, seed=5)
GIVEN = [Because.NOT_ASKED]


@pytest.fixture(params=STORES)
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Library]:
    """Three people with a few faces each."""
    with library_on(request.param, tmp_path) as opened:
        with opened.database.write() as session:
            world = World(session)
            for number, name in enumerate(("Ada", "Grace", "Emmy")):
                person = add_person(world, name)
                faces = alike(LOOKS[number], 4, spread=0.3, seed=number)
                add_faces(opened, world, faces, person_id=person.id, assigned_by="human")
        yield opened


def why(library: Library, face_id: UUID) -> list[Reason]:
    return ExplanationService(library.stores).explain(face_id).reasons


def because(library: Library, face_id: UUID) -> list[Because]:
    return [one.because for one in why(library, face_id)]


def crowd(library: Library, seed: int, faces: int = 24) -> list[UUID]:
    """Faces between two people or near one, up to three in a photo, some rejected."""
    dice = np.random.default_rng(seed)
    rows = LOOKS[dice.integers(0, 3, faces)] + LOOKS[dice.integers(0, 3, faces)] * dice.random((faces, 1))
    rows = rows + dice.random((faces, 1)) * directions(faces, seed)
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    with library.database.write() as session:
        world = World(session)
        made = add_faces(library, world, rows)
        for number in range(0, faces, 3):
            for place, other in enumerate(made[number + 1 : number + 1 + int(dice.integers(0, 3))], 1):
                other.asset_id, other.position = made[number].asset_id, place
        people = list(session.scalars(select(PersonCentroid.person_id)))
        session.add_all(
            FaceSuggestion(
                face_instance_id=made[number].id,
                person_id=people[int(dice.integers(len(people)))],
                state="rejected",
                confidence=0.0,
                source="hand",
                evidence=[],
            )
            for number in range(0, faces, 4)
        )
        return [face.id for face in made]


def test_it_says_what_the_assigner_does(library: Library) -> None:
    """Of random faces exactly those are said to be given that the assigner gives."""
    CentroidService(library.stores).compute_centroids()
    for seed in range(6):
        faces = crowd(library, seed)
        said = {face: because(library, face) for face in faces}
        FaceAssigner(library.stores, CentroidService(library.stores)).assign_new_faces()
        with library.database.read() as session:
            rows = session.execute(
                select(FaceInstance.id, FaceInstance.person_id).where(FaceInstance.id.in_(faces))
            )
            owners = {row[0]: row[1] for row in rows}
        given = {face for face in faces if owners[face]}
        assert given
        assert given != set(faces)
        assert {face for face in faces if said[face][-1:] == GIVEN} == given
        library.payload_sender.send()
        with library.database.write() as session:  # the next faces meet the same people
            session.execute(delete(FaceSuggestion).where(FaceSuggestion.face_instance_id.in_(faces)))
            for face in session.scalars(select(FaceInstance).where(FaceInstance.id.in_(faces))):
                face.person_id, face.assigned_by, face.recognizable = None, None, False


def test_two_in_one_photo(library: Library) -> None:
    """Of two faces of a photo that are alike enough the less similar one is told about the other."""
    with library.database.write() as session:
        near, far = add_faces(library, World(session), alike(LOOKS[0], 2, spread=0.2, seed=8))
        far.asset_id, far.position = near.asset_id, 1
        ids = [near.id, far.id]
    assert sorted(because(library, face)[0] for face in ids) == [Because.NOT_ASKED, Because.TWO_IN_PHOTO]


def test_it_knows_whom_assigning_would_know(library: Library) -> None:
    """Somebody whose centroid was never computed, or of other faces, is compared as they are now."""
    with library.database.write() as session:
        (face,) = add_faces(library, World(session), LOOKS[3:])
        face_id = face.id
    assert because(library, face_id) == [Because.BELOW_THRESHOLD]
    CentroidService(library.stores).compute_centroids()
    with library.database.write() as session:  # as many faces as before, but others
        world = World(session)
        ada = session.scalars(select(PersonCentroid.person_id)).first()
        for old in session.scalars(select(FaceInstance).where(FaceInstance.person_id == ada)).all():
            old.person_id, old.recognizable = None, False
        add_faces(library, world, alike(LOOKS[3], 4, spread=0.2), person_id=ada, assigned_by="human")
    assert because(library, face_id) == GIVEN
    assert SuggestionService(library.stores).suggestions_for_face(face_id)[0].similarity > 0.9


def test_a_lost_centroid_is_not_nobody(library: Library) -> None:
    """A centroid that SQL knows and Qdrant lost is an error, and not that nobody is known."""
    with library.database.write() as session:
        face_id = add_faces(library, World(session), LOOKS[:1])[0].id
    CentroidService(library.stores).compute_centroids()
    with library.database.read() as session:
        library.centroids.delete_centroids(session.scalars(select(PersonCentroid.id)).all())
    for ask in (
        ExplanationService(library.stores).explain,
        SuggestionService(library.stores).suggestions_for_face,
    ):
        with pytest.raises(DataIntegrityError, match="did not give 3"):
            ask(face_id)


def test_the_picture_is_a_reason(library: Library) -> None:
    """A face left out says what of it was measured, and a blurred one adds it to how much is lacking."""
    with library.database.write() as session:
        world = World(session)
        cut, blurred = add_faces(library, world, LOOKS[2:])
        photo = world.photo("/small.jpg")
        small = world.face(photo, box=Box(10, 10, 14, 18))
        small.quality_parts, small.recognizable = {"size": 0.17, "pose": 1.0}, False
        cut.box_x, cut.box_width, cut.recognizable = -10, 20, False
        blurred.quality_parts = {"sharpness": 0.31}
        ids = [small.id, cut.id, blurred.id]
    assert [because(library, face) for face in ids] == [
        [Because.UNRECOGNIZABLE, Because.TOO_SMALL],
        [Because.UNRECOGNIZABLE, Because.CUT_OFF],
        [Because.BELOW_THRESHOLD, Because.BLURRED],
    ]
    said = [why(library, face)[1] for face in ids]
    assert [(one.measured, one.needed) for one in said] == [(14, 19.6), (0.5, 0.8), (0.31, 0.5)]


def test_round_trips(library: Library) -> None:
    """Explaining costs as much for a person with two hundred faces as for one with four."""
    with library.database.write() as session:
        face_id = add_faces(library, World(session), LOOKS[3:])[0].id
    costs = []
    for number in (4, 200):
        with library.database.write() as session:
            someone = session.scalars(
                select(FaceInstance.person_id).where(FaceInstance.person_id.is_not(None))
            )
            faces = alike(LOOKS[0], number, spread=0.3, seed=number)
            add_faces(library, World(session), faces, person_id=someone.first(), assigned_by="human")
        CentroidService(library.stores).compute_centroids()
        with round_trips(library.database.engine) as trips:
            why(library, face_id)
        costs.append((trips.requests, trips.statements))
    assert costs[0] == costs[1]
    assert costs[0][0] == 2
