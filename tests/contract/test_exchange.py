"""Decisions move from one library to another on every database."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from image_search_service.core.types import Box
from image_search_service.db.models import FaceInstance
from image_search_service.library.opening import Library
from image_search_service.services.decisions.history import HistoryService
from image_search_service.services.decisions.replay import RebuildService
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.exchange.service import ExchangeService
from tests.support.stores import STORES, library_on
from tests.support.world import World

FACES = 8


def fill(library: Library, shift: float) -> list[UUID]:
    """Photos of the same content in every library; faces and clusters of its own."""
    with library.database.write() as session:
        world = World(session)
        faces: list[FaceInstance] = []
        for number in range(FACES):
            photo = world.photo(f"/{number}.jpg")
            photo.content_hash = f"{number:064x}"
            faces.append(world.face(photo, box=Box(40 + shift, 40, 20, 20)))
        for start in range(0, FACES, 2):
            world.cluster(faces[start : start + 2])
        return [face.id for face in faces]


def events(library: Library) -> list[tuple[str, object, int]]:
    found = HistoryService(library.database).page(limit=100)
    return [(one.decision.kind, one.decision.at, one.changes) for one in found]


@pytest.mark.parametrize("store", STORES)
def test_history_moves(store: str, tmp_path: Path) -> None:
    """What was decided in one library is the history of another, and can be undone there."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with library_on(store, tmp_path / "a") as here:
        faces = fill(here, 0)
        review = ReviewService(here.database, "ada")
        ada = review.split(faces[:2], "Ada").person_id
        grace = review.split(faces[2:4], "Grace").person_id
        review.pin_prototype(ada, faces[0])
        review.set_cover_face(ada, faces[1])
        review.not_a_face(faces[6:7])
        mistake = review.create_person("Mistake").decision
        assert mistake is not None
        review.undo(mistake)
        review.unassign_faces(faces[3:4])
        merge = review.merge_persons([grace], ada).id
        lines = list(ExchangeService(here.database, "ada").export())
        told = events(here)
    assert merge is not None
    with library_on(store, tmp_path / "b") as there:
        moved = fill(there, 2)
        report = ExchangeService(there.database, "eve").load(lines)
        assert (report.history, report.decisions, report.unmatched) == (True, len(told), 0)
        assert events(there) == told
        assert RebuildService(there.database).check().wrong == 0
        newest = HistoryService(there.database).page(limit=1)[0].decision.id
        ReviewService(there.database, "eve").undo(newest)
        with there.database.read() as session:
            owners = [session.get_one(FaceInstance, face).person_id for face in moved]
        assert owners == [ada, ada, grace, None, None, None, None, None]
        ReviewService(there.database, "eve").create_person("Emmy")
        assert ExchangeService(there.database, "eve").load(lines).kept == 1
