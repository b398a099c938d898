"""Counts and states that triggers keep (``db/models/kept/``) are what they follow from."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Update, delete, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute

from image_search_service.db.models import (
    AssetPath,
    ClusterRow,
    FaceInstance,
    FaceSuggestion,
    ImageAsset,
    PersonRow,
)
from image_search_service.db.models.kept.columns import KEPT
from image_search_service.db.queries import kept, library
from image_search_service.db.session import Database, Session
from image_search_service.recognition.engines.synthetic import SyntheticEngine
from tests.support.databases import DATABASES, open_database
from tests.support.served import add_person
from tests.support.world import World

STEPS = 150
PHOTOS = 8
FACES_OF_A_PHOTO = (1, 2, 5)


def filled(session: Session, chance: random.Random) -> None:
    """A bound library: photos with a few faces each, and three persons."""
    library.bind_engine(session, SyntheticEngine.identity, {})
    world = World(session)
    for _ in range(PHOTOS):
        photo = world.photo(f"/{uuid.uuid4()}")
        for position in range(chance.choice(FACES_OF_A_PHOTO)):
            world.face(photo, position)
    for name in ("Ada", "Grace", "Zoë"):
        add_person(world, name)


class Changes:
    """One statement each, about some rows that chance chooses."""

    def __init__(self, session: Session, chance: random.Random) -> None:
        self._session, self._chance = session, chance

    def _all(self, column: InstrumentedAttribute[uuid.UUID]) -> list[uuid.UUID]:
        return sorted(self._session.scalars(select(column)))

    def _some(self, column: InstrumentedAttribute[uuid.UUID]) -> list[uuid.UUID]:
        return [row for row in self._all(column) if self._chance.random() < 0.4]

    def _faces(self, **values: Any) -> None:
        self._session.execute(
            update(FaceInstance).where(FaceInstance.id.in_(self._some(FaceInstance.id))).values(values)
        )

    def name(self) -> None:
        self._faces(person_id=self._chance.choice([*self._all(PersonRow.id), None]))

    def say_if_faces(self) -> None:
        self._faces(is_face=self._chance.random() < 0.7)

    def set_aside(self) -> None:
        self._faces(set_aside=self._chance.random() < 0.3)

    def group(self) -> None:
        """Some faces get into a group, or out of theirs."""
        cluster = ClusterRow(size=0, confidence=0.5, representative_face_id=uuid.uuid4())
        self._session.add(cluster)
        self._session.flush()
        self._faces(cluster_id=self._chance.choice([cluster.id, None]))

    def swap_persons(self) -> None:
        """Each of two persons gets as many faces as it loses."""
        faces = self._all(FaceInstance.id)
        one, other = self._chance.sample(self._all(PersonRow.id), 2)
        self._session.execute(update(FaceInstance).where(FaceInstance.id == faces[0]).values(person_id=one))
        self._session.execute(
            update(FaceInstance).where(FaceInstance.id == faces[-1]).values(person_id=other)
        )

    def move_to_a_photo(self) -> None:
        """One face, as when a photo was edited; its position is free there."""
        self._session.execute(
            update(FaceInstance)
            .where(FaceInstance.id == self._chance.choice(self._all(FaceInstance.id)))
            .values(
                asset_id=self._chance.choice(self._all(ImageAsset.id)),
                position=self._chance.randrange(1_000, 1_000_000),
            )
        )

    def replace_photos(self) -> None:
        self._session.execute(
            update(ImageAsset)
            .where(ImageAsset.id.in_(self._some(ImageAsset.id)))
            .values(replaced=self._chance.random() < 0.4)
        )

    def fail_photos(self) -> None:
        """Some cannot be read, or can be again."""
        self._session.execute(
            update(ImageAsset)
            .where(ImageAsset.id.in_(self._some(ImageAsset.id)))
            .values(failure=self._chance.choice(("truncated", None)))
        )

    def remove_photos(self) -> None:
        """Those that show nobody; others come."""
        shown = select(FaceInstance.asset_id)
        self._session.execute(delete(AssetPath).where(AssetPath.asset_id.not_in(shown)))
        self._session.execute(delete(ImageAsset).where(ImageAsset.id.not_in(shown)))
        for _ in range(2):
            World(self._session).photo(f"/{uuid.uuid4()}")

    def delete_persons(self) -> None:
        self._session.execute(
            update(PersonRow)
            .where(PersonRow.id.in_(self._some(PersonRow.id)))
            .values(deleted=self._chance.random() < 0.3)
        )

    def remove_faces(self) -> None:
        """A few, and their suggestions first; as many others come for them."""
        gone = self._some(FaceInstance.id)[:3]
        self._session.execute(delete(FaceSuggestion).where(FaceSuggestion.face_instance_id.in_(gone)))
        self._session.execute(delete(FaceInstance).where(FaceInstance.id.in_(gone)))
        for _ in gone:
            photo = self._session.get_one(ImageAsset, self._chance.choice(self._all(ImageAsset.id)))
            World(self._session).face(photo, self._chance.randrange(1_000, 1_000_000))

    def suggest(self) -> None:
        had = {
            (face, person)
            for face, person in self._session.execute(
                select(FaceSuggestion.face_instance_id, FaceSuggestion.person_id)
            )
        }
        person = self._chance.choice(self._all(PersonRow.id))
        rows = [
            {
                "id": uuid.uuid4(), "face_instance_id": face, "person_id": person, "state": "pending",
                "confidence": 0.5, "source": "centroid", "evidence": [],
            }
            for face in self._some(FaceInstance.id)
            if (face, person) not in had
        ]  # fmt: skip
        if rows:
            self._session.execute(insert(FaceSuggestion), rows)

    def answer(self) -> None:
        state = self._chance.choice(("pending", "accepted", "rejected", "expired"))
        self._session.execute(
            update(FaceSuggestion)
            .where(FaceSuggestion.id.in_(self._some(FaceSuggestion.id)))
            .values(state=state)
        )

    def all(self) -> list[Callable[[], None]]:
        return [
            self.name, self.say_if_faces, self.set_aside, self.group, self.swap_persons,
            self.move_to_a_photo, self.replace_photos, self.fail_photos, self.remove_photos,
            self.delete_persons, self.remove_faces, self.suggest, self.answer,
        ]  # fmt: skip


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with open_database(request.param, tmp_path) as database:
        yield database


@pytest.mark.parametrize("seed", range(2))
def test_whatever_changes(database: Database, seed: int) -> None:
    """After each of many statements, about many rows, no kept column differs from its definition."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    with database.write() as session:
        filled(session, chance)
    for step in range(STEPS):
        with database.write() as session:
            change = chance.choice(Changes(session, chance).all())
            change()
        with database.read() as session:
            wrong = {each.column: kept.not_as_kept(session, each) for each in KEPT}
        assert not any(wrong.values()), f"step {step}, {change.__name__}: {wrong}"


CHANGES_OF_PERSONS: dict[str, Update] = {
    "named otherwise": update(FaceInstance).values(person_id=None),
    "replaced photos": update(ImageAsset).values(replaced=True),
    "deleted": update(PersonRow).values(deleted=True),
}


@pytest.mark.parametrize("change", CHANGES_OF_PERSONS)
def test_who_changed_is_known(database: Database, change: str) -> None:
    """Persons whose faces have changed, or who came or went, have another version than before."""
    chance = random.Random(0)  # noqa: S311 - no secret
    with database.write() as session:
        filled(session, chance)
        persons = cycle(list(session.scalars(select(PersonRow.id))))
        for face, person in zip(session.scalars(select(FaceInstance)), persons, strict=False):
            face.person_id = person
    with database.read() as session:
        before = versions(session)
    with database.write() as session:
        session.execute(CHANGES_OF_PERSONS[change])
    with database.read() as session:
        after = versions(session)
    assert all(after[person] > before[person] for person in before)


def versions(session: Session) -> dict[uuid.UUID, int]:
    return {person.id: person.faces_version for person in session.scalars(select(PersonRow))}
