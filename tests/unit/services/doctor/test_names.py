"""Names that a mistake put on somebody else's face."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from image_search_service.library.opening import Library
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.doctor.findings import DoctorReport, Kind
from image_search_service.services.doctor.names import similarity_to_others
from image_search_service.services.doctor.service import DoctorService
from tests.support.round_trips import round_trips
from tests.support.served import add_faces, alike, bind, directions
from tests.support.world import World
from tests.unit.services.doctor.test_service import opened


def add_people(library: Library, each: int) -> list[list[str]]:
    """The ids of ``each`` faces of three people."""
    with library.database.write() as session:
        world = World(session)
        return [
            [str(face.id) for face in add_faces(library, world, alike(look, each, spread=0.3, seed=seed))]
            for seed, look in enumerate(directions(3))
        ]


def test_a_face_of_somebody_else(tmp_path: Path) -> None:
    """It is listed with its person and the decision that placed it."""
    with opened(tmp_path / "library") as library:
        bind(library)
        ada, grace, _ = add_people(library, 5)
        review = ReviewService(library.database, "test")
        named = review.split([*map(_uuid, ada)], "Ada").person_id
        review.split([*map(_uuid, grace[1:])], "Grace")
        wrong = review.split([_uuid(grace[0])], "Ada", who=named).decision
        report = DoctorService(library.stores, alone=True).examine()
    finding = report.findings[Kind.UNLIKE_THE_OTHERS]
    assert finding.found == 1
    assert grace[0] in finding.examples[0]
    assert "of Ada" in finding.examples[0]
    assert f"image-search undo {wrong}" in finding.examples[0]
    assert report.checked["names"] == 10


def test_a_name_that_may_be_wrong_is_a_hint() -> None:
    """The library is healthy with it: only a human can say."""
    report = DoctorReport()
    report.add_counted(Kind.UNLIKE_THE_OTHERS, 1, ["a face"])
    assert report.is_healthy
    report.add_counted(Kind.WRONG_PAYLOAD, 1, ["a face"])
    assert not report.is_healthy


def test_requests_follow_pages_not_faces(tmp_path: Path) -> None:
    """Names of few and of many faces cost as many statements and fetches."""
    costs = []
    for each in (3, 30):
        with opened(tmp_path / str(each)) as library:
            bind(library)
            people = add_people(library, each)
            for number, faces in enumerate(people):
                ReviewService(library.database, "test").split([*map(_uuid, faces)], f"P{number}")
            library.faces  # noqa: B018 - opened before it is counted
            with round_trips(library.database.engine) as trips:
                DoctorService(library.stores, alone=True).examine()
            costs.append((trips.statements, trips.qdrant["retrieve"]))
    assert costs[0] == costs[1]


def test_similarity_to_the_others_leaves_the_face_itself_out() -> None:
    """A single face is like itself; of two each is compared with the other."""
    a, b = np.array([1.0, 0.0], np.float32), np.array([0.6, 0.8], np.float32)
    assert similarity_to_others(a[None]).tolist() == [1.0]
    assert similarity_to_others(np.stack([a, b])).tolist() == pytest.approx([0.6, 0.6])


def _uuid(text: str) -> UUID:
    return UUID(text)
