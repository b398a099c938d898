"""What cannot all be true is found, and nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from image_search_service.db.queries import said_in_files
from image_search_service.library.opening import Library
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.suggestions.conflict_finder import ConflictFinder
from image_search_service.services.suggestions.conflicts import ConflictKind, ConflictRecord, ConflictService
from tests.support.round_trips import round_trips
from tests.support.served import add_faces, add_person, alike, directions
from tests.support.stores import STORES, library_on
from tests.support.world import World

LOOKS = directions(3, seed=5)


@pytest.fixture(params=STORES)
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Library]:
    with library_on(request.param, tmp_path) as opened:
        yield opened


def named(library: Library, world: World, name: str, embeddings: Any) -> tuple[Any, list[Any]]:
    person = add_person(world, name)
    return person, add_faces(library, world, embeddings, person_id=person.id, assigned_by="human")


def of_kind(library: Library, kind: ConflictKind) -> list[ConflictRecord]:
    return [one for one in found(library) if one.kind is kind]


def found(library: Library, limit: int = 100) -> list[ConflictRecord]:
    """Persons whose faces have changed are compared, then all is listed."""
    ConflictFinder(library.stores).look()
    return ConflictService(library.database).find(limit)


def test_nothing_is_wrong(library: Library) -> None:
    """Two people who look like themselves and like nobody else are no conflict."""
    with library.database.write() as session:
        world = World(session)
        for number, name in enumerate(("Ada", "Grace")):
            named(library, world, name, alike(LOOKS[number], 5, spread=0.3, seed=number))
    assert found(library) == []


def test_another_name_in_a_file(library: Library) -> None:
    """A face that a file calls otherwise, with both names and the file; a person who was renamed or merged
    here is no other one."""
    with library.database.write() as session:
        world = World(session)
        ada, faces = named(library, world, "Ada", alike(LOOKS[0], 3, spread=0.3))
        countess = add_person(world, "Countess")
        countess.deleted, countess.merged_into = True, ada.id
        session.flush()
        path = Path("/photos/one.jpg.xmp")
        said_in_files.save_seen(
            session,
            [
                said_in_files.SeenName(faces[0].id, path, "state", "Berta", "berta", None),
                said_in_files.SeenName(
                    faces[0].id, path.with_name("one.jpg"), "state", "Carla", "carla", None
                ),
                said_in_files.SeenName(faces[1].id, path, "state", "Adda", "adda", ada.id),
                said_in_files.SeenName(faces[2].id, path, "state", "Countess", "countess", countess.id),
            ],
        )
        expected = ([ada.id], ["Ada"], [faces[0].id], path, "Berta")
    (found,) = of_kind(library, ConflictKind.OTHER_NAME_IN_FILE)
    assert (found.person_ids, found.names, found.face_ids, found.path, found.name_in_file) == expected


def test_twice_in_a_photo(library: Library) -> None:
    """A person with two faces in one photo, with both faces."""
    with library.database.write() as session:
        ada, faces = named(library, World(session), "Ada", alike(LOOKS[0], 3, spread=0.3))
        faces[1].asset_id, faces[1].position = faces[0].asset_id, 1
        expected = (ada.id, faces[0].asset_id, [faces[0].id, faces[1].id])
    (found,) = of_kind(library, ConflictKind.TWICE_IN_A_PHOTO)
    assert found.path is not None
    assert (found.person_ids[0], found.asset_id, found.face_ids) == expected


def test_before_birth(library: Library) -> None:
    """A person in a photo of the year before their birth; one of the day itself is none."""
    with library.database.write() as session:
        world = World(session)
        ada, (early, late) = named(library, world, "Ada", alike(LOOKS[0], 2, spread=0.3))
        ada.birth_date = date(1990, 5, 1)
        for face, day in ((early, datetime(1989, 5, 1)), (late, datetime(1990, 5, 1, 12))):  # noqa: DTZ001
            face_photo = session.get_one(type(world.photo("/x.jpg")), face.asset_id)
            face_photo.taken_at = face.taken_at = day
        expected = early.id
    (found,) = of_kind(library, ConflictKind.BEFORE_BIRTH)
    assert found.face_ids == [expected]


def test_far_from_the_others(library: Library) -> None:
    """A face that is unlike its person's others, with how little it resembles them."""
    with library.database.write() as session:
        rows = np.vstack([alike(LOOKS[0], 9, spread=0.3), LOOKS[2:3]])
        _, faces = named(library, World(session), "Ada", rows)
        odd = faces[-1].id
    (found,) = of_kind(library, ConflictKind.FAR_FROM_THE_OTHERS)
    assert found.face_ids == [odd]
    assert found.similarity is not None
    assert found.similarity < library.stores.thresholds.suggest


def test_look_the_same(library: Library) -> None:
    """Two persons who look the same, unless a human has said that they are two."""
    with library.database.write() as session:
        world = World(session)
        twins = [named(library, world, name, alike(LOOKS[0], 4, spread=0.3))[0].id for name in ("Ada", "Eda")]
    (found,) = of_kind(library, ConflictKind.LOOK_THE_SAME)
    assert sorted(found.person_ids) == sorted(twins)
    ReviewService(library.database, "test").mark_different(*twins)
    assert of_kind(library, ConflictKind.LOOK_THE_SAME) == []


def test_of_many_who_look_the_same_the_most_alike_are_named(library: Library) -> None:
    """Of all pairs of fifty lookalikes as many as wanted are listed, the most alike first, but none that is
    said to be two."""
    with library.database.write() as session:
        world = World(session)
        for number in range(50):
            named(library, world, f"Ada {number}", alike(LOOKS[0], 1, spread=0.3, seed=number))
    every = [one for one in found(library, 2_000) if one.kind is ConflictKind.LOOK_THE_SAME]
    assert len(every) == 50 * 49 // 2
    best = of_kind(library, ConflictKind.LOOK_THE_SAME)
    assert [one.similarity for one in best] == [one.similarity for one in every[:100]]
    first, second = best[0].person_ids
    ReviewService(library.database, "test").mark_different(first, second)
    left = of_kind(library, ConflictKind.LOOK_THE_SAME)
    assert set(best[0].person_ids) not in [set(one.person_ids) for one in left]
    assert len(left) == 100


def test_round_trips(library: Library) -> None:
    """It costs one fetch of the faces and one of the centroids, for twenty as for two hundred."""
    costs = []
    for number in (20, 200):
        with library.database.write() as session:
            look = directions(1, seed=number)[0]
            named(library, World(session), f"Ada {number}", alike(look, number, spread=0.3))
        CentroidService(library.stores).compute_centroids()
        with round_trips(library.database.engine) as trips:
            found(library)
        costs.append((trips.requests, trips.statements))
    assert costs[0] == costs[1]
    assert costs[0][0] == 2
