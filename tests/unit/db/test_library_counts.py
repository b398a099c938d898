"""The library's counts, taken from kept numbers and indexes, are those of its rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from image_search_service.db.models import (
    AssetPath,
    ClusterRow,
    FaceInstance,
    ImageAsset,
    PersonRow,
    utc_now,
)
from image_search_service.db.queries import faces
from image_search_service.db.queries.library import library_counts
from image_search_service.db.session import Session
from image_search_service.library.opening import Library
from tests.support.served import add_person
from tests.support.stores import STORES, library_on
from tests.support.world import World

PHOTOS = 120


@pytest.fixture(params=STORES)
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Library]:
    with library_on(request.param, tmp_path) as opened:
        yield opened


def fill(session: Session, seed: int) -> None:
    """Photos in every state, with no face or some: readable or not, replaced or not, in files that are there,
    missing or left out; faces that are named, in a cluster, alone, set aside or none."""
    chance = np.random.default_rng(seed)
    world = World(session)
    ada, bob = (add_person(world, name) for name in ("Ada", "Bob"))
    bob.deleted = True
    for number in range(PHOTOS):
        asset = world.photo(f"/photos/{number}.jpg", replaced=bool(chance.random() < 0.2))
        asset.failure = "no picture" if chance.random() < 0.2 else None
        copies = [world.photo(f"/copies/{number}.jpg")] if chance.random() < 0.3 else []
        for path in session.scalars(select(AssetPath).where(AssetPath.asset_id.in_([asset.id]))):
            path.missing_since = utc_now() if chance.random() < 0.4 else None
            path.excluded = path.missing_since is not None and bool(chance.random() < 0.5)
        for copy in copies:  # the same photo in a second file
            path = session.scalars(select(AssetPath).where(AssetPath.asset_id == copy.id)).one()
            path.asset_id = asset.id
            session.flush()
            session.delete(copy)
        made = [world.face(asset, position) for position in range(int(chance.integers(0, 4)))]
        for face in made:
            state = int(chance.integers(0, 5))
            face.recognizable = bool(chance.random() < 0.8)
            face.person_id = ada.id if state == 0 else None
            face.is_face, face.set_aside = state != 1, state == 2
        free = [face for face in made if face.person_id is None and face.is_face]
        if free and chance.random() < 0.5:
            world.cluster(free[:1]).set_aside = free[0].set_aside


def counted(session: Session) -> dict[str, int]:
    """The same from all rows, one by one."""
    photos = {photo.id: photo for photo in session.scalars(select(ImageAsset))}
    files = list(session.scalars(select(AssetPath)))
    every = list(session.scalars(select(FaceInstance)))
    held = {file.asset_id for file in files if file.missing_since is None}
    left_out = {file.asset_id for file in files if file.excluded} - held
    listed = {id_ for id_, photo in photos.items() if photo.failure is None and not photo.replaced}
    current = [face for face in every if face.is_face and not photos[face.asset_id].replaced]
    unknown = [face for face in current if face.person_id is None and not face.set_aside]
    return {
        "photos": len(listed & held),
        "photos_with_faces": len(listed & held & {face.asset_id for face in every}),
        "photos_missing": len(listed - held - left_out),
        "photos_excluded": len(listed & left_out),
        "files": sum(file.missing_since is None for file in files),
        "faces": len(current),
        "named_faces": sum(face.person_id is not None for face in current),
        "clustered_faces": sum(face.cluster_id is not None for face in unknown),
        "noise_faces": sum(face.cluster_id is None for face in unknown),
        "aside_faces": sum(face.set_aside for face in current),
        "clusters": sum(not row.set_aside for row in session.scalars(select(ClusterRow))),
        "persons": sum(not person.deleted for person in session.scalars(select(PersonRow))),
    }


@pytest.mark.parametrize("seed", range(3))
def test_counts_are_those_of_the_rows(library: Library, seed: int) -> None:
    """Whatever state photos, files and faces are in; how many faces are to be grouped is counted alike."""
    with library.database.write() as session:
        fill(session, seed)
    with library.database.read() as session:
        expected = counted(session)
        assert asdict(library_counts(session)) == expected
        assert min(expected.values()) > 0
        assert faces.count_unnamed(session) == len(faces.groupable_faces(session)) > 0
