"""The tables against the events that they follow from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from image_search_service.core.decisions import Key
from image_search_service.db.models import FaceInstance, PersonRow
from image_search_service.db.queries import library as library_queries
from image_search_service.db.session import Database
from image_search_service.recognition.engines.synthetic import SyntheticEngine
from image_search_service.services.decisions.replay import RebuildReport, RebuildService
from image_search_service.services.decisions.service import ReviewService
from tests.support.world import World, migrated_database


class BusyRebuild(RebuildService):
    """Somebody decides after the events were read and before the tables are."""

    def __init__(self, database: Database, meanwhile: Callable[[], object]) -> None:
        super().__init__(database)
        self._meanwhile = meanwhile

    def _expected(self) -> Iterator[tuple[Key, Any]]:
        facts = list(super()._expected())
        self._meanwhile()
        return iter(facts)


@pytest.mark.parametrize("look", [RebuildService.check, RebuildService.rebuild])
def test_what_is_decided_meanwhile_stands(
    tmp_path: Path, look: Callable[[RebuildService], RebuildReport]
) -> None:
    """What is decided during the comparison is not found wrong, nor overwritten with what was said before."""
    database = migrated_database(tmp_path)
    with database.write() as session:
        library_queries.bind_engine(session, SyntheticEngine.identity, {})
        world = World(session)
        face = world.face(world.photo("/a.jpg")).id
    review = ReviewService(database, "test")
    ada = review.split([face], "Ada").person_id

    def decide() -> None:
        review.rename_person(ada, "Augusta")
        review.unassign_faces([face])

    assert look(BusyRebuild(database, decide)).wrong == 0
    with database.read() as session:
        assert session.get_one(PersonRow, ada).name == "Augusta"
        assert session.get_one(FaceInstance, face).person_id is None
    assert RebuildService(database).check().wrong == 0
    database.close()
